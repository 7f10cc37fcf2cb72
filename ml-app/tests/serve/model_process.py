"""A model server as a process of its own, and the ways to ask it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import requests
from prometheus_client.parser import text_string_to_metric_families
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc

from ports import free_port

TESTS = Path(__file__).parent
HERE = "127.0.0.1"
SERVICES = ("HTTP", "GRPC", "METRICS")

Rows = npt.NDArray[np.float64]


class ModelProcess:
    """Serves a Seldon class on three free ports, until `stop`.

    Args:
        command: what Python is to run, the class last.
        log: a file for what the process prints.
        parameters: of the class.
        environment: more variables; those of the ports take precedence over the free ones.
    """

    def __init__(self, command: list[str], log: Path, parameters: dict[str, str], **environment: str) -> None:
        variables = {
            "PYTHONPATH": f"{TESTS.parents[1]}:{TESTS}",
            "PREDICTIVE_UNIT_PARAMETERS": json.dumps(
                [{"name": name, "value": value, "type": "STRING"} for name, value in parameters.items()]
            ),
            **{port_variable(service): free_port() for service in SERVICES},
            **environment,
        }
        self.rest, self.grpc, self.metrics = (variables[port_variable(service)] for service in SERVICES)
        self.url = f"http://{HERE}:{self.rest}"
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, *command], env=os.environ | variables, stdout=file, stderr=file, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What the process has printed until now."""
        return self._log.read_text()

    def wait_until_ready(self) -> None:
        """Returns once the model answers; fails with the log if the process ends before."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/health/status", timeout=1).ok:
                    return
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)
        raise AssertionError(f"the model server does not answer:\n{self.log}")

    def wait(self) -> int:
        """The exit code, once the process has ended."""
        return self._process.wait(timeout=120)

    def terminate(self) -> None:
        """Send SIGTERM, and return at once."""
        self._process.terminate()

    def stop(self) -> None:
        """End the process and all that it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self.wait()

    def post(self, message: object, path: str = "/predict") -> requests.Response:
        """Send a message, or bytes as they are."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return requests.post(f"{self.url}{path}", body, headers={"Content-Type": "application/json"}, timeout=30)

    def prices(self, rows: Rows) -> list[float]:
        """Ask for predictions of rows over REST."""
        response = self.post({"data": {"ndarray": rows.tolist()}})
        assert response.status_code == 200, response.text
        answer: list[float] = response.json()["data"]["ndarray"]
        return answer

    def call(self, service: str, method: str, message: Any) -> Any:
        """Call a method of one of Seldon's gRPC services."""
        with grpc.insecure_channel(f"{HERE}:{self.grpc}") as channel:
            stub = getattr(prediction_pb2_grpc, f"{service}Stub")(channel)
            return getattr(stub, method)(message, timeout=30, wait_for_ready=True)

    def samples(self, path: str = "/metrics") -> dict[str, float]:
        """The figures on the metrics port by name, with `{le}` for a histogram's buckets; sums over all workers."""
        text = requests.get(f"http://{HERE}:{self.metrics}{path}", timeout=5).text
        figures: dict[str, float] = defaultdict(float)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                figures[sample.name + (f"{{{sample.labels['le']}}}" if "le" in sample.labels else "")] += sample.value
        return figures


def port_variable(service: str) -> str:
    """The variable that Seldon's operator names a port in."""
    return f"PREDICTIVE_UNIT_{service}_SERVICE_PORT"


def tensor(rows: Rows, *names: str) -> Any:
    """A gRPC message of rows."""
    values = prediction_pb2.Tensor(shape=rows.shape, values=rows.ravel())
    return prediction_pb2.SeldonMessage(data=prediction_pb2.DefaultData(names=names, tensor=values))


def ndarray(rows: object, *names: str) -> Any:
    """A gRPC message of nested lists."""
    message = prediction_pb2.SeldonMessage(data=prediction_pb2.DefaultData(names=names))
    message.data.ndarray.extend(rows)
    return message
