"""What many, slow and large clients do to the others, and to the memory."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import HOUSE_PRICE
from model_process import HERE, ModelProcess, Rows
from modelserver.messages import MAX_BODY_BYTES
from modelserver.rest import MAX_HELD_BYTES

Start = Callable[..., ModelProcess]
SECONDS = 6
WAITING = 200
LARGE = 8
MEBIBYTE = 1 << 20


def peak_bytes(server: ModelProcess) -> int:
    """The most memory that the process has ever had."""
    (line,) = (line for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def large_bodies(rows: Rows) -> list[bytes]:
    """Bodies of the allowed size: numbers, short texts and a longer one, names, lists in lists, and no JSON."""
    numbers = b'{"data":{"ndarray":[' + b",".join([json.dumps(rows[0].tolist()).encode()] * 16000) + b"]}}"
    texts = json.dumps({"data": {"ndarray": [["x" * 20], *[["a"]] * 150_000]}}).encode()
    names = json.dumps({"data": {"names": ["n"] * 150_000, "ndarray": [[1]]}}).encode()
    nested = b'{"data":{"ndarray":' + b"[[1]," * 100_000 + b"[1]" + b"]" * 100_000 + b"}}"
    return [body[:MAX_BODY_BYTES] for body in (numbers, texts, names, nested, b"[" * MAX_BODY_BYTES)]


@pytest.fixture
def alone(start: Start, model_dir: Path) -> ModelProcess:
    """A server that no other test has filled."""
    server = start(HOUSE_PRICE, model_dir=str(model_dir))
    server.wait_until_ready()
    return server


@pytest.fixture
def waiting(alone: ModelProcess) -> Iterator[list[socket.socket]]:
    """Connections that say nothing, or a part of a request."""
    begun = (
        b"",
        b"POST /predict HT",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"[" * 60_000,
    )
    clients = []
    for number in range(WAITING):
        client = socket.create_connection((HERE, int(alone.rest)), timeout=10)
        client.sendall(begun[number % len(begun)])
        clients.append(client)
    yield clients
    for client in clients:
        client.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_others_are_answered_and_memory_stays_bounded(
    alone: ModelProcess, waiting: list[socket.socket], rows: Rows
) -> None:
    until, statuses, slowest = time.monotonic() + SECONDS, set[int](), 0.0

    def send(body: bytes) -> None:
        while time.monotonic() < until:
            connection = http.client.HTTPConnection(HERE, int(alone.rest), timeout=60)
            connection.request("POST", "/predict", body)
            statuses.add(connection.getresponse().status)
            connection.close()

    bodies = large_bodies(rows)
    clients = [threading.Thread(target=send, args=(bodies[number % len(bodies)],)) for number in range(LARGE)]
    for client in clients:
        client.start()
    asked = 0
    while time.monotonic() < until:
        began = time.monotonic()
        connection = http.client.HTTPConnection(HERE, int(alone.rest), timeout=10)
        connection.request("GET", "/health/status")
        assert connection.getresponse().status == 200
        connection.close()
        slowest, asked = max(slowest, time.monotonic() - began), asked + 1
        time.sleep(0.02)
    for client in clients:
        client.join()
    assert asked > 10
    assert slowest < 1
    assert peak_bytes(alone) < 512 * MEBIBYTE
    assert statuses == {200, 400}
    assert len(alone.prices(rows[:1])) == 1


def test_bodies_on_their_way_are_bounded(alone: ModelProcess, rows: Rows) -> None:
    clients = []
    try:
        # Each holds back the last byte.
        refused = 0
        for _ in range(MAX_HELD_BYTES // MEBIBYTE + 20):
            client = socket.create_connection((HERE, int(alone.rest)), timeout=10)
            clients.append(client)
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % MEBIBYTE)
            client.sendall(b"[" * (MEBIBYTE - 1))
        for client in clients:
            client.settimeout(0.2)
            try:
                refused += client.recv(12) == b"HTTP/1.1 503"
            except TimeoutError:
                continue
        assert 10 < refused < 40
        assert len(alone.prices(rows[:1])) == 1
        assert peak_bytes(alone) < 512 * MEBIBYTE
    finally:
        for client in clients:
            client.close()
    deadline = time.monotonic() + 10
    while alone.post(large_bodies(rows)[0]).status_code == 503:
        assert time.monotonic() < deadline
