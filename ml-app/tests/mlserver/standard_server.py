"""MLServer as a process of its own, set up as the platform does, and the ways to ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ports import free_port

ML_APP = Path(__file__).parents[2]
IMPLEMENTATIONS = {
    "sklearn": "mlserver_sklearn.SKLearnModel",
    "xgboost": "mlserver_xgboost.XGBoostModel",
    "mlflow": "mlserver_mlflow.MLflowRuntime",
}
STARTUP = ML_APP / "standardserver" / "startup.py"


def python_of(environment: str) -> str:
    """The interpreter of an environment beside the tests' own."""
    return str(Path(sys.prefix).with_name(environment) / "bin" / "python")


@dataclass(frozen=True)
class Reply:
    """What a server has answered."""

    status: int
    text: str

    @property
    def content(self) -> Any:
        """Its JSON."""
        return json.loads(self.text)


class Server:
    """MLServer, set up as the platform does, with one model: `wine`.

    Args:
        library: of the model.
        files: the model's.
        log: the file that gets what the server says.
        runtime: of MLServer's; by default that of the library.
        python: runs it; by default the tests' own interpreter, or that of the image for MLflow.
        variables: beside those that the platform always sets.
    """

    def __init__(
        self,
        library: str,
        files: Path,
        log: Path,
        runtime: str | None = None,
        python: str | None = None,
        **variables: str,
    ) -> None:
        ports = [free_port() for _ in range(3)]
        self.library, self.files, self.log, self.port = library, files, log, ports[0]
        runtime = runtime or library
        # MLflow's image has an older MLflow than the trainings.
        self.python = python or (python_of("mlserver-mlflow") if runtime == "mlflow" else sys.executable)
        self.grpc, self.metrics = ports[1:]
        self.about = {
            "MLSERVER_HTTP_PORT": ports[0],
            "MLSERVER_MODEL_NAME": "wine",
            "MLSERVER_MODEL_URI": str(files),
        }
        environment = os.environ | self.about | {
            "PYTHONPATH": str(ML_APP),
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_GRPC_PORT": ports[1],
            "MLSERVER_METRICS_PORT": ports[2],
            "MLSERVER_MODEL_IMPLEMENTATION": IMPLEMENTATIONS[runtime],
            "MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION": "standardserver.guard.Repository",
            "MLSERVER_PARALLEL_WORKERS": "0",
            "MLSERVER_DEBUG": "false",
            "OMP_NUM_THREADS": "1",
            # Bytecode is kept, whatever the shell says: without it each start takes seconds longer.
            "PYTHONDONTWRITEBYTECODE": "",
        } | variables  # fmt: skip
        with log.open("w") as out:
            self._process = subprocess.Popen(
                [self.python, "-m", "mlserver.cli.main", "start", str(log.parent)],
                env=environment,
                cwd=log.parent,
                stdout=out,
                stderr=out,
            )

    def wait_until_ready(self) -> None:
        """Wait until it has loaded the model."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if self.ask("/v2/models/wine/ready").status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"MLServer does not answer:\n{self.log.read_text()}")

    def wait_until_it_ends(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self._process.wait(timeout=60)

    def ask(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a request: JSON of what is given, or bytes as they are."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"} | dict(headers or {})
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return Reply(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.read().decode())

    def infer(self, *inputs: dict[str, Any], **more: Any) -> Reply:
        """Ask for predictions."""
        return self.ask("/v2/models/wine/infer", {"inputs": inputs, **more})

    def startup(self, files: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the check of a pod's start, of the files of the server or of others."""
        # As a pod runs it: without anything else of this project.
        mounted = self.log.parent / "mounted"
        if not mounted.exists():
            mounted.mkdir()
            (mounted / "standardserver").symlink_to(STARTUP.parent)
        environment = (
            self.about | {"MLSERVER_MODEL_URI": str(files or self.files), "PYTHONPATH": str(mounted)} | variables
        )
        command = [self.python, str(STARTUP)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def end(self) -> None:
        """Tell it to end."""
        self._process.terminate()

    def stop(self) -> None:
        """End it."""
        self.end()
        # Many end at once, each after its clients have left.
        self._process.wait(timeout=120)
