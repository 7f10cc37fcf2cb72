"""What clients can take up is bounded: idle connections by time and number, requests by time and size of their head."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable
from unittest.mock import Mock

import pytest
import requests
from uvicorn.server import ServerState

from model_process import HERE, ModelProcess, Rows
from modelserver import server as command
from modelserver.errors import ModelError
from modelserver.http import (
    CONNECTION_SECONDS,
    KEEP_ALIVE_SECONDS,
    MAX_CONNECTIONS,
    MAX_HEAD_BYTES,
    MAX_PIPELINED,
    REQUEST_SECONDS,
    Connection,
)

PING = b"GET /health/ping HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
Start = Callable[..., ModelProcess]


class Alone:
    """A connection of a server that is set up as in reality, with a clock and a client that the test plays.

    Args:
        state: of the server; connections with the same state are of the same server.
        most: how many of them there may be.
    """

    def __init__(self, state: ServerState, most: int = MAX_CONNECTIONS) -> None:
        self.loop, self.transport = Mock(), Mock()
        self.loop.create_task.side_effect = lambda answering: Mock(closed=answering.close())
        self.transport.get_extra_info.return_value = None
        self.transport.is_closing.return_value = False
        self.transport.get_write_buffer_size.return_value = 0
        self.served = Mock(most_connections=most, at_once_urls=(), at_once=Mock(return_value=None))
        config = command._config(self.served, command._keep_alive())
        self.connection = Connection(config, state, {}, self.loop)
        self.connection.connection_made(self.transport)

    def timers(self) -> dict[float, Callable[[], None]]:
        """What was to happen after how many seconds."""
        return {call.args[0]: call.args[1] for call in self.loop.call_later.call_args_list}

    @property
    def closed(self) -> bool:
        """Whether the server has closed it."""
        return self.transport.close.called  # type: ignore[no-any-return]

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and reason of the answer, the only one."""
        ((answer,),) = (call.args for call in self.transport.write.call_args_list)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"\r\nconnection: close" in head
        return int(head.split()[1]), json.loads(body)["status"]["info"]


def ping(client: socket.socket) -> None:
    """Ask something and get the answer."""
    client.sendall(PING)
    received = b""
    while not received.endswith(b"pong"):
        data = client.recv(65536)
        assert data, received
        received += data


def test_idle_connections_outlive_those_of_proxies(server: ModelProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEEP_ALIVE_SECONDS > 600
    now = 1000.0
    monkeypatch.setattr("modelserver.http.time.monotonic", lambda: now)
    alone = Alone(ServerState())
    assert list(alone.timers()) == [KEEP_ALIVE_SECONDS]
    now += 20
    alone.served.at_once_urls, alone.served.at_once.return_value = {b"/predict"}, (200, (), b"")
    alone.connection.data_received(b"POST /predict HTTP/1.1\r\nContent-Length: 1\r\n\r\n1")
    now += KEEP_ALIVE_SECONDS - 20
    alone.timers()[KEEP_ALIVE_SECONDS]()
    assert not alone.closed
    now += 20
    alone.timers()[20]()
    assert alone.closed
    answer = requests.get(f"{server.url}/health/ping", timeout=5)
    assert answer.headers["keep-alive"] == f"timeout={KEEP_ALIVE_SECONDS}"


def test_kept_connections_end_with_an_answer_so_that_the_next_request_finds_new_pods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("modelserver.http.time.monotonic", lambda: now)
    request = b"POST /predict HTTP/1.1\r\nContent-Length: 1\r\n\r\n1"
    alone, other = Alone(ServerState()), Alone(ServerState())
    alone.served.at_once_urls, alone.served.at_once.return_value = {b"/predict"}, (200, (), b"")
    now += CONNECTION_SECONDS
    alone.connection.data_received(request)
    other.connection.data_received(request)
    assert not alone.closed
    assert (b"connection", b"close") not in other.connection.scope["headers"]
    other.connection.cycle.response_complete = True
    now += 1
    alone.transport.close.side_effect = lambda: setattr(alone.transport.is_closing, "return_value", True)
    alone.connection.data_received(request * 2)
    # What a client has sent after the last answer is not answered, as it is told.
    assert (alone.closed, alone.served.at_once.call_count) == (True, 2)
    last = alone.transport.write.call_args_list[-1].args[0]
    assert b"\r\nconnection: close\r\n\r\n" in last
    # Of one that takes time uvicorn says so.
    other.connection.data_received(request)
    assert (b"connection", b"close") in other.connection.scope["headers"]


def test_whoever_takes_no_answers_gets_no_more_of_them() -> None:
    request = b"POST /predict HTTP/1.1\r\nContent-Length: 1\r\n\r\n1"
    alone = Alone(ServerState())
    answer = alone.served.at_once
    alone.served.at_once_urls, answer.return_value = {b"/predict"}, (200, (), b"")
    for times in (1, 2):
        alone.connection.data_received(request * MAX_PIPELINED)
        assert answer.call_count == times * MAX_PIPELINED
    alone.connection.pause_writing()
    alone.connection.data_received(request)
    assert answer.call_count == 2 * MAX_PIPELINED
    # As many wait as may; with one more the connection ends.
    alone.connection.data_received(request * (MAX_PIPELINED + 1))
    assert (answer.call_count, alone.connection._deaf) == (2 * MAX_PIPELINED, True)


def test_connection_whose_answers_are_not_taken_is_cut() -> None:
    alone = Alone(ServerState())
    alone.transport.get_write_buffer_size.return_value = 100
    alone.timers()[KEEP_ALIVE_SECONDS]()
    assert not alone.transport.abort.called
    alone.timers()[KEEP_ALIVE_SECONDS]()
    assert alone.transport.abort.called


def test_idle_connections_are_closed_after_the_time_that_is_set(start: Start) -> None:
    server = start("seldon_classes.Plain", GUNICORN_KEEPALIVE="1")
    server.wait_until_ready()
    for sent in (PING, b"", b"\r\n", PING * 2):
        with socket.create_connection((HERE, int(server.rest)), timeout=5) as client:
            client.sendall(sent)
            began, received = time.monotonic(), b""
            while data := client.recv(65536):
                received += data
            assert 0.9 < time.monotonic() - began < 3
        assert re.findall(rb"keep-alive: (.*)\r", received) == [b"timeout=1"] * sent.count(PING)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "86401", "a"])
def test_time_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GUNICORN_KEEPALIVE", text)
    with pytest.raises(ModelError, match=f"GUNICORN_KEEPALIVE is no number of seconds from 1 to 86400: {text}"):
        command._keep_alive()


def test_idle_connections_shut_nobody_out(server: ModelProcess, row: Rows) -> None:
    more = 20
    idle = [socket.create_connection((HERE, int(server.rest)), timeout=5) for _ in range(MAX_CONNECTIONS + more)]
    try:
        ping(idle[more + 9])
        assert len(server.prices(row)) == 1
        for client in idle[:more]:
            assert client.recv(1) == b"", "the first to wait are the first to go"
        for client in (*idle[more + 9 : more + 12], idle[-1]):
            ping(client)
    finally:
        for client in idle:
            client.close()


def test_busy_connections_are_left_alone() -> None:
    state = ServerState()
    busy = Alone(state, 1)
    busy.connection.data_received(PING)
    one_more = Alone(state, 1)
    assert (busy.closed, one_more.closed) == (False, True)
    assert one_more.refusal == (503, "1 other requests are being answered")
    one_more.connection.data_received(PING)
    assert one_more.loop.create_task.call_count == 0
    one_more.served.refused.assert_called_once_with(503)


@pytest.mark.parametrize("begun", [PING[:5], PING[:-2], UPLOAD, PING.replace(b"\r\n\r\n", b"\r\nUpgrade: h2c\r\n")])
def test_request_that_does_not_come_in_is_given_up(begun: bytes) -> None:
    alone = Alone(ServerState())
    alone.connection.data_received(begun)
    alone.connection.data_received(b"0")
    assert list(alone.timers()) == [KEEP_ALIVE_SECONDS, REQUEST_SECONDS], (
        "the second is not put off by what still comes"
    )
    assert not alone.closed
    alone.timers()[REQUEST_SECONDS]()
    assert alone.closed
    assert alone.refusal == (408, f"the request has not come in within {REQUEST_SECONDS} seconds")


def test_request_that_has_come_in_has_no_deadline() -> None:
    alone = Alone(ServerState())
    alone.connection.data_received(PING[:9])
    deadline = alone.connection._deadline
    alone.connection.data_received(PING[9:])
    assert deadline is not None
    assert alone.loop.call_later.return_value.cancel.called
    assert alone.connection._deadline is None


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /", b"a" * 8192),
        (b"GET / HTTP/1.1\r\nA: ", b"a" * 8192),
        (b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 1024),
        (UPLOAD + b"1;", b"a" * 8192),
        (UPLOAD + b"0\r\na: ", b"a" * 8192),
        (UPLOAD + b"0\r\n", b"a: b\r\n" * 1024),
    ],
    ids=["address", "header", "headers", "extension of a chunk", "trailer", "trailers"],
)
def test_head_without_end(server: ModelProcess, begin: bytes, piece: bytes) -> None:
    with socket.create_connection((HERE, int(server.rest)), timeout=5) as client:
        client.sendall(begin)
        time.sleep(0.1)
        sent = 0
        try:
            while sent < 4 << 20:
                client.sendall(piece)
                sent += len(piece)
            received = client.recv(65536)
        except ConnectionError:
            received = b""
    assert MAX_HEAD_BYTES <= sent < 4 << 20
    assert received[:12] in {b"", b"HTTP/1.1 431", b"HTTP/1.1 400"}


@pytest.mark.parametrize("again", [0, 1, 100])
def test_requests_that_wait_on_a_connection_are_bounded(again: int) -> None:
    alone = Alone(ServerState())
    alone.connection.data_received(PING * (MAX_PIPELINED + 1))
    assert alone.connection.cycle.keep_alive, "as many as may wait are no reason to close"
    for _ in range(again):
        alone.connection.data_received(PING * 7000)
    assert len(alone.connection.pipeline) == MAX_PIPELINED
    # The answer to the last that is taken closes the connection.
    assert alone.connection.cycle.keep_alive == (again == 0)
    assert not alone.closed


def test_what_waits_is_answered_before_the_connection_is_closed(server: ModelProcess) -> None:
    received = b""
    with socket.create_connection((HERE, int(server.rest)), timeout=5) as client:
        client.sendall(PING * 7000)
        while data := client.recv(65536):
            received += data
    assert received.count(b"HTTP/1.1 200 OK") == MAX_PIPELINED + 1
    assert received.count(b"connection: close") == 1


@pytest.mark.parametrize("count", [1, 800], ids=["answered at once", "in a thread"])
def test_a_client_that_sends_no_more_gets_its_answers(server: ModelProcess, rows: Rows, count: int) -> None:
    body = json.dumps({"data": {"ndarray": rows[:count].tolist()}}).encode()
    request = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for sent, expected in ((request, 1), (request + PING + request, 3), (request + PING[:9], 1), (request[:-1], 0)):
        received = b""
        with socket.create_connection((HERE, int(server.rest)), timeout=10) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                received += data
        assert received.count(b"HTTP/1.1 200 OK") == expected
