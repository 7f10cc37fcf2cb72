"""The champion's files at a place that is known before the training; a second run of the same finishes the first."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow import MlflowClient

from house_price.train.recipe import RECIPE
from modelkit import publishing
from modelkit.arguments import parse
from modelkit.publishing import held
from modelkit.tracking import TrackingError

Train = Callable[..., subprocess.CompletedProcess[str]]
Publish = Callable[..., dict[str, Any]]
FILES = {
    "MLmodel", "conda.yaml", "input_example.json", "model.skops", "python_env.yaml", "recorded.json",
    "registered_model_meta", "requirements.txt", "serving_input_example.json",
}  # fmt: skip


@pytest.fixture
def publish(call: Train, request: pytest.FixtureRequest) -> Publish:
    """Trains a small model, named as the test, for a place below `mlflow-artifacts:/served/`."""

    def run(place: str, *options: str) -> dict[str, Any]:
        done = call(*command(request.node.name, place, "--json", *options))
        assert (done.returncode, done.stderr) == (0, "")
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return run


def command(name: str, place: str, *options: str) -> list[str]:
    names = ["--register-as", name, "--experiment", name, "--publish", f"mlflow-artifacts:/served/{place}"]
    return [*names, "--n-estimators", "5", *options]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def runs(experiment: str) -> list[str]:
    found = mlflow.get_experiment_by_name(experiment)
    return [run.info.status for run in MlflowClient().search_runs([found.experiment_id])] if found else []


def versions(name: str) -> list[str]:
    return [str(version.version) for version in MlflowClient().search_model_versions(f"name = '{name}'")]


def test_place_holds_what_mlflow_hands_out(publish: Publish, store: Path, tmp_path: Path) -> None:
    result = publish("houses/0123abcd")
    place = "mlflow-artifacts:/served/houses/0123abcd"
    assert result["published"] == {"place": place, "version": "1", "uploaded": True}
    mlflow.artifacts.download_artifacts(result["model_uri"], dst_path=str(tmp_path))
    published = contents(store / "served" / "houses" / "0123abcd")
    assert set(published) == FILES
    assert published == contents(tmp_path)
    assert yaml.safe_load(published["registered_model_meta"]) == {"model_name": result["model"], "model_version": "1"}
    assert MlflowClient().get_model_version(result["model"], "1").tags["publish"] == place
    assert "publish" not in MlflowClient().get_run(result["run_id"]).data.tags


def test_second_run_finds_all_done(publish: Publish, store: Path) -> None:
    first = publish("twice")
    written = {file: file.stat().st_mtime_ns for file in (store / "served" / "twice").iterdir()}
    second = publish("twice")
    assert second["published"] == first.pop("published") | {"uploaded": False}
    assert second["reason"] == "it was trained for this place by an earlier run"
    assert second | {"reason": first["reason"], "published": None} == first | {"published": None}
    assert (runs(first["model"]), versions(first["model"])) == (["FINISHED"], ["1"])
    assert {file: file.stat().st_mtime_ns for file in written} == written


def test_upload_that_broke_off_is_finished(call: Train, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    in_the_way = store / "served" / "broken" / "python_env.yaml"
    in_the_way.mkdir(parents=True)
    done = call(*command("broken", "broken"))
    assert (done.returncode, done.stdout) == (1, "")
    fault, note = done.stderr.splitlines()
    assert fault.startswith("error: MLflow at http://127.0.0.1:")
    assert note == "version 1 is registered: the same command again will publish, and not train"
    there = set(contents(in_the_way.parent))
    assert "registered_model_meta" in there
    assert "MLmodel" not in there

    in_the_way.rmdir()
    done = call(*command("broken", "broken"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("broken version 1 is the champion: it was trained for this place by an earlier run\n")
    assert done.stdout.endswith("\nmlflow-artifacts:/served/broken holds version 1\n")
    assert set(contents(in_the_way.parent)) == FILES
    assert (runs("broken"), versions("broken")) == (["FINISHED"], ["1"])


def test_champion_is_published_and_what_is_published_stays(call: Train, publish: Publish) -> None:
    def published(place: str, *options: str) -> tuple[str, str | None, str, bool]:
        result = publish(place, *options)
        return result["version"], result["alias"], result["published"]["version"], result["published"]["uploaded"]

    assert published("weak", "--max-depth", "1") == ("1", "champion", "1", True)
    assert published("strong") == ("2", "champion", "2", True)
    assert published("weaker", "--max-depth", "1") == ("3", "challenger", "2", True)
    assert published("weak", "--max-depth", "1") == ("1", None, "1", False)
    assert published("weaker", "--max-depth", "1") == ("3", "challenger", "2", False)

    name = "test_champion_is_published_and_what_is_published_stays"
    assert call(*command(name, "weak")).stdout.startswith(f"{name} version 1 has no alias: ")
    assert call(*command(name, "weak")).stdout.endswith("\nmlflow-artifacts:/served/weak holds version 1 already\n")


def test_files_of_a_lost_registry_are_replaced(publish: Publish, store: Path) -> None:
    model = publish("now")["model"]
    lost = store / "served" / "lost"
    shutil.copytree(store / "served" / "now", lost)
    change(lost / "MLmodel", run_id="0" * 32)
    assert publish("lost")["published"]["version"] == "2"
    assert held("mlflow-artifacts:/served/lost", model) == "2"
    assert publish("now")["published"] == {"place": "mlflow-artifacts:/served/now", "version": "1", "uploaded": False}


def test_place_that_is_not_complete_holds_nothing(publish: Publish, store: Path) -> None:
    model = publish("whole")["model"]
    folder, place = store / "served" / "part", "mlflow-artifacts:/served/part"
    assert held(place, model) is None

    def after(spoil: Callable[[], object]) -> str | None:
        shutil.copytree(store / "served" / "whole", folder, dirs_exist_ok=True)
        spoil()
        return held(place, model)

    meta, mlmodel = folder / "registered_model_meta", folder / "MLmodel"
    assert after(lambda: None) == "1"
    assert after(meta.unlink) is None
    assert after(mlmodel.unlink) is None
    assert after(lambda: meta.write_text("text")) is None
    assert after(lambda: mlmodel.write_text("a: [")) is None
    assert after(lambda: change(meta, model_name=None)) is None
    assert after(lambda: change(meta, model_version="2")) is None
    assert after(lambda: change(meta, model_version="two")) is None
    assert after(lambda: change(mlmodel, run_id="0" * 32)) is None


def change(file: Path, **changes: object) -> None:
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))


def test_place_of_another_model_is_refused_before_the_training(call: Train, publish: Publish) -> None:
    model = publish("taken")["model"]
    done = call(*command("newcomer", "taken"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: mlflow-artifacts:/served/taken holds version 1 of {model}; give newcomer a place of its own\n"
    )
    assert runs("newcomer") == []


def test_version_whose_files_are_gone_is_trained_anew(call: Train, publish: Publish, store: Path) -> None:
    result = publish("fetched")
    shutil.rmtree(store / "served" / "fetched")
    shutil.rmtree(store / result["artifact_uri"].removeprefix("mlflow-artifacts:/"))
    done = call(*command(result["model"], "fetched", "--json"))
    assert done.returncode == 0
    assert done.stderr == "warning: the files of the champion until now, version 1, are gone from the store\n"
    again = json.loads(done.stdout)
    assert (again["version"], again["alias"], again["published"]["version"]) == ("2", "champion", "2")
    assert set(contents(store / "served" / "fetched")) == FILES

    shutil.rmtree(store / "served" / "fetched")
    MlflowClient().delete_registered_model_alias(result["model"], "champion")
    done = call(*command(result["model"], "fetched"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: no version of {result['model']} has the alias champion: set it, ")


def test_champion_in_a_store_that_cannot_be_read(tracking_uri: str) -> None:
    client = MlflowClient()
    client.create_registered_model("elsewhere")
    client.create_model_version("elsewhere", source=f"{tracking_uri}/none", await_creation_for=0)
    client.set_registered_model_alias("elsewhere", "champion", "1")
    with pytest.raises(TrackingError, match="the files of elsewhere version 1 cannot be fetched: ") as caught:
        publishing.publish("mlflow-artifacts:/served/elsewhere", "elsewhere", None)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("folder", ["a", "served/house-price/00ff", "1a/2", "a_b/C.d-e"])
def test_places(folder: str) -> None:
    place = f"mlflow-artifacts:/{folder}"
    assert parse(RECIPE, ["--tracking-uri", "https://mlflow", "--publish", place]).publish == place


@pytest.mark.parametrize(
    "place",
    [
        "", "served/x", "s3://models/x", "mlflow-artifacts:", "mlflow-artifacts:/", "mlflow-artifacts:a",
        "mlflow-artifacts://host/a", "mlflow-artifacts:/a/", "mlflow-artifacts:/a//b", "mlflow-artifacts:/a/../b",
        "mlflow-artifacts:/a b", "mlflow-artifacts:/a'b", "mlflow-artifacts:/1", "mlflow-artifacts:/1/models/m-x",
        "mlflow-artifacts:/a\n",
    ],
)  # fmt: skip
def test_what_is_no_place(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(RECIPE, ["--tracking-uri", "https://mlflow", "--publish", place])
    assert "error: --publish must be mlflow-artifacts:/folder/…" in capsys.readouterr().err


def test_publishing_needs_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(RECIPE, ["--tracking-uri", "sqlite:///mlflow.db", "--publish", "mlflow-artifacts:/served/x"])
    assert "error: --publish goes through an MLflow server: --tracking-uri must be http" in capsys.readouterr().err
