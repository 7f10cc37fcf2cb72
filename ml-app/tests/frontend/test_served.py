"""The page as it is served: who may steer it from elsewhere."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
    file = tmp_path_factory.mktemp("served") / "models.json"
    file.write_text('{"models": []}')
    command = [sys.executable, "-m", "frontend", "--models", str(file), "--port", str(found), "--name", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", found), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield found
    finally:
        server.terminate()
        server.wait(10)


def test_no_page_elsewhere_may_steer_it_in_a_frame(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/_stcore/host-config")
    assert json.loads(connection.getresponse().read())["allowedOrigins"] == []


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://127.0.0.1:{port}", "127.0.0.1:{port}", 101),
        ("http://elsewhere.example", "127.0.0.1:{port}", 403),
        ("http://elsewhere.example", "elsewhere.example", 403),
        # As the documentation says: Streamlit takes every page of this machine for its own.
        ("http://localhost:3000", "127.0.0.1:{port}", 101),
    ],
)
def test_pages_that_may_ask(port: int, origin: str, host: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    said = {"Host": host.format(port=port), "Origin": origin.format(port=port), "Sec-WebSocket-Key": "eA" * 11 + "=="}
    connection.request("GET", "/_stcore/stream", headers={**upgrade, **said})
    assert connection.getresponse().status == status
    connection.close()
