"""Seldon's REST endpoints of a model, as an ASGI application."""

import asyncio
from typing import Any

import msgspec
from seldon_core import seldon_methods
from seldon_core.flask_utils import SeldonMicroserviceException
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from modelserver import feedback, forms, messages
from modelserver.errors import BadRequest, ModelError, status_body
from modelserver.metrics import InProcessMetrics

PREDICT_PATHS = ("/predict", "/api/v1.0/predictions", "/api/v0.1/predictions")
"""The first is the executor's, the others are for callers from outside."""

FEEDBACK_PATHS = ("/send-feedback", "/api/v1.0/feedback", "/api/v0.1/feedback")

# Below this a request takes well under a millisecond, less than handing it to a thread and back would add.
INLINE_BYTES = 32 * 1024


def create_app(model: Any, metrics: InProcessMetrics) -> Starlette:
    """The application that serves `model`, a loaded Seldon class, and counts its custom metrics in `metrics`.

    Raises:
        ModelError: the class describes itself in a way that Seldon does not know.
    """
    one_feedback = asyncio.Semaphore(1)
    metadata = seldon_methods.init_metadata(model)
    if metadata is None:
        raise ModelError("the model's metadata is not valid: see the log above")

    def answer(body: bytes, content_type: str, query: bytes) -> bytes:
        message = forms.read(body, content_type, query)
        return msgspec.json.encode(seldon_methods.predict(model, message, metrics))

    async def predict(request: Request) -> Response:
        body = await _read(request)
        content_type, query = request.headers.get("content-type", ""), request.scope["query_string"]
        if len(body) + len(query) <= INLINE_BYTES:
            return _json(answer(body, content_type, query))
        # Thousands of rows: in a thread, so that health checks and small requests do not queue behind them.
        return _json(await asyncio.to_thread(answer, body, content_type, query))

    async def take_feedback(request: Request) -> Response:
        body = await _read(request, feedback.MAX_BYTES)
        content_type, query = request.headers.get("content-type", ""), request.scope["query_string"]

        def taken() -> Any:
            told = feedback.from_json(forms.message(body, content_type, query))
            return feedback.to_json(feedback.take(model, told, metrics))

        # In a thread, and one at a time: protobuf's JSON is slow, and what the class does with it may be.
        async with one_feedback:
            return _json(msgspec.json.encode(await asyncio.to_thread(taken)))

    async def status(_: Request) -> Response:
        return _json(msgspec.json.encode(seldon_methods.health_status(model, metrics)))

    async def describe(_: Request) -> Response:
        return _json(msgspec.json.encode(metadata))

    async def ping(_: Request) -> Response:
        return PlainTextResponse("pong")

    app = Starlette(
        routes=[
            *(Route(path + end, predict, methods=["GET", "POST"]) for path in PREDICT_PATHS for end in ("", "/")),
            *(Route(path, take_feedback, methods=["POST"]) for path in FEEDBACK_PATHS),
            Route("/health/status", status),
            Route("/api/v1.0/health/status", status),
            Route("/health/ping", ping),
            Route("/metadata", describe),
            Route("/api/v1.0/metadata", describe),
        ],
        exception_handlers={
            SeldonMicroserviceException: _refused,
            HTTPException: _http_error,
            ClientDisconnect: _left,
            Exception: _failed,
        },
    )
    # Its redirects have no reason in them, and lose what a proxy has taken off the path: Kludex/starlette#2748.
    app.router.redirect_slashes = False
    return app


async def _read(request: Request, most: int = messages.MAX_BODY_BYTES) -> bytes:
    """The request's body, refused as soon as it is known to be too large."""
    packing = request.headers.get("content-encoding", "identity")
    if packing.lower() != "identity":
        raise BadRequest(f"the body is packed ({packing}): send it as it is", status_code=415)
    too_large = BadRequest(f"the body is larger than {most} bytes", status_code=413)
    if int(request.headers.get("content-length", 0)) > most:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _json(content: bytes, status_code: int = 200, headers: Any = None) -> Response:
    return Response(content, status_code=status_code, media_type="application/json", headers=headers)


async def _refused(_: Request, error: Any) -> Response:
    return _json(msgspec.json.encode(error.to_dict()), error.status_code)


async def _http_error(request: Request, error: Any) -> Response:
    message = f"{request.method} {request.scope['path']}: {error.detail}"
    return _json(msgspec.json.encode(status_body(message, "MICROSERVICE_BAD_DATA")), error.status_code, error.headers)


async def _left(_: Request, error: Any) -> Response:
    # Nobody reads this; without it a caller who leaves early is logged as a fault of the server.
    return Response(status_code=400)


async def _failed(_: Request, error: Any) -> Response:
    # Starlette logs the traceback; the caller gets no inside of the server.
    message = f"the model failed: {type(error).__name__}; see the server's log"
    return _json(msgspec.json.encode(status_body(message, "MICROSERVICE_INTERNAL_ERROR")), 500)
