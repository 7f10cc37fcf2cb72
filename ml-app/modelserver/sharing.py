"""Which pages' scripts may read the server's answers: CORS, https://fetch.spec.whatwg.org/#http-cors-protocol."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from modelserver.http import Headers


class Sharing:
    """What a browser is told.

    Args:
        origins: of pages whose scripts may read the answers: `https://app.example.com`, or `*` for those of all; of
            none, browsers are told nothing.
    """

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = origins

    def __bool__(self) -> bool:
        return bool(self._origins)

    def headers(self, origin: str) -> Headers:
        """What tells a browser whether a page's script may read the answer."""
        if "*" in self._origins:
            return ((b"access-control-allow-origin", b"*"),)
        vary = (b"vary", b"origin")
        return (
            ((b"access-control-allow-origin", origin.encode("latin-1")), vary) if origin in self._origins else (vary,)
        )

    def preflight(self, origin: str, methods: Sequence[str]) -> Headers:
        """What tells a browser whether a page's script may ask."""
        if origin not in self._origins and "*" not in self._origins:
            return ()
        return (
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", b"content-type"),
            (b"access-control-max-age", b"600"),
        )
