"""Seldon's REST endpoints of a model or of a unit of a graph, as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
import numpy as np
from seldon_core import seldon_methods
from seldon_core.env_utils import get_model_name
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.user_model import client_health_status
from seldon_core.utils import construct_response_json

from modelserver import feedback, forms, messages, units
from modelserver.errors import BadRequest, ModelError, status_body
from modelserver.http import AT_ONCE_BYTES, Headers
from modelserver.metrics import Metrics, Outcome
from modelserver.predicting import Predictor, unless_missing
from modelserver.sharing import Sharing

logger = logging.getLogger(__name__)

PREDICT_PATHS = ("/predict", "/api/v1.0/predictions", "/api/v0.1/predictions")
"""The first is the executor's, the others are for callers from outside."""

FEEDBACK_PATHS = ("/send-feedback", "/api/v1.0/feedback", "/api/v0.1/feedback")
STATUS_PATHS = ("/health/status", "/api/v1.0/health/status")
METADATA_PATHS = ("/metadata", "/api/v1.0/metadata")
PING_PATH = "/health/ping"

INLINE_BYTES = AT_ONCE_BYTES
"""Below this a request takes well under a millisecond, less than handing it to a thread and back would add."""

LARGE_AT_ONCE = 2
"""Larger requests that are computed at once: each may take up a hundred times its size while it is."""

MAX_HELD_BYTES = 64 << 20
"""Of bodies that are there or on their way. Slow clients could fill the memory otherwise; one more is told to come
again."""

REASONS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "bad_data",
    HTTPStatus.NOT_FOUND: "unknown_path",
    HTTPStatus.METHOD_NOT_ALLOWED: "method",
    HTTPStatus.REQUEST_TIMEOUT: "too_slow",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "packed",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "head_too_large",
    HTTPStatus.SERVICE_UNAVAILABLE: "too_many",
}
"""What the metrics call a refusal, by its status."""

OK, NO_CONTENT = HTTPStatus.OK.value, HTTPStatus.NO_CONTENT.value
BAD_REQUEST, FAILED = HTTPStatus.BAD_REQUEST.value, HTTPStatus.INTERNAL_SERVER_ERROR.value
"""Those that each answer is looked at for: Python 3.11 calls a function wherever an enumeration's member is named."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON = (b"content-type", b"application/json")
TEXT = (b"content-type", b"text/plain; charset=utf-8")


def _plain(value: Any) -> Any:
    """A value of numpy as JSON has it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"the model told a {type(value).__name__}, which JSON has nothing for")


ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def _is_finite(value: Any) -> bool:
    """Whether all numbers of an answer are finite."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple | np.ndarray):
        return all(map(_is_finite, value))
    return not isinstance(value, float | np.floating) or math.isfinite(value)


class Answer(NamedTuple):
    """What a client gets."""

    status: int
    content: bytes
    headers: Headers = (JSON,)


class LeftError(Exception):
    """The client has gone before its request was there."""


class Request:
    """What a client asks."""

    __slots__ = ("body", "content_type", "held", "length", "method", "origin", "packing", "path", "query")

    def __init__(self, method: str, path: str, query: bytes, headers: Headers) -> None:
        self.method, self.path, self.query = method, path, query
        self.content_type = self.packing = self.origin = ""
        self.length = self.held = 0
        self.body = b""
        for name, value in headers:
            if name == b"content-type":
                self.content_type = value.decode("latin-1")
            elif name == b"content-length":
                self.length = int(value)
            elif name == b"content-encoding":
                self.packing = value.decode("latin-1").lower()
            elif name == b"origin":
                self.origin = value.decode("latin-1")


class Route(NamedTuple):
    """An endpoint, and with what methods it is asked."""

    methods: Sequence[str]
    endpoint: Callable[[Request, Receive], Awaitable[Answer]]
    measured: bool = False


class Application:
    """Serves `model`, a loaded Seldon class, and counts its custom metrics and its requests in `metrics`.

    Args:
        model: the class.
        metrics: of the process.
        metadata: what the class says of itself.
        origins: of pages whose scripts may read the answers: `https://app.example.com`, or `*` for those of all.
    """

    def __init__(
        self, model: Any, metrics: Metrics, metadata: Mapping[str, Any], origins: Collection[str] = ()
    ) -> None:
        self._model, self._metrics, self._sharing = model, metrics, Sharing(origins)
        self._computed = self._computations(get_model_name(metadata.get("name", "")))
        # A short request that is sent there is answered without a task of its own.
        self.at_once_urls = frozenset(path.encode() for path in self._computed if not path.endswith("/"))
        self._large = ThreadPoolExecutor(LARGE_AT_ONCE, thread_name_prefix="large")
        self._feedback = ThreadPoolExecutor(1, thread_name_prefix="feedback")
        self._held = 0
        self._metadata = Answer(HTTPStatus.OK, msgspec.json.encode(metadata))
        look = ("GET", "HEAD")
        self._routes = {
            # The query of a prediction may hold the message, too.
            **{
                path: Route(("POST",) if path in self._unit_paths else (*look, "POST"), self._compute, measured=True)
                for path in self._computed
            },
            **{path: Route(("POST",), self._take_feedback, measured=True) for path in FEEDBACK_PATHS},
            **{path: Route(look, self._status) for path in STATUS_PATHS},
            **{path: Route(look, self._describe) for path in METADATA_PATHS},
            PING_PATH: Route(look, self._ping),
            **(self._open_routes(get_model_name(metadata.get("name", "")), metadata) if self._unit_paths else {}),
        }

    def _computations(self, name: str) -> dict[str, Callable[[Request], Any]]:
        """What answers a request, by its path: predictions, and what the executor asks a unit of a graph."""
        predictor = Predictor(self._model, self._metrics)
        called = units.paths(self._model, self._metrics, name)
        self._unit_paths = frozenset(called)

        def predicted(request: Request) -> Any:
            return predictor.answer(forms.read(request.body, request.content_type, request.query))

        def computed(answer: Callable[[bytes, str], Any]) -> Callable[[Request], Any]:
            return lambda request: answer(request.body, request.content_type)

        # A unit that makes no predictions has nothing to answer where they are asked for.
        predictions = PREDICT_PATHS if predictor.predicts or not called else ()
        return {
            **{path + end: predicted for path in predictions for end in ("", "/")},
            **{path: computed(answer) for path, answer in called.items()},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope["method"], scope["path"], scope["query_string"], scope["headers"])
        route = self._routes.get(request.path)
        try:
            if route is None or not route.measured:
                answer = await self._answer(route, request, receive)
            else:
                answer = await self._measured(route, request, receive)
        except LeftError:
            return
        status, headers, content = self._told(request, answer)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def at_once(self, url: bytes, headers: Headers, body: bytes) -> tuple[int, Headers, bytes] | None:
        """The answer to a prediction that takes less time than handing it on would; None for others."""
        request = Request("POST", url.decode(), b"", headers)
        if request.packing or len(body) > INLINE_BYTES:
            return None
        request.body = body
        began = self._begin()
        try:
            answer = self._answered(request)
        except Exception as error:
            answer = _failed(error, request.path)
        self._end(request, began, answer)
        return self._told(request, answer)

    async def _measured(self, route: Route, request: Request, receive: Receive) -> Answer:
        """The answer, measured."""
        began, answer = self._begin(), None
        try:
            answer = await self._answer(route, request, receive)
            return answer
        finally:
            self._held -= request.held
            self._end(request, began, answer)

    def _begin(self) -> float:
        self._metrics.requests.begin("rest")
        return time.perf_counter()

    def _end(self, request: Request, began: float, answer: Answer | None) -> None:
        """Measure an answer; None if nobody is there any more to get it."""
        outcome = "refused" if answer is None else outcome_of(answer.status)
        sent = 0 if answer is None else len(answer.content)
        self._metrics.requests.end("rest", outcome, time.perf_counter() - began, len(request.body), sent)

    def _told(self, request: Request, answer: Answer) -> tuple[int, Headers, bytes]:
        """The answer with what a browser and HTTP want to know beside it; counted, if it is a refusal."""
        status, content, headers = answer
        if status >= BAD_REQUEST and status != FAILED:
            self._metrics.requests.refuse("rest", REASONS.get(status, "other"))
        if self._sharing:
            headers = (*headers, *self._sharing.headers(request.origin))
        if status != NO_CONTENT:
            headers = (*headers, (b"content-length", b"%d" % len(content)))
        return status, headers, content

    async def _answer(self, route: Route | None, request: Request, receive: Receive) -> Answer:
        """The answer, whatever happens."""
        try:
            if route is None:
                return _unanswered(request, HTTPStatus.NOT_FOUND)
            if request.method in route.methods:
                return await route.endpoint(request, receive)
            if request.method == "OPTIONS" and self._sharing:
                return Answer(HTTPStatus.NO_CONTENT, b"", self._sharing.preflight(request.origin, route.methods))
            allowed = (b"allow", ", ".join(route.methods).encode())
            return _unanswered(request, HTTPStatus.METHOD_NOT_ALLOWED)._replace(headers=(JSON, allowed))
        except LeftError:
            raise
        except Exception as error:
            return _failed(error, request.path)

    async def _compute(self, request: Request, receive: Receive) -> Answer:
        await self._read(request, receive, messages.MAX_BODY_BYTES)
        if len(request.body) + len(request.query) <= INLINE_BYTES:
            return self._answered(request)
        # Thousands of rows: in a thread, so that health checks and small requests do not queue behind them.
        return await asyncio.get_running_loop().run_in_executor(self._large, self._answered, request)

    def _answered(self, request: Request) -> Answer:
        answer = self._computed[request.path](request)
        content = ENCODER.encode(answer)
        # JSON has no such numbers, so that they would be null, as if there were no answer. Few answers have one at all.
        if b"null" in content and not _is_finite(answer):
            raise SeldonMicroserviceException(
                "the model answered a number that is not finite",
                status_code=HTTPStatus.INTERNAL_SERVER_ERROR,
                reason="MICROSERVICE_INTERNAL_ERROR",
            )
        return Answer(OK, content)

    async def _take_feedback(self, request: Request, receive: Receive) -> Answer:
        await self._read(request, receive, feedback.MAX_BYTES)

        def taken() -> Answer:
            told = feedback.from_json(forms.message(request.body, request.content_type, request.query))
            answer = feedback.to_json(feedback.take(self._model, told, self._metrics))
            return Answer(HTTPStatus.OK, msgspec.json.encode(answer))

        # In a thread, and one at a time: protobuf's JSON is slow, and what the class does with it may be.
        return await asyncio.get_running_loop().run_in_executor(self._feedback, taken)

    async def _status(self, request: Request, receive: Receive) -> Answer:
        # Without the class's metrics, which seldon-core adds here: one that is bad would make the model look ill.
        told = unless_missing(getattr(self._model, "health_status_raw", None), None)
        if told is None:
            told = construct_response_json(self._model, False, {}, client_health_status(self._model))
        return Answer(HTTPStatus.OK, ENCODER.encode(told))

    async def _describe(self, request: Request, receive: Receive) -> Answer:
        return self._metadata

    def _open_routes(self, name: str, metadata: Mapping[str, Any]) -> dict[str, Route]:
        """Where a unit is asked for its health, and for what it is, in the Open Inference Protocol."""
        look, described = ("GET", "HEAD"), msgspec.json.encode(units.describe(name, metadata))

        async def describe(request: Request, receive: Receive) -> Answer:
            return Answer(HTTPStatus.OK, described)

        own = f"{units.OPEN}models/{name}"
        return {
            **{path: Route(look, self._ping) for path in (*units.HEALTH_PATHS, f"{own}/ready")},
            own: Route(look, describe),
        }

    async def _ping(self, request: Request, receive: Receive) -> Answer:
        return Answer(HTTPStatus.OK, b"pong", (TEXT,))

    async def _read(self, request: Request, receive: Receive, most: int) -> None:
        """Read the request's body, which is refused as soon as it is known to be too large."""
        if request.packing not in {"", "identity"}:
            message = f"the body is packed ({request.packing}): send it as it is"
            raise BadRequest(message, status_code=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        chunks: list[bytes] = []
        size, more = request.length, True
        while size <= most and more:
            received = await receive()
            if received["type"] == "http.disconnect":
                raise LeftError
            chunk = received.get("body", b"")
            more = received.get("more_body", False)
            if not (more or chunks):
                request.body = chunk
                return
            chunks.append(chunk)
            request.held += len(chunk)
            self._held += len(chunk)
            if self._held > MAX_HELD_BYTES:
                raise BadRequest("too many large requests are being sent: come again", HTTPStatus.SERVICE_UNAVAILABLE)
            size = max(size, request.held)
        if size > most:
            raise BadRequest(f"the body is larger than {most} bytes", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        request.body = b"".join(chunks)


def described(model: Any) -> dict[str, Any]:
    """What a class says of itself, as Seldon answers it at `/metadata`.

    Raises:
        ModelError: Seldon does not know what it says.
    """
    metadata: dict[str, Any] | None = seldon_methods.init_metadata(model)
    if metadata is None:
        raise ModelError("the model's metadata is not valid: see the log above")
    return metadata


def _failed(error: Exception, path: str) -> Answer:
    """An error as an answer; must be called where it is handled."""
    if isinstance(error, SeldonMicroserviceException):
        status, body = error.status_code, error.to_dict()
        message = error.message
    else:
        logger.exception("the model failed")
        # The caller gets no inside of the server.
        message = f"the model failed: {type(error).__name__}; see the server's log"
        status, body = HTTPStatus.INTERNAL_SERVER_ERROR, status_body(message, "MICROSERVICE_INTERNAL_ERROR")
    return Answer(status, msgspec.json.encode({"error": message} if path.startswith(units.OPEN) else body))


def outcome_of(status: int) -> Outcome:
    """What a status says of its request."""
    if status < BAD_REQUEST:
        return "answered"
    return "refused" if status < FAILED else "failed"


def _unanswered(request: Request, status: HTTPStatus) -> Answer:
    message = f"{request.method} {request.path:.200}: {status.phrase}"
    return Answer(status, msgspec.json.encode(status_body(message, "MICROSERVICE_BAD_DATA")))
