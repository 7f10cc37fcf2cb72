"""A server that cannot start says why in one line; one that is told to stop finishes what it is doing."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests

from model_process import HERE, ModelProcess, port_variable, tensor
from modelserver import server as command
from modelserver.errors import ModelError
from standardserver.decided import VARIABLE

Start = Callable[..., ModelProcess]


def only_message(process: ModelProcess) -> str:
    """The one line with which a process has failed."""
    assert process.wait() == 1, process.log
    (line,) = process.log.splitlines()
    return line.partition(" ERROR modelserver: ")[2]


def test_model_that_cannot_be_loaded(start: Start, tmp_path: Path) -> None:
    process = start("house_price.serve.HousePrice", model_dir=str(tmp_path / "nowhere"))
    assert only_message(process).startswith(f"{tmp_path}/nowhere holds no MLmodel file")


def test_files_that_are_not_those_decided_on(start: Start, model_dir: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model_dir, tmp_path / "files")
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    settings = {"model_dir": str(folder), VARIABLE: json.dumps(files)}
    start("house_price.serve.HousePrice", **settings).wait_until_ready()
    (folder / "model.skops").unlink()
    (folder / "model.pkl").write_text("")
    reason = "model.skops is missing; model.pkl is beside the files of the version"
    message = f"{folder} is not what was decided on: {reason}"
    assert only_message(start("house_price.serve.HousePrice", **settings)) == message
    # Where Seldon puts them, unless the class is told another folder; before the class is looked for.
    elsewhere = only_message(start("seldon_classes.Nothing", **{VARIABLE: json.dumps(files)}))
    assert elsewhere.startswith(f"{command.MODEL_FOLDER} is not what was decided on: ")


def test_unknown_class(start: Start) -> None:
    reason = "module 'seldon_classes' has no attribute 'Nothing'"
    assert only_message(start("seldon_classes.Nothing")) == f"cannot find the class seldon_classes.Nothing: {reason}"
    for name in ("nowhere.Model", "Nowhere"):
        with pytest.raises(ModelError, match=f"cannot find the class {name}: No module named "):
            command._create(name, {})


@pytest.mark.parametrize(("service", "says"), [("HTTP", "REST"), ("GRPC", "gRPC"), ("METRICS", "metrics")])
def test_port_in_use(start: Start, server: ModelProcess, service: str, says: str) -> None:
    port = {"HTTP": server.rest, "GRPC": server.grpc, "METRICS": server.metrics}[service]
    process = start("seldon_classes.Plain", **{port_variable(service): port})
    assert only_message(process) == f"{says} port {port} on {HERE} is not to be had: Address already in use"


def test_port_that_is_taken_while_the_model_loads(start: Start) -> None:
    process = start("seldon_classes.Robbed")
    assert only_message(process) == f"REST port {process.rest} on {HERE} is not to be had: Address already in use"


@pytest.mark.parametrize("port", ["", "http", "-1", "0", "65536"])
def test_port_that_is_none(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv(port_variable("GRPC"), port)
    with pytest.raises(ModelError, match=f"PREDICTIVE_UNIT_GRPC_SERVICE_PORT is not a port: {port}"):
        command._port("GRPC", 5000)


@pytest.mark.parametrize(
    ("type_name", "value", "parsed"),
    [("INT", "3", 3), ("FLOAT", "0.5", 0.5), ("DOUBLE", "1", 1.0), ("STRING", "3", "3"), ("BOOL", "True", True)],
)
def test_parameters(monkeypatch: pytest.MonkeyPatch, type_name: str, value: str, parsed: object) -> None:
    text = json.dumps([{"name": "a", "value": value, "type": type_name}])
    monkeypatch.setenv("PREDICTIVE_UNIT_PARAMETERS", text)
    assert command._parameters() == {"a": parsed}


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "7", '{"a": 1}', "[1]", '[{"name": "a"}]', '[{"name": "a", "value": "x", "type": "INT"}]',
        '[{"name": "a", "value": "x", "type": "LIST"}]', '[{"name": "a", "value": "maybe", "type": "BOOL"}]',
        '[{"name": "a", "value": true, "type": "BOOL"}]',
    ],
)  # fmt: skip
def test_parameters_that_are_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PREDICTIVE_UNIT_PARAMETERS", text)
    with pytest.raises(ModelError, match="PREDICTIVE_UNIT_PARAMETERS is not a list of name, value and type: "):
        command._parameters()


def test_parameters_that_the_class_does_not_take(start: Start) -> None:
    message = only_message(start("seldon_classes.Slow", colour="red"))
    assert message.startswith("PREDICTIVE_UNIT_PARAMETERS do not fit seldon_classes.Slow: ")


def test_sigterm_lets_requests_finish(start: Start, tmp_path: Path) -> None:
    server = start("seldon_classes.Slow", folder=str(tmp_path))
    server.wait_until_ready()
    with ThreadPoolExecutor() as threads:
        # More than 32 KiB: answered in a thread, so that both are under way at once.
        over_rest = threads.submit(server.post, {"data": {"ndarray": [[1.0]] * 10_000}})
        over_grpc = threads.submit(server.call, "Model", "Predict", tensor(np.array([[2.0]])))
        wait_for(lambda: (tmp_path / "1.0").exists() and (tmp_path / "2.0").exists())
        server.terminate()
        assert not over_rest.done()
        assert not over_grpc.done()
        assert over_rest.result().json()["data"]["ndarray"] == [1.0]
        assert list(over_grpc.result().data.tensor.values) == [1.0]
    assert server.wait() == 0
    assert "Traceback" not in server.log
    assert not any(listens(int(port)) for port in (server.rest, server.grpc, server.metrics))


def test_sigterm_while_the_model_computes(start: Start, tmp_path: Path) -> None:
    server = start("seldon_classes.Slow", folder=str(tmp_path))
    server.wait_until_ready()
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(server.post, {"data": {"ndarray": [[1.0]]}})
        wait_for((tmp_path / "1.0").exists)
        server.terminate()
        assert answer.result().json()["data"]["ndarray"] == [1.0]
    assert server.wait() == 0


def test_sigterm_has_clients_close_their_connections(start: Start, tmp_path: Path) -> None:
    server = start("seldon_classes.Slow", folder=str(tmp_path))
    server.wait_until_ready()
    with requests.Session() as client:
        assert client.get(f"{server.url}/health/ping").headers.get("Connection") is None
        server.terminate()
        # The connection is open, so its next request is answered, however late it is heard of.
        wait_for(lambda: client.get(f"{server.url}/health/ping").headers.get("Connection") == "close")
    assert server.wait() == 0


def test_no_thread_of_the_servers_outlives_them(start: Start) -> None:
    server = start("seldon_classes.Counting")
    server.wait_until_ready()
    server.terminate()
    assert server.wait() == 0
    # One that did would crash the process now and then: uvloop and Python's end do not go together.
    (left,) = re.findall("^left: (.*)$", server.log, re.MULTILINE)
    assert "metrics" not in left and "grpc-loop" not in left


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_sigterm_is_heeded_before_the_imports(start: Start, tmp_path: Path) -> None:
    process = start("house_price.serve.HousePrice", model_dir=str(tmp_path))
    wait_for(lambda: catches_sigterm(process.pid))
    assert "numpy" not in Path(f"/proc/{process.pid}/maps").read_text()
    process.terminate()
    assert process.wait() == 0
    assert process.log == ""


def catches_sigterm(pid: int) -> bool:
    """Whether the process has a handler for SIGTERM: the mask in /proc has a bit for each signal, from 1 on."""
    (mask,) = re.findall(r"SigCgt:\s+(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HERE, port)) == 0
