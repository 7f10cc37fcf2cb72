"""How the server writes to a connection."""

from __future__ import annotations

import asyncio
from typing import Any


class Together:
    """A transport that sends what is written in one turn of the event loop as one piece.

    uvicorn writes the head of an answer, then its body: two calls of the system, and two packets.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send this with what is written until the loop's next turn."""
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def write_whole(self, data: bytes) -> None:
        """Send this, to which nothing will be added, at once."""
        if self._written:
            self._written.append(data)
        else:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Send all, and close."""
        self._send()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """All else is the transport's."""
        return getattr(self._transport, name)

    def _send(self) -> None:
        data = b"".join(self._written)
        self._written.clear()
        if data and not self._transport.is_closing():
            self._transport.write(data)
