"""What a request over REST must be before MLServer reads it: of a size and a time that are bounded, and of this use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi.responses import JSONResponse
from uvicorn.protocols.http.auto import AutoHTTPProtocol

LARGEST_BODY = 1024 * 1024
IDLE_SECONDS = 620
HEAD_SECONDS = 20
BODY_SECONDS = 20
REQUESTS = 500
"""Predictions under way at a time. Probes are answered beyond it."""
CONNECTIONS = 5000
"""Above it uvicorn answers 503 to whatever comes, probes too: it counts connections before it looks at a request."""

SHOWN = 5
SHOWN_CHARACTERS = 200

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Connection(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """A connection of uvicorn's that is closed when the head of a request does not come in time."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a request's head, if that is what comes."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep nothing of it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


SETTINGS: dict[str, Any] = {"http": Connection, "timeout_keep_alive": IDLE_SECONDS, "limit_concurrency": CONNECTIONS}
"""Of uvicorn, for which MLServer has no variable."""


class Bounded:
    """An ASGI application in front of MLServer's: refuses what that would read without an end, or obey."""

    leaving = False
    """Whether clients are asked to close their connections: on one that the server closes a request may be."""

    @classmethod
    def leave(cls) -> None:
        """Ask for that from now on."""
        cls.leaving = True

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        self._under_way = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on with its body read."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if self.leaving:
            send = _with_farewell(send)
        if refusal := _refusal(scope):
            return await _refuse(send, *refusal)
        if scope["method"] != "POST":
            return await self._app(scope, receive, send)
        if self._under_way >= REQUESTS:
            return await _refuse(send, 503, f"{REQUESTS} requests are under way: ask again", (b"retry-after", b"1"))
        self._under_way += 1
        try:
            return await self._answer(scope, receive, send)
        finally:
            self._under_way -= 1

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            body = await asyncio.wait_for(_read(receive), BODY_SECONDS)
        except asyncio.TimeoutError:  # noqa: UP041 Python 3.10 has two of that name
            reason = f"the body did not come in {BODY_SECONDS} seconds"
            return await _refuse(send, 408, reason, (b"connection", b"close"))
        if body is None:
            return None
        if len(body) > LARGEST_BODY:
            reason = f"the body has more than {LARGEST_BODY} bytes: send fewer rows"
            return await _refuse(send, 413, reason, (b"connection", b"close"))
        parts = iter([{"type": "http.request", "body": body}])

        async def again() -> Message:
            return next(parts, None) or await receive()

        return await self._app(scope, again, send)


def _with_farewell(send: Send) -> Send:
    async def send_farewell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [header for header in message.get("headers", []) if header[0].lower() != b"connection"]
            message = {**message, "headers": [*headers, (b"connection", b"close")]}
        await send(message)

    return send_farewell


async def _read(receive: Receive) -> bytes | None:
    """A body, or as much of it as shows that it is too large; None where the client has gone."""
    body, more = b"", True
    while more and len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _refusal(scope: Message) -> tuple[int, str] | None:
    """Why a request is refused before its body is read: status and reason; None if it is not."""
    if scope["path"].startswith("/v2/repository"):
        return 404, "models are loaded and unloaded by the platform alone"
    if not scope["path"].startswith("/v2"):
        # MLflow's runtime adds ways to the model that are not looked at here.
        return 404, "this server speaks the Open Inference Protocol, below /v2"
    if scope["method"] != "POST":
        return None
    if scope["path"].endswith(("/infer_stream", "/generate_stream")):
        return 404, "answers do not come as a stream: ask /infer"
    return _unreadable(dict(scope["headers"]))


def _unreadable(headers: dict[bytes, bytes]) -> tuple[int, str] | None:
    """Why a body of these headers is not read."""
    if headers.get(b"content-encoding", b"identity") != b"identity":
        return 415, "send the body unpacked, without Content-Encoding"
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        return 415, "send JSON, with Content-Type: application/json"
    return None


async def tell_what_is_no_message(_: Any, error: Any) -> JSONResponse:
    """In place of FastAPI's answer, which repeats what was sent: once for each thing that is wrong with it."""
    wrong = error.errors()
    told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}"[:SHOWN_CHARACTERS] for one in wrong[:SHOWN]]
    more = [f"{len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return JSONResponse({"error": "; ".join(told + more)}, 422)


async def _refuse(send: Send, status: int, reason: str, *more: tuple[bytes, bytes]) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
