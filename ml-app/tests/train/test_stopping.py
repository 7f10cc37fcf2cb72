"""SIGTERM, Ctrl-C and faults in the middle: the run ends as what it was, and no version is left behind."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import mlflow
import pytest
from mlflow import MlflowClient, MlflowException
from mlflow.entities import Run

from modelkit.stopping import SIGNALS, Stopped, StopSignals
from modelkit.tracking import TrackingError, tracked_run


def runs(experiment: str) -> list[Run]:
    found = MlflowClient().get_experiment_by_name(experiment)
    return list(MlflowClient().search_runs([found.experiment_id])) if found else []


@pytest.mark.parametrize(("signum", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_in_the_middle_of_fitting(
    start: Callable[..., subprocess.Popen[str]], signum: signal.Signals, exit_code: int
) -> None:
    name = f"stopped-{exit_code}"
    process = start("--experiment", name, "--register-as", name, "--n-estimators", "20000", "--json")
    deadline = time.monotonic() + 180
    # Once the data set is logged, fitting begins.
    while not any(run.inputs.dataset_inputs for run in runs(name)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signum)
    stdout, stderr = process.communicate(timeout=30)

    (run,) = runs(name)
    assert (process.returncode, stdout) == (exit_code, "")
    assert stderr == f"stopped by {signum.name}\nrun {run.info.run_id} is marked as KILLED\n"
    assert run.info.status == "KILLED"
    with pytest.raises(MlflowException, match="not found"):
        MlflowClient().get_registered_model(name)


@pytest.fixture
def stop() -> Iterator[StopSignals]:
    before = [signal.getsignal(signum) for signum in SIGNALS]
    yield StopSignals()
    for signum, handler in zip(SIGNALS, before, strict=True):
        signal.signal(signum, handler)


def test_held_signal_comes_at_the_end_of_the_block(stop: StopSignals) -> None:
    reached = False
    with pytest.raises(Stopped) as caught, stop.held():
        signal.raise_signal(signal.SIGTERM)
        reached = True
    assert (reached, caught.value.exit_code) == (True, 143)


def test_ignored_signal_never_comes(stop: StopSignals) -> None:
    stop.ignore()
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)


def test_a_fault_of_the_program_ends_the_run_as_failed(tracking_uri: str, stop: StopSignals) -> None:
    with pytest.raises(ZeroDivisionError), tracked_run("faults", {"a": "b"}, stop) as run_id:
        raise ZeroDivisionError
    run = MlflowClient().get_run(run_id)
    assert (run.info.status, run.data.tags["a"]) == ("FAILED", "b")


def test_a_fault_of_the_server_is_one_message(tracking_uri: str, stop: StopSignals) -> None:
    with pytest.raises(TrackingError, match=f"MLflow at {tracking_uri}: ") as caught, tracked_run("faults", {}, stop):
        mlflow.log_metric("not a valid name: {}", 1.0)
    assert caught.value.exit_code == 1
    (run, *_) = runs("faults")
    assert caught.value.__notes__ == [f"run {run.info.run_id} is marked as FAILED"]
    assert run.info.status == "FAILED"
