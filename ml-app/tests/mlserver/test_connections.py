"""Slow and silent clients: they shut nobody out, and are let go of."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import Any

import pytest
import uvicorn

from standard_server import Server
from standardserver import over_rest
from test_requests import ROW, tensor

HEAD = b"POST /v2/models/wine/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def test_the_server_is_ready_with_more_slow_connections_than_predictions_under_way(servers: dict[str, Server]) -> None:
    server = servers["sklearn"]
    with ExitStack() as open_ones:
        for _ in range(over_rest.REQUESTS):
            slow = open_ones.enter_context(socket.create_connection(("127.0.0.1", int(server.port))))
            slow.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        silent = [open_ones.enter_context(socket.create_connection(slow.getpeername())) for _ in range(100)]
        assert len(silent) == 100
        assert server.ask("/v2/models/wine/ready").status == 200
        assert server.ask("/v2/health/live").status == 200
        assert server.infer(tensor(ROW)).status == 503
    while server.infer(tensor(ROW)).status == 503:  # until it has seen them go
        pass


@pytest.mark.parametrize(
    ("sent", "answered"),
    [(b"", b""), (HEAD, b""), (HEAD + b"Content-Length: 9\r\n\r\n{", b"HTTP/1.1 408 ")],
    ids=["silent", "a slow head", "a slow body"],
)
def test_a_connection_is_closed_when_a_request_does_not_come(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, answered: bytes
) -> None:
    monkeypatch.setattr(over_rest, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(over_rest, "BODY_SECONDS", 0.1)

    async def never(*_: Any) -> None:
        raise AssertionError("the request was handed on")

    async def ask() -> bytes:
        config = uvicorn.Config(over_rest.Bounded(never), lifespan="off", log_level="error", **over_rest.SETTINGS)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(sent)
            said = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            server.should_exit = True
            await serving
        return said

    assert asyncio.run(ask())[:13] == answered
