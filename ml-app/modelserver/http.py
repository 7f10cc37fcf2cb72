"""How the server reads HTTP/1.1 from a connection."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Literal, Protocol, cast

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from modelserver.errors import status_body
from modelserver.together import Together

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 620
"""How long a connection may be idle, unless the user says otherwise.

Whoever closes an idle connection may cross a request on its way, which is then lost; so it has to be the client's side
(https://github.com/kserve/kserve/issues/5446). Proxies and pools keep theirs for 60 (nginx, AWS), 90 (Go, and so
Seldon's executor) or, as the longest, 600 seconds (Google's load balancer).
"""

CONNECTION_SECONDS = 60
"""How long a connection is kept by a client that goes on asking: it is closed with the answer to its next request.

A Service chooses a pod when a connection is made. Without this, who keeps one would never ask the pods that are added,
nor a splitter that has come before them.
"""

MAX_CONNECTIONS = 500
"""Connections to a model at once, of the 1024 files that a process usually may open. For one more, the one that is idle
for the longest time is closed: without that, idle ones would shut all others out."""

AT_ONCE_BYTES = 32 * 1024
"""A body up to this size is waited for, and its request answered as soon as it is there, if it takes no time to."""

MAX_HEAD_BYTES = 64 * 1024
"""A request's line and headers, as in h11. Checked where a head comes in several pieces; one piece is not much more."""

MAX_PIPELINED = 16
"""Requests of a connection that wait behind the one that is being answered. Each takes up a hundred times the bytes it
came in, so that one that asks and reads no answers would fill the memory."""

REQUEST_SECONDS = 60
"""How long a request may take to come in, from its first byte to its last."""


Headers = Sequence[tuple[bytes, bytes]]


class Served(Protocol):
    """The ASGI application that a connection is made to, and what is said to it beside requests."""

    most_connections: int

    @property
    def at_once_urls(self) -> Collection[bytes]:
        """What is answered at once, where that takes no time."""

    def at_once(self, url: bytes, headers: Headers, body: bytes) -> tuple[int, Headers, bytes] | None:
        """The answer to a POST to one of `at_once_urls`, if it takes less time than a task for it would."""

    def refused(self, status: HTTPStatus) -> None:
        """A request was refused before the application had a say."""


class _TooManyError(Exception):
    """More requests have come than may wait."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which answers every request in HTTP/1.1, whatever else a client offers to speak.

    A client that offers h2c, websocket or TLS (Java's does by default) has to be answered as if it had not (RFC 9110,
    7.8). httptools takes such an offer as accepted: it skips the body, and then takes it for the next request, which
    is how requests are smuggled in (https://github.com/MagicStack/httptools/issues/124,
    https://github.com/Kludex/uvicorn/issues/2722). h11 does not, but costs a third of the requests per second.
    So a request with an offer is read again without it, by a new parser, as uvicorn does for a websocket.

    What clients can take up is bounded: how many they are, the requests that wait on each, the size of a head, the time
    for a request to come in.
    """

    _part: Literal["", "head", "body"] = ""
    """The part of a request that is still coming; "" between two requests."""

    _deaf = False
    """Whether what still comes is not read: something before it was no HTTP."""

    _frame_bytes = 0
    """Size of the pieces of the request that is coming that have only head, lengths of chunks, or trailer."""

    _has_more = False
    """Whether the present piece has more than that: a body, or the beginning of a request."""

    _deadline: asyncio.TimerHandle | None = None
    """When the request that is coming has to be there."""

    _body: bytearray | None = None
    """What has come of the body of a request that may be answered at once; None for any other request."""

    _defaults: Sequence[tuple[bytes, bytes]] = ()
    """The headers of all answers as `_default_lines` has them; they change each second."""

    _default_lines = b""

    _asked: Headers = ()
    """The headers of the request that is coming, without trailers."""

    _at_once = 0
    """Requests of the present piece that are answered at once."""

    _unsent = 0
    """Bytes that the client had not taken when it was last looked at."""

    _ended = False
    """Whether the client has said that it sends no more; it may still wait for answers."""

    _made_at = 0.0
    """When the connection was made."""

    _waits_since = 0.0
    """When the connection was made, or the last answer given. The loop's clock stands still in a burst."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection in, in place of another if there are too many."""
        self._served: Served = self.config.app  # type: ignore[assignment]
        most = self._served.most_connections
        full = len(self.connections) >= most and self._make_room() is None
        super().connection_made(cast(asyncio.Transport, Together(transport, self.loop)))
        self._made_at = self._waits_since = time.monotonic()
        self._wait()
        if full:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"{most} other requests are being answered")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._forget_deadline()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more. Returns whether it is owed answers, for which the connection stays."""
        self._ended = not self._is_idle
        if not self._ended:
            self.transport.close()
        return self._ended

    def data_received(self, data: bytes) -> None:
        """Read what has come; what is no HTTP, or too much of it, is refused, and the connection closed."""
        if self._deaf:
            return
        self._has_more = False
        self._at_once = 0
        rest = memoryview(data)
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                    break
                except httptools.HttpParserUpgrade as offer:
                    rest = rest[offer.args[0] :]
                    self._read_head_without_offer()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self.transport.is_closing():
                return
            if isinstance(error.__context__, _TooManyError):
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"more than {MAX_PIPELINED} requests wait for an answer")
            else:
                self._refuse(HTTPStatus.BAD_REQUEST, f"the request is no HTTP/1.1: {error}")
            return
        if self._part:
            self._bound(len(data))

    def on_message_begin(self) -> None:
        """A request begins; the parser reads no further if it is one too many, or comes after the last answer."""
        if len(self.pipeline) >= MAX_PIPELINED or self.transport.is_closing():
            raise _TooManyError
        self._part, self._frame_bytes, self._has_more = "head", 0, True
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Begin to answer, or wait for the body that may be answered at once; unless the head is to be read again."""
        if self.parser.should_upgrade():
            return
        self._part = "body"
        # What comes now are trailers, after a body in chunks; they say nothing that is asked for here.
        self._asked, self.headers = self.headers, []
        if (
            self.url in self._served.at_once_urls
            and self.parser.get_method() == b"POST"
            and not (self.expect_100_continue or self.pipeline)
            and (self.cycle is None or self.cycle.response_complete)
            # What comes in one piece is answered in one turn of the event loop, for which all others wait; and whoever
            # does not take answers gets no more of them.
            and self._at_once < MAX_PIPELINED
            and not self.flow.write_paused
        ):
            self._at_once += 1
            self._body = bytearray()
        else:
            self._hand_over(b"")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._has_more = True
        if self._body is None:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > AT_ONCE_BYTES:
            self._hand_over(self._body)

    def on_message_complete(self) -> None:
        """The request is there as a whole, unless its head is to be read again."""
        if self.parser.should_upgrade():
            return
        self._part = ""
        self._forget_deadline()
        if self._body is None or not self._answer_at_once(self._body):
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The client has its answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._waits_since = time.monotonic()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._ended and self._is_idle:
            self.transport.close()

    def shutdown(self) -> None:
        """Close the connection, or do so after the answer to what is coming."""
        if self._body is not None:
            self._hand_over(self._body)
        super().shutdown()

    def _answer_at_once(self, body: bytearray) -> bool:
        """Answer, or hand the request over. Returns whether it is answered.

        A task for it, and what it takes to receive and send in one, costs as much as a prediction of one row.
        """
        answer = self._served.at_once(self.url, self._asked, bytes(body))
        if answer is None:
            self._hand_over(body)
            return False
        self._body = None
        status, headers, content = answer
        stays = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0" and not self._is_old
        if self._defaults is not self.server_state.default_headers:
            self._defaults = self.server_state.default_headers
            self._default_lines = _lines(self._defaults)
        end = b"\r\n" if stays else b"connection: close\r\n\r\n"
        whole = b"".join((STATUS_LINE[status], self._default_lines, _lines(headers), end, content))
        self.transport.write_whole(whole)  # type: ignore[attr-defined]
        if not stays:
            self.transport.close()
        self.on_response_complete()
        return True

    def _hand_over(self, body: bytes | bytearray) -> None:
        """Have the application read a request, in a task, of which this has come."""
        # Of one that has waited it is a trailer that asks for this.
        expects = self.expect_100_continue and self._body is None
        url, self._body = self.url, None
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        # Taken for the client's wish, it closes the connection after the answer, which says so.
        self.scope["headers"] = [*self._asked, (b"connection", b"close")] if self._is_old else self._asked
        super().on_headers_complete()
        if body:
            super().on_body(bytes(body))

    @property
    def _is_old(self) -> bool:
        """Whether the connection has been kept for long enough."""
        return time.monotonic() - self._made_at > CONNECTION_SECONDS

    @property
    def _is_idle(self) -> bool:
        """Whether nothing is to be done here before the client sends more."""
        return not self.pipeline and (self.cycle is None or self.cycle.response_complete or self.cycle.more_body)

    def _wait(self, seconds: float | None = None) -> None:
        """Look after a while whether the connection has been idle all the time."""
        wait = self.timeout_keep_alive if seconds is None else seconds
        self.timeout_keep_alive_task = self.loop.call_later(wait, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has been idle for too long.

        One timer that is set anew when it has run out: to stop and set one for each request costs 4 microseconds.
        """
        unsent, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        if self._unsent and self._unsent == unsent:
            # It has taken nothing since; an orderly close would wait for it.
            self.transport.abort()
            return
        is_idle = self._is_idle and not self._part
        left = self._waits_since + self.timeout_keep_alive - time.monotonic() if is_idle else self.timeout_keep_alive
        if left > 0:
            self._wait(left)
        else:
            self.transport.close()

    def _make_room(self) -> Connection | None:
        """Close the connection that has been idle for the longest time, and return it; None if there is none."""
        others = (one for one in self.connections if isinstance(one, Connection))
        # One that takes no answers is as good as idle.
        idle = [one for one in others if (one._is_idle and not one.transport.is_closing()) or one.flow.write_paused]
        longest = min(idle, key=lambda one: one._waits_since, default=None)
        if longest is not None:
            if longest.flow.write_paused:
                longest.transport.abort()
            else:
                longest.transport.close()
        return longest

    def _bound(self, size: int) -> None:
        """See that a request, of which a piece of this size has come, is there in time, and its head not too large."""
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._be_late)
        if not self._has_more:
            self._frame_bytes += size
            if self._frame_bytes > MAX_HEAD_BYTES:
                reason = f"the head of the request is larger than {MAX_HEAD_BYTES} bytes"
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, reason)

    def _be_late(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            # It is the server that lets the client wait.
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._be_late)
        elif not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the request has not come in within {REQUEST_SECONDS} seconds")

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _read_head_without_offer(self) -> None:
        """Read the head of the present request again, by a new parser and without what it offers.

        Raises:
            HttpParserUpgrade: it is a CONNECT, which is no offer but all that the request wants.
        """
        head = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token for token in value.split(b",") if token.strip().lower() != b"upgrade"]
                head.append(b"connection: " + b",".join(tokens))
            elif name != b"upgrade":
                head.append(b"%b: %b" % (name, value))
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join([*head, b"", b""]))

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer with the reason and close; requests that came before, as a whole, are answered first."""
        logger.warning("%s", reason)
        self._served.refused(status)
        self._deaf = True
        if self._body is not None:
            # Nobody else knows of it.
            self._body = None
        elif self._part == "body":
            if self.pipeline or self.cycle.response_started:
                # An answer now would be taken for that to another request, or for a part of it.
                self.transport.close()
                return
            # The application gets no say: it may be about to answer what it has not read.
            self.cycle.disconnected = True
        elif self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            return
        content = msgspec.json.encode(status_body(reason, "MICROSERVICE_BAD_DATA"))
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()


def _lines(headers: Headers) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])
