"""A real tracking server, and the training command as its user starts it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from house_price.train.recipe import RECIPE
from modelkit.command import main
from modelkit.connecting import PATIENCE_VARIABLE
from modelkit.stopping import SIGNALS
from modelkit.tracking import ENVIRONMENT
from ports import free_port

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ML_APP = Path(__file__).parents[2]
os.environ.update(ENVIRONMENT)
# A test of what cannot be reached need not wait for it.
os.environ[PATIENCE_VARIABLE] = "0.1"

Train = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the MLflow server stores artifacts."""
    return tmp_path_factory.mktemp("mlflow") / "artifacts"


@pytest.fixture(scope="session")
def tracking_uri(store: Path) -> Iterator[str]:
    """The address of an MLflow server on SQLite and a folder, as a process of its own; MLflow here talks to it too."""
    folder = store.parent
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--serve-artifacts"]
    command += ["--artifacts-destination", str(store)]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        )
    try:
        _wait_for(server, f"{uri}/health", folder / "server.log")
        os.environ["MLFLOW_TRACKING_URI"] = uri
        yield uri
    finally:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 our own
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the MLflow server does not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def start(tracking_uri: str) -> Callable[..., subprocess.Popen[str]]:
    """Starts `python -m house_price.train` with the given arguments; keywords are more environment variables."""

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "house_price.train", *arguments],
            cwd=ML_APP,
            env=os.environ | {"MLFLOW_TRACKING_URI": tracking_uri} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


@pytest.fixture(scope="session")
def train(start: Callable[..., subprocess.Popen[str]]) -> Train:
    """Runs the command to its end, as a process of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = start(*arguments, **environment)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    return run


@pytest.fixture
def call(tracking_uri: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Train]:
    """Runs the command inside this process, which spares it seconds of imports."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, tracking_uri)
    handlers = [(signum, signal.getsignal(signum)) for signum in SIGNALS]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        exit_code = main(RECIPE, arguments)
        return subprocess.CompletedProcess(arguments, exit_code, *capsys.readouterr())

    yield run
    for signum, handler in handlers:
        signal.signal(signum, handler)


@pytest.fixture(scope="module")
def buckets() -> Iterator[S3Client]:
    """A real S3 server with a bucket `data`, and the environment in which boto3 finds it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        yield client
    server.stop()


@pytest.fixture
def sales() -> list[dict[str, str]]:
    """The first twenty rows of the sample, as text, to be spoilt."""
    with RECIPE.sample.open(newline="") as file:
        return list(csv.DictReader(file))[:20]


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[list[dict[str, str]]], str]:
    """Writes rows to a CSV file and returns its path."""

    def write(rows: list[dict[str, str]]) -> str:
        path = tmp_path / "sales.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
        return str(path)

    return write
