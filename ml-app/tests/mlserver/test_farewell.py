"""The end of a pod: its clients are sent elsewhere, and lose nothing."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from standard_server import ML_APP, Server

ROW = [7.4, 0.7, 0, 1.9, 0.076, 11, 34, 0.9978, 3.51, 0.56, 9.4]
BODY = json.dumps({"inputs": [{"name": "row", "shape": [1, 11], "datatype": "FP64", "data": ROW}]})


def test_clients_are_sent_away_and_then_it_ends(
    serve: Callable[..., Server], trained: dict[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    server = serve("xgboost", trained["xgboost"], MLPLATFORM_PID_FILE=str(file))
    server.wait_until_ready()
    outcomes: list[str] = []
    left = threading.Event()

    def client() -> None:
        """Asks on one connection, for as long as the server lets it."""
        connection = http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=10)
        while not left.is_set():
            connection.request("POST", "/v2/models/wine/infer", BODY, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            outcomes.append(f"{response.status} {response.getheader('connection')}")
            if response.getheader("connection") == "close":
                return
            time.sleep(0.005)

    clients = [threading.Thread(target=client) for _ in range(8)]
    for one in clients:
        one.start()
    time.sleep(0.5)
    code = "from standardserver.farewell import end; end(0, 1)"
    environment = {"MLPLATFORM_PID_FILE": str(file), "PYTHONPATH": str(ML_APP)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=30)
    for one in clients:
        one.join(timeout=10)
    left.set()
    assert server.wait_until_it_ends() == 0
    assert outcomes.count("200 close") == len(clients), "each was told once, and none was cut off"
    assert set(outcomes) == {"200 close", "200 None"}


@pytest.mark.parametrize("content", [None, "", "no number", "999999999"])
def test_one_that_has_not_begun_or_has_ended_needs_none(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pid"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("MLPLATFORM_PID_FILE", str(file))
    from standardserver import farewell  # noqa: PLC0415 it needs no server

    farewell.end(0, 0)
