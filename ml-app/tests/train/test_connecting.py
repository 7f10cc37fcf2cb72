"""First connections: asked again while nobody is reached, and no longer than that."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import urllib.error
from email.message import Message
from http.client import InvalidURL
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from house_price.train.recipe import RECIPE
from modelkit.command import main
from modelkit.connecting import PATIENCE_VARIABLE, first_answer, patience, unreachable
from modelkit.tracking import TrackingError, prepare


@pytest.fixture(autouse=True)
def address(monkeypatch: pytest.MonkeyPatch) -> None:
    """`prepare` sets them for the rest of the process."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, "")


def test_a_server_that_listens_a_moment_later_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PATIENCE_VARIABLE, "60")
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler, bind_and_activate=False)
    server.server_bind()

    def listen() -> None:
        server.server_activate()
        server.serve_forever()

    threading.Timer(0.7, listen).start()
    began = time.monotonic()
    prepare(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    assert time.monotonic() - began > 0.5
    assert "does not answer yet: [Errno 111] Connection refused; asking again in 0.5 s" in capsys.readouterr().err


def test_who_could_not_reach_whom_is_told_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE_VARIABLE, "0.6")
    with pytest.raises(TrackingError) as told:
        prepare("http://127.0.0.1:1")
    (note,) = told.value.__notes__
    assert note.startswith(
        f"{socket.gethostname()} has tried to reach the tracking server http://127.0.0.1:1 for 1 s: "
    )
    assert "network policies of both namespaces" in note


def test_pauses_grow_to_eight_seconds_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATIENCE_VARIABLE)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    now, pauses = 0.0, list[float]()

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        pauses.append(seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def ask() -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    with pytest.raises(ConnectionRefusedError):
        first_answer(ask, "nobody", unreachable)
    assert pauses == [0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8]


def test_outside_of_a_cluster_nobody_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATIENCE_VARIABLE)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert patience() == 5


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "abc", "1e999"])
def test_a_time_that_is_none_is_refused_before_anybody_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv(PATIENCE_VARIABLE, text)
    expected = f"error: {PATIENCE_VARIABLE} must be a number of seconds, 0 or more, not '{text}'\n"
    for arguments in ([], ["--data", "http://127.0.0.1:1/sales.csv"]):
        assert main(RECIPE, ["--tracking-uri", "http://127.0.0.1:1", *arguments]) == 2
        assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.HTTPError("http://a", 403, "Forbidden", Message(), None),
        urllib.error.URLError(ssl.SSLCertVerificationError("self-signed")),
        InvalidURL("no port"),
        ValueError("unknown url type"),
    ],
)
def test_what_no_waiting_mends_is_told_at_once(error: Exception) -> None:
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked += 1
        raise error

    with pytest.raises(type(error)) as raised:
        first_answer(ask, "somebody", unreachable)
    assert asked == 1
    assert not hasattr(raised.value, "__notes__")


@pytest.mark.parametrize("reason", [socket.gaierror(-3, "Temporary failure in name resolution"), TimeoutError()])
def test_a_name_or_a_server_that_is_not_there_yet_is_worth_waiting_for(reason: OSError) -> None:
    assert unreachable(urllib.error.URLError(reason)) is reason
