"""How the server reads HTTP/1.1 from a connection."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Literal

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from modelserver.errors import status_body

logger = logging.getLogger(__name__)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which answers every request in HTTP/1.1, whatever else a client offers to speak.

    A client that offers h2c, websocket or TLS (Java's does by default) has to be answered as if it had not (RFC 9110,
    7.8). httptools takes such an offer as accepted: it skips the body, and then takes it for the next request, which
    is how requests are smuggled in (https://github.com/MagicStack/httptools/issues/124,
    https://github.com/Kludex/uvicorn/issues/2722). h11 does not, but costs a third of the requests per second.
    So a request with an offer is read again without it, by a new parser, as uvicorn does for a websocket.
    """

    _part: Literal["", "head", "body"] = ""
    """The part of a request that is still coming; "" between two requests."""

    _deaf = False
    """Whether what still comes is not read: something before it was no HTTP."""

    def data_received(self, data: bytes) -> None:
        """Read what has come; what is no HTTP is refused, and the connection closed."""
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        rest = memoryview(data)
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as offer:
                    rest = rest[offer.args[0] :]
                    self._read_head_without_offer()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"the request is no HTTP/1.1: {error}")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._part = "head"
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is to be read again."""
        if not self.parser.should_upgrade():
            self._part = "body"
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is there as a whole, unless its head is to be read again."""
        if not self.parser.should_upgrade():
            self._part = ""
            super().on_message_complete()

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
        self._deaf = True
        if self._part == "body":
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
