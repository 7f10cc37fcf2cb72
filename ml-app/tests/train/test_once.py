"""A training with a key: a second run of the same finds what the first has trained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.data.numpy_dataset import from_numpy

from house_price.train.recipe import RECIPE
from modelkit import registry
from modelkit.arguments import parse

Train = Callable[..., subprocess.CompletedProcess[str]]
Once = Callable[..., dict[str, Any]]


@pytest.fixture
def once(call: Train, request: pytest.FixtureRequest) -> Once:
    """Trains a small model, named as the test, with a key."""

    def run(key: str, *options: str, name: str = request.node.name) -> dict[str, Any]:
        names = ["--register-as", name, "--experiment", name, "--once", key]
        done = call(*names, "--n-estimators", "5", "--json", *options)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result | {"said": done.stderr}

    return run


def runs(experiment: str) -> list[str]:
    found = mlflow.get_experiment_by_name(experiment)
    return [run.info.status for run in MlflowClient().search_runs([found.experiment_id])] if found else []


def versions(name: str) -> list[str]:
    return [str(version.version) for version in MlflowClient().search_model_versions(f"name = '{name}'")]


def purge(run_id: str, store: Path) -> None:
    MlflowClient().delete_run(run_id)
    database = f"sqlite:///{store.parent}/mlflow.db"
    command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", database, "--run-ids", run_id]
    subprocess.run(command, check=True, capture_output=True)


def test_second_run_finds_all_done(once: Once) -> None:
    first, second = once("0123abcd"), once("0123abcd")
    assert second["reason"] == "an earlier run has trained it"
    assert second | {"reason": first["reason"]} == first
    assert (runs(first["model"]), versions(first["model"])) == (["FINISHED"], ["1"])
    assert MlflowClient().get_model_version(first["model"], "1").tags["once"] == "0123abcd"
    assert "once" not in MlflowClient().get_run(first["run_id"]).data.tags


def test_a_key_is_that_of_one_training_and_one_model(once: Once) -> None:
    weak = ("--max-depth", "1")
    assert [once(key, *more)["version"] for key, more in (("a", weak), ("b", ()), ("a", weak))] == ["1", "2", "1"]
    assert once("a", *weak)["alias"] is None, "another version is the champion since"
    assert once("a", *weak, name="another")["version"] == "1"
    assert versions("another") == ["1"]


def test_version_whose_files_are_gone_is_trained_anew(once: Once, store: Path) -> None:
    result = once("lost")
    shutil.rmtree(store / result["artifact_uri"].removeprefix("mlflow-artifacts:/"))
    again = once("lost")
    assert again["said"] == "warning: the files of the champion until now, version 1, are gone from the store\n"
    assert (again["version"], again["alias"]) == ("2", "champion")
    assert once("lost")["version"] == "2"


def test_version_that_was_not_registered_to_the_end_is_trained_anew(once: Once) -> None:
    result = once("cut")
    # The tag comes last.
    MlflowClient().delete_model_version_tag(result["model"], "1", registry.ONCE)
    assert once("cut")["version"] == "2"


def test_version_whose_run_was_purged_is_trained_anew(once: Once, store: Path) -> None:
    result = once("purged")
    purge(result["run_id"], store)
    # The champion's run is asked for with another key too, and has nothing to tell.
    other = once("other")
    assert (other["version"], other["alias"], other["said"]) == ("2", "champion", "")
    assert "the champion until now, version 1, reaches" in other["reason"]
    assert [once("purged")["version"] for _ in range(2)] == ["3", "3"]
    assert runs(result["model"]) == ["FINISHED", "FINISHED"]


@pytest.mark.parametrize("how", ["no run", "run of others", "data of others"])
def test_version_that_was_registered_by_hand(once: Once, call: Train, how: str, request: pytest.FixtureRequest) -> None:
    name, client = request.node.name, MlflowClient()
    files = once("real")["artifact_uri"]
    mlflow.set_experiment(name)
    with mlflow.start_run() as run:
        if how == "data of others":
            mlflow.log_input(from_numpy(np.zeros(3), source="https://example.com/a.csv"))
    run_id = None if how == "no run" else run.info.run_id
    number = client.create_model_version(name, files, run_id, tags={registry.ONCE: "k9"}).version
    done = call("--register-as", name, "--compare", str(number))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {name} version 2 cannot be compared, since its run is not known as a training of this model: "
        "give it the alias champion by hand, or train again, without --compare\n"
    )
    assert [once("k9")["version"] for _ in range(2)] == ["3", "3"]


def test_version_becomes_the_champion_again_where_there_is_none(once: Once) -> None:
    first = once("best")
    name, client = first["model"], MlflowClient()
    client.delete_registered_model_alias(name, registry.CHAMPION)
    client.set_registered_model_alias(name, registry.CHALLENGER, "1")
    again = once("best")
    reason = "an earlier run has trained it, and no version was the champion any more"
    assert again == first | {"reason": reason, "warning": True, "said": f"warning: {reason}\n"}
    assert client.get_model_version(name, "1").aliases == [registry.CHAMPION]
    assert once("best")["said"] == ""


@pytest.mark.parametrize("key", ["a", "00ff1234ab", "A.b_c-d"])
def test_keys(key: str) -> None:
    assert parse(RECIPE, ["--tracking-uri", "https://mlflow", "--once", key]).once == key


@pytest.mark.parametrize("key", ["", " ", "a'b", "a/b", "-a", "a\n", "a" * 101])
def test_what_is_no_key(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(RECIPE, ["--tracking-uri", "https://mlflow", f"--once={key}"])
    assert "error: --once must be at most 100 letters" in capsys.readouterr().err
