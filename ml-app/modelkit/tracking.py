"""The tracking server: reached or reported within seconds, and a run that ends as what it was."""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from modelkit.connecting import first_answer, noted, unreachable
from modelkit.stopping import Stopped, StopSignals

REACH_SECONDS = 5
ENVIRONMENT = {
    # MLflow by itself tries seven times, which is four minutes without a word; four retries are half a minute.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    # stdout belongs to the result, stderr to what the user should know.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
    # A training job calls no one but the addresses it was given.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""What MLflow is told where the user has not said otherwise."""


class TrackingError(RuntimeError):
    """The tracking server cannot be reached, refused, or failed; the message is meant for the user.

    Attributes:
        exit_code: 2 if nothing was begun (an address or a setting is wrong), 1 if a run broke off.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def prepare(uri: str) -> None:
    """Set MLflow's environment and wait until the server answers. Call it before MLflow is imported.

    Args:
        uri: the tracking server's address; only http:// and https:// are asked for an answer.

    Raises:
        TrackingError: nothing answers at the address, for as long as `connecting.patience()` says.
        SettingError: that is no time.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["MLFLOW_TRACKING_URI"] = uri
    # Where the run is, the version is: a registry elsewhere would get versions whose files it cannot reach.
    os.environ["MLFLOW_REGISTRY_URI"] = uri
    if not uri.startswith(("http://", "https://")):
        return
    server = f"the tracking server {uri}"
    try:
        first_answer(lambda: _ask(f"{uri.rstrip('/')}/health"), server, unreachable)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise noted(TrackingError(f"{server} does not answer: {reason}"), error) from error


def _ask(url: str) -> None:
    try:
        urllib.request.urlopen(url, timeout=REACH_SECONDS).close()  # noqa: S310 http(s)
    except urllib.error.HTTPError:
        pass  # somebody answers; MLflow will find out what it may do there
    except urllib.error.URLError as error:
        # MLflow has its own settings for certificates.
        if not isinstance(error.reason, ssl.SSLCertVerificationError):
            raise


@contextmanager
def reported(exit_code: int) -> Iterator[None]:
    """What the server refuses, or fails at, inside the block is a `TrackingError` with this exit code."""
    import mlflow  # noqa: PLC0415 a second, and `prepare` comes first
    import requests  # noqa: PLC0415

    try:
        yield
    except (mlflow.MlflowException, requests.RequestException) as error:
        raise TrackingError(f"MLflow at {mlflow.get_tracking_uri()}: {error}", exit_code) from error


@contextmanager
def tracked_run(experiment: str, tags: Mapping[str, str], stop: StopSignals) -> Iterator[str]:
    """A run of MLflow around the block; yields its id.

    The run ends as FINISHED, as KILLED if a signal stopped the block, else as FAILED.

    Args:
        experiment: its name; created if it does not exist.
        tags: of the run.
        stop: signals wait while the run is being created, so that no run stays behind as RUNNING.

    Raises:
        TrackingError: the server refused the run, or failed later on.
    """
    import mlflow  # noqa: PLC0415 a second, and `prepare` comes first
    import requests  # noqa: PLC0415

    try:
        with stop.held():
            mlflow.set_experiment(experiment)
            run_id: str = mlflow.start_run(tags=dict(tags)).info.run_id
        yield run_id
        mlflow.end_run()
    except BaseException as error:
        stop.ignore()
        run = mlflow.active_run()
        # Uploads of artifacts let requests' exceptions through.
        servers = isinstance(error, mlflow.MlflowException | requests.RequestException)
        told = TrackingError(f"MLflow at {mlflow.get_tracking_uri()}: {error}", 1 if run else 2) if servers else error
        if run:
            told.add_note(_end(run.info.run_id, "KILLED" if isinstance(error, Stopped) else "FAILED"))
        if told is error:
            raise
        raise told from error


def _end(run_id: str, status: str) -> str:
    """End the active run; returns what became of it, a sentence."""
    import mlflow  # noqa: PLC0415

    try:
        mlflow.end_run(status)
    except mlflow.MlflowException:
        return f"run {run_id} could not be marked as {status}: the tracking server no longer answers"
    return f"run {run_id} is marked as {status}"
