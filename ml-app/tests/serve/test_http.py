"""One request, one answer: what is a request's body is never a request of its own, whatever its head says."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest

from model_process import HERE, ModelProcess, Rows

LAST = b"GET /health/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
"""After it the server closes the connection, so that all answers before are known to be there."""
PONG = (200, b"pong")
HIDDEN = b"GET /metadata HTTP/1.1\r\nHost: a\r\n\r\n"
"""A body that would be a request, if it stood elsewhere."""
OFFERS = {
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n",
    "websocket": "Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Key: AA==\r\n",
    "TLS/1.2": "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
    "several": "Connection: foo\r\nConnection: UPGRADE\r\nUPGRADE: h2c, websocket\r\nUpgrade: IRC/6.9\r\n",
}
OFFER = pytest.mark.parametrize("offer", [*OFFERS.values(), ""], ids=[*OFFERS, "none"])


def converse(server: ModelProcess, *pieces: bytes) -> list[tuple[int, bytes]]:
    """Send pieces, each by itself, and return status and body of each answer until the server closes."""
    received = b""
    with socket.create_connection((HERE, int(server.rest)), timeout=10) as client:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.05 if len(pieces) > 1 else 0)
        while data := client.recv(65536):
            received += data
    answers = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status, length = re.match(rb"HTTP/1.1 (\d+)", head), re.search(rb"content-length: (\d+)", head)
        assert status, received
        size = int(length[1]) if length else 0
        answers.append((int(status[1]), rest[:size]))
        received = rest[size:]
    return answers


def post(body: bytes, headers: str = "", version: str = "1.1", chunked: bool = False) -> bytes:
    """A request to predict."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    if chunked:
        middle = len(body) // 2
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:middle], body[middle:], b""))
    return f"POST /predict HTTP/{version}\r\nHost: a\r\n{headers}{framing}\r\n\r\n".encode() + body


@pytest.fixture
def message(row: Rows) -> bytes:
    """A message with one row."""
    return json.dumps({"data": {"ndarray": row.tolist()}}).encode()


def prices(answer: tuple[int, bytes]) -> list[float]:
    assert answer[0] == 200, answer
    found: list[float] = json.loads(answer[1])["data"]["ndarray"]
    return found


@OFFER
@pytest.mark.parametrize("chunked", [False, True], ids=["by its length", "in chunks"])
def test_offer_is_ignored(server: ModelProcess, row: Rows, message: bytes, offer: str, chunked: bool) -> None:
    expected, log = server.prices(row), server.log
    request = post(message, offer, chunked=chunked)
    head, body = request[: request.index(b"\r\n\r\n") + 4], request[request.index(b"\r\n\r\n") + 4 :]
    for pieces in ([request + LAST], [head, body, LAST], [head[:50], head[50:] + body[:9], body[9:] + LAST]):
        answer, *rest = converse(server, *pieces)
        assert (prices(answer), rest) == (expected, [PONG])
    # As often as one likes, on one connection and at once.
    *answers, last = converse(server, request * 5 + LAST)
    assert ([prices(answer) for answer in answers], last) == ([expected] * 5, PONG)
    assert server.log == log


@OFFER
@pytest.mark.parametrize("chunked", [False, True], ids=["by its length", "in chunks"])
@pytest.mark.parametrize("hidden", [HIDDEN, post(b'{"data":{"ndarray":[[1]]}}')], ids=["GET", "POST"])
def test_body_is_no_request(server: ModelProcess, offer: str, chunked: bool, hidden: bytes) -> None:
    request = post(hidden, offer, chunked=chunked)
    end = request.index(b"\r\n\r\n") + 4
    for pieces in ([request + LAST], [request[:end], request[end:], LAST]):
        answer, *rest = converse(server, *pieces)
        assert answer[0] == 400
        assert b"the body is not JSON" in answer[1]
        assert rest == [PONG]


@OFFER
def test_offer_without_a_body(server: ModelProcess, offer: str) -> None:
    request = f"GET /health/ping HTTP/1.1\r\nHost: a\r\n{offer}\r\n".encode()
    assert converse(server, request + request + LAST) == [PONG] * 3


@OFFER
@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4, 4",
        "Content-Length: +4",
        "Content-Length: -4",
        "Content-Length: 0x4",
        "Content-Length : 4",
        "Content-Length: 4 4",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        " Content-Length: 4",
        "X: a\r\n Content-Length: 4",
        "Content-Length: 4\rX: a",
        "Content-Length: 4\nX: \0",
    ],
)
def test_length_that_may_be_read_in_two_ways(server: ModelProcess, offer: str, framing: str) -> None:
    head = f"POST /predict HTTP/1.1\r\nHost: a\r\n{offer}{framing}\r\n\r\n".encode()
    ((status, reason),) = converse(server, head + b"0\r\n\r\n" + HIDDEN + LAST)
    assert status == 400
    assert json.loads(reason)["status"]["info"].startswith("the request is no HTTP/1.1: ")


HEAD = b"POST /predict HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
OLD = HEAD.replace(b"1.1", b"1.0")
RAW = {
    "bare line feeds": b"POST /predict HTTP/1.1\nHost: a\nContent-Length: 4\n\nGET ",
    "a name with a space": HEAD + b"Content Length: 4\r\n\r\nGET ",
    "no colon": HEAD + b"Content-Length 4\r\n\r\n",
    "an empty name": HEAD + b": 4\r\n\r\n",
    "a NUL in a name": HEAD + b"Content-\0Length: 4\r\n\r\n",
    "version 2.0": b"POST /predict HTTP/2.0\r\nHost: a\r\n\r\n",
    "version 1.2": b"POST /predict HTTP/1.2\r\nHost: a\r\n\r\n",
    "no version": b"POST /predict\r\n\r\n",
    "two spaces": b"POST  /predict HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the address": b"POST /pre dict HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": b"PREDICT /predict HTTP/1.1\r\nHost: a\r\n\r\n",
    "h2 with prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32) + b"\r\n\r\n",
    "a length after the chunks' end": (CHUNKED + b"0\r\nContent-Length: 4\r\n\r\nXYZ \r\n\r\n"),
    "chunks without an end": CHUNKED + b"5\r\nGET /\r\nGET ",
    "a chunk's size with a sign": CHUNKED + b"+5\r\nGET /\r\n0\r\n\r\n",
    "a chunk's size in 0x": CHUNKED + b"0x5\r\nGET /\r\n0\r\n\r\n",
    "a bare CR after a size": CHUNKED + b"5\rGET /\r\n0\r\n\r\n",
    "a bare LF in an extension": (CHUNKED + b"5;a\nGET /\r\n0\r\n\r\n"),
    "chunked with a tab before it": HEAD + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked under 1.0": OLD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
"""Each is one request at most, whatever its end may look like."""


@pytest.mark.parametrize("case", RAW)
def test_nothing_of_a_request_is_another(server: ModelProcess, case: str) -> None:
    # The body or rest goes on as the request for the metadata, which must never be answered.
    hidden = b"/metadata HTTP/1.1\r\nHost: a\r\n\r\n"
    for pieces in ([RAW[case] + hidden + LAST], [RAW[case], hidden, LAST]):
        try:
            answers = converse(server, *pieces)
        except ConnectionError:
            continue
        assert [status for status, _ in answers if status == 200] == [], answers
        assert len(answers) <= 2, answers
    assert converse(server, LAST) == [PONG]


@OFFER
@pytest.mark.parametrize("chunk", ["g\r\n", "-1\r\n", "1\r\nab\r\n", "ffffffffffffffffff\r\n", "1 \r\na\r\n", "1\na\n"])
def test_chunk_that_is_none(server: ModelProcess, offer: str, chunk: str) -> None:
    for path in ("/predict", "/health/ping"):
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\n{offer}Transfer-Encoding: chunked\r\n\r\n"
        ((status, _),) = converse(server, head.encode() + chunk.encode() + b"0\r\n\r\n" + LAST)
        assert status == 400


def test_what_came_before_is_answered(server: ModelProcess, row: Rows, message: bytes) -> None:
    expected = server.prices(row)
    for pieces in ([post(message) * 3 + b"no HTTP\r\n\r\n"], [post(message)] * 3 + [b"no HTTP\r\n\r\n" + LAST]):
        *answers, (status, _) = converse(server, *pieces)
        assert ([prices(answer) for answer in answers], status) == ([expected] * 3, 400)


def test_answers_come_in_the_order_of_their_requests(server: ModelProcess, rows: Rows) -> None:
    """Those that are answered at once, in a task, and in a thread."""
    one, many = (json.dumps({"data": {"ndarray": rows[:count].tolist()}}).encode() for count in (1, 800))
    ping = b"GET /health/ping HTTP/1.1\r\nHost: a\r\n\r\n"
    answers = converse(server, post(many) + post(one) + ping + post(one) + post(many) + post(one) + LAST)
    counts = [len(prices(answer)) if answer != PONG else 0 for answer in answers]
    assert counts == [800, 1, 0, 1, 800, 1, 0]


@OFFER
def test_expectation_is_met(server: ModelProcess, row: Rows, message: bytes, offer: str) -> None:
    request = post(message, f"{offer}Expect: 100-continue\r\n")
    end = request.index(b"\r\n\r\n") + 4
    go_on, answer, last = converse(server, request[:end], request[end:], LAST)
    assert (go_on, prices(answer), last) == ((100, b""), server.prices(row), PONG)


@OFFER
def test_http_1_0(server: ModelProcess, row: Rows, message: bytes, offer: str) -> None:
    for headers in (offer, f"{offer}Connection: keep-alive\r\n"):
        (answer,) = converse(server, post(message, headers, version="1.0") + LAST)
        assert prices(answer) == server.prices(row)


@pytest.mark.parametrize("target", ["/predict", "a:80", "http://a/"])
def test_tunnel_is_refused(server: ModelProcess, target: str) -> None:
    ((status, _),) = converse(server, f"CONNECT {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode() + HIDDEN + LAST)
    assert status == 400
