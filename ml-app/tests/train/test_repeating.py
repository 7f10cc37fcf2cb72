"""What a run records, so that it can be run again."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from house_price.train.recipe import RECIPE
from modelkit import repeating, tables

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = RECIPE.folder.parent

Train = Callable[..., subprocess.CompletedProcess[str]]


def recorded(run_id: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(Path(download_artifacts(run_id=run_id, artifact_path="rerun.json")).read_text())
    return read


def trained(call: Train, *options: str) -> dict[str, Any]:
    outcome: dict[str, Any] = json.loads(call("--json", *options).stdout)
    return recorded(outcome["run_id"])


def copies() -> list[str]:
    client = MlflowClient()
    experiment = client.get_experiment_by_name(repeating.DATASETS)
    assert experiment is not None
    return [run.info.run_id for run in client.search_runs([experiment.experiment_id])]


def test_the_same_run_twice_has_the_same_record_and_one_copy_of_its_data(call: Train) -> None:
    first = trained(call)
    number = len(copies())
    assert trained(call) == first
    assert len(copies()) == number
    assert first["training"] == "house_price"
    assert first["libraries"]["scikit-learn"]
    for file in ("house_price/train/forest.py", "house_price/model.json", "modelkit/run.py"):
        assert first["code"][file] == repeating._hashed(ROOT, ROOT / file)[file]
    kept = first["data"]["kept"]
    assert kept.startswith("mlflow-artifacts:/")
    assert Path(download_artifacts(kept)).read_bytes() == RECIPE.sample.read_bytes()


def test_another_seed_gives_other_answers(call: Train) -> None:
    assert trained(call, "--seed", "4")["answers"] != trained(call)["answers"]


def test_a_copy_that_was_lost_is_made_anew(call: Train, store: Path) -> None:
    kept = trained(call)["data"]["kept"]
    file = store / kept.removeprefix("mlflow-artifacts:/")
    file.unlink()
    renewed = trained(call)["data"]["kept"]
    assert renewed != kept
    assert Path(download_artifacts(renewed)).read_bytes() == RECIPE.sample.read_bytes()


def test_no_copy_is_kept_where_none_is_wanted(call: Train, tmp_path: Path) -> None:
    data = tmp_path / "mine.csv"
    data.write_bytes(RECIPE.sample.read_bytes() + b"\n")
    number = len(copies())
    record = trained(call, "--data", str(data), "--no-data-copy")
    assert (record["data"]["kept"], len(copies())) == (None, number)
    assert record["data"]["address"] == str(data)


def test_no_copy_is_kept_of_what_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = RECIPE.sample.read_bytes()
    assert tables.read(RECIPE, str(RECIPE.sample), 0.3, keep=True).content == sample
    monkeypatch.setattr(tables, "KEPT_BYTES", len(sample) - 1)
    assert tables.read(RECIPE, str(RECIPE.sample), 0.3, keep=True).content is None


def test_digests_differ_with_the_last_bit_and_with_the_type() -> None:
    numbers = np.array([0.1, 0.2])
    one = repeating.digest(numbers)
    assert repeating.digest(numbers.astype(">f8")) == one
    assert repeating.digest(np.nextafter(numbers, 1)) != one
    assert repeating.digest(numbers.astype(np.float32)) != repeating.digest(numbers.astype(np.float32).astype(float))
    assert repeating.digest(numbers.reshape(1, 2)) != one


def test_copies_lie_in_the_bucket_of_the_data_and_mlflow_hands_them_out(
    call: Train, buckets: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_COPIES", "s3://data/copies")
    kept = trained(call)["data"]["kept"]
    run_id = re.fullmatch("s3://data/copies/([0-9a-f]{32})/artifacts/data.csv", kept)
    assert run_id
    sample = RECIPE.sample.read_bytes()
    key = kept.removeprefix("s3://data/")
    assert buckets.get_object(Bucket="data", Key=key)["Body"].read() == sample
    assert Path(download_artifacts(run_id=run_id[1], artifact_path="data.csv")).read_bytes() == sample
    assert trained(call)["data"]["kept"] == kept
    # One that somebody has cut off is none, as one that is gone.
    buckets.put_object(Bucket="data", Key=key, Body=b"")
    renewed = trained(call)["data"]["kept"]
    assert renewed != kept
    buckets.delete_object(Bucket="data", Key=renewed.removeprefix("s3://data/"))
    assert trained(call)["data"]["kept"] not in (kept, renewed)
    # Who is told of no place, on a machine without keys, goes by MLflow.
    monkeypatch.delenv("DATA_COPIES")
    assert trained(call)["data"]["kept"].startswith("mlflow-artifacts:/")


def test_an_experiment_of_that_name_elsewhere_gets_no_data(call: Train) -> None:
    MlflowClient().create_experiment("datasets in s3://data/other", artifact_location="s3://models/public")
    done = call("--json", "--data-copies", "s3://data/other/")
    assert recorded(json.loads(done.stdout)["run_id"])["data"]["kept"] is None
    name = "the experiment datasets in s3://data/other"
    assert f"{name} has its artifacts at s3://models/public; rename it" in done.stderr


@pytest.mark.parametrize("place", ["copies", "file:///tmp", "gs://b/c", "s3://b", "s3://b//c", "s3://b/c?x=1"])
def test_copies_go_to_s3_alone(call: Train, capsys: pytest.CaptureFixture[str], place: str) -> None:
    with pytest.raises(SystemExit):
        call("--data-copies", place)
    assert f"--data-copies must be s3://bucket/folder, not {place!r}" in capsys.readouterr().err


@pytest.mark.usefixtures("buckets")
def test_a_store_that_takes_no_copy_is_warned_of(call: Train) -> None:
    done = call("--json", "--data-copies", "s3://nowhere/copies")
    assert recorded(json.loads(done.stdout)["run_id"])["data"]["kept"] is None
    assert "no copy of the data is kept, so the run may not be repeated: s3://nowhere/copies/" in done.stderr
    assert "there is no bucket nowhere" in done.stderr


def test_no_training_is_lost_where_no_copy_can_be_kept(call: Train, capsys: pytest.CaptureFixture[str]) -> None:
    trained(call)
    client = MlflowClient()
    experiment = client.get_experiment_by_name(repeating.DATASETS)
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    try:
        done = call("--json")
    finally:
        client.restore_experiment(experiment.experiment_id)
    assert recorded(json.loads(done.stdout)["run_id"])["data"]["kept"] is None
    assert "the experiment datasets was deleted; restore it" in done.stderr
