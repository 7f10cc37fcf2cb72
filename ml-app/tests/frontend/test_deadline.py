"""However slowly or endlessly a server answers, it is asked no longer than was said, and keeps no more than fits."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from frontend import exchange
from frontend.exchange import AskError, ask
from frontend.listed import Listed

Drip = Callable[[bytes, Iterator[bytes]], Listed]
SECONDS = 0.6


@pytest.fixture
def drip() -> Iterator[Drip]:
    """Serves a first part at once, and each further one a tenth of a second later."""
    sockets: list[socket.socket] = []

    def start(first: bytes, rest: Iterator[bytes]) -> Listed:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def answer() -> None:
            try:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(first)
                    for part in rest:
                        time.sleep(0.1)
                        connection.sendall(part)
            except OSError:
                return  # it has been hung up

        threading.Thread(target=answer, daemon=True).start()
        return Listed("slow", "v2", f"http://127.0.0.1:{listening.getsockname()[1]}", "slow")

    yield start
    for one in sockets:
        one.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (HEAD + b"Content-Length: 1000\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        (HEAD, b"X-Slow: y\r\n"),
        (b"HTTP/1.1 2", b"0"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "trailer", "headers", "status", "continue"],
)
def test_server_that_drips_is_late(drip: Drip, first: bytes, part: bytes) -> None:
    model = drip(first, itertools.repeat(part, 60))
    began = time.monotonic()
    with pytest.raises(AskError, match=r"slow has not answered within 0\.6 seconds"):
        ask(model, "/x", seconds=SECONDS)
    assert SECONDS - 0.1 < time.monotonic() - began < SECONDS + 0.5


def test_server_that_is_slow_within_the_time_is_heard(drip: Drip) -> None:
    model = drip(HEAD + b"Content-Length: 3\r\n\r\n", iter([b"[", b"1", b"]"]))
    assert ask(model, "/x", seconds=2) == [1]


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
        HEAD + b"Content-Length: 99999999\r\n\r\n",
    ],
    ids=["until the end", "negative chunk", "large chunk", "long"],
)
def test_endless_answer_is_not_kept(drip: Drip, head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGEST_ANSWER", 100_000)
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 50_000
            yield b" " * 50_000

    with pytest.raises(AskError, match="slow answers more than is taken"):
        ask(drip(head, parts()), "/x", seconds=5)
    assert sent < 1_000_000
