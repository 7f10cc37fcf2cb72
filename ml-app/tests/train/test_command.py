"""What one run of the command leaves behind on the tracking server, and what it prints."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Any

import mlflow
import pandas as pd
import pytest
import skops.io
import yaml
from mlflow import MlflowClient

from house_price import sample
from house_price.features import FEATURES, SKOPS_TRUSTED_TYPES
from house_price.train.recipe import RECIPE
from modelkit import tables
from modelkit.parity import Record
from modelkit.training import source_tags

METRICS = {f"{part}_{name}" for part in ("train", "test") for name in ("score", "rmse", "mae")}
TYPES = dict.fromkeys(FEATURES, "long") | dict.fromkeys(("bathrooms", "floors"), "double")
"""Of the sample's columns, as MLflow calls them."""
ML_APP = RECIPE.sample.parents[1]
Outcome = dict[str, Any]
Train = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def result(train: Train) -> Outcome:
    """One run with every default, a commit and two tags, where the user's shell names a registry elsewhere."""
    elsewhere = "http://127.0.0.1:1"
    done = train(
        "--json", "--tag", "fingerprint=abc=1", "--tag", "who=test", GIT_COMMIT="0123abc", MLFLOW_REGISTRY_URI=elsewhere
    )
    assert (done.returncode, done.stderr) == (0, "")
    outcome: Outcome = json.loads(done.stdout)
    return outcome


@pytest.fixture(scope="module")
def folder(result: Outcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's artifacts, downloaded."""
    destination = tmp_path_factory.mktemp("model")
    return Path(mlflow.artifacts.download_artifacts(result["model_uri"], dst_path=str(destination)))


def test_json_says_what_came_out(result: Outcome) -> None:
    assert result["model"] == "house-price"
    assert (result["version"], result["alias"], result["previous_champion"]) == ("1", "champion", None)
    assert (result["reason"], result["warning"]) == ("there was no champion", False)
    assert set(result["metrics"]) == METRICS
    assert 0.55 < result["metrics"]["test_score"] < result["metrics"]["train_score"] < 0.85
    digest = hashlib.sha256(RECIPE.sample.read_bytes()).hexdigest()[:36]
    assert result["dataset"] == {"name": "sample", "digest": digest, "source": str(RECIPE.sample), "rows": 2000}


def test_run_has_parameters_metrics_and_tags(result: Outcome) -> None:
    run = MlflowClient().get_run(result["run_id"])
    assert run.info.status == "FINISHED"
    assert mlflow.get_experiment(run.info.experiment_id).name == "house-price"
    assert run.data.params == {
        "n_estimators": "100", "max_depth": "6", "max_features": "10", "test_size": "0.3",
        "least_rows": "5", "seed": "3",
    }  # fmt: skip
    assert run.data.metrics == result["metrics"]
    expected = {"mlflow.source.git.commit": "0123abc"} | source_tags(ML_APP)
    expected |= {"fingerprint": "abc=1", "who": "test"}
    assert run.data.tags.items() >= expected.items()


def test_run_has_its_data_set(result: Outcome) -> None:
    (used,) = MlflowClient().get_run(result["run_id"]).inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("sample", result["dataset"]["digest"])
    assert json.loads(used.dataset.source) == {"uri": str(RECIPE.sample)}
    assert [tag.value for tag in used.tags] == ["training"]
    schema = json.loads(used.dataset.schema)["mlflow_colspec"]
    assert {column["name"]: column["type"] for column in schema} == TYPES | {"price": "long"}


def test_version_is_registered_with_alias_and_tags(result: Outcome) -> None:
    found = MlflowClient().get_model_version_by_alias("house-price", "champion")
    assert (str(found.version), found.run_id) == (result["version"], result["run_id"])
    assert found.source == f"models:/{result['model_id']}"
    expected = {"mlflow.source.git.commit": "0123abc"} | source_tags(ML_APP)
    assert found.tags == expected | {"fingerprint": "abc=1", "who": "test"}
    assert MlflowClient().get_model_version_download_uri("house-price", found.version) == result["artifact_uri"]


def test_signature_and_requirements(result: Outcome, folder: Path) -> None:
    signature = mlflow.models.get_model_info(result["model_uri"]).signature
    assert signature is not None
    assert {column.name: str(column.type) for column in signature.inputs} == dict.fromkeys(FEATURES, "Any")
    assert [output.type.name for output in signature.outputs] == ["float64"]
    requirements = (folder / "requirements.txt").read_text().splitlines()
    assert {f"{name}=={version(name)}" for name in ("scikit-learn", "numpy", "skops", "pandas")} <= set(requirements)


def test_model_takes_the_rows_of_its_own_file_as_whatever_numbers(result: Outcome) -> None:
    sales = pd.read_csv(RECIPE.sample).head(3)
    rows = sales[list(FEATURES)]
    model = mlflow.pyfunc.load_model(result["model_uri"])
    expected = model.predict(rows).tolist()
    assert set(map(str, rows.dtypes)) == {"int64", "float64"}
    same = (
        rows.astype(float),
        rows.assign(bedrooms=rows["bedrooms"].astype(float), grade=rows["grade"].astype("Int64")), rows.astype(object),
        rows[list(FEATURES[::-1])], sales, rows.to_dict("records"), rows.to_dict("list"),
    )  # fmt: skip
    for given in same:
        assert model.predict(given).tolist() == expected
    whole = rows.round().astype(int)
    assert set(map(str, whole.dtypes)) == {"int64"}
    assert model.predict(whole).tolist() == model.predict(whole.astype(float)).tolist()
    assert model.predict(rows.to_dict("records")[0]).tolist() == expected[:1]


def test_model_refuses_what_is_no_number(result: Outcome) -> None:
    rows = pd.read_csv(RECIPE.sample)[list(FEATURES)].head(1)
    model = mlflow.pyfunc.load_model(result["model_uri"])
    wrong = {
        "contains NaN": rows.assign(bedrooms=float("nan")),
        "'two'": rows.assign(floors="two"),
        r"missing inputs \['grade'\]": rows.drop(columns="grade"),
    }
    for reason, given in wrong.items():
        with pytest.raises((ValueError, mlflow.MlflowException), match=reason):
            model.predict(given)


@pytest.mark.parametrize("kind", ["csv", "dataframe_split", "dataframe_records", "instances", "inputs"])
def test_mlflow_predicts_from_files(result: Outcome, tmp_path: Path, kind: str) -> None:
    # Few rows, of which pandas and JSON read whole numbers where the file of the training has others.
    rows = pd.read_csv(RECIPE.sample).query("bathrooms == 2 and floors == 1")[list(FEATURES)].head(3)
    expected = mlflow.pyfunc.load_model(result["model_uri"]).predict(rows).tolist()
    given, answers = tmp_path / "rows", tmp_path / "answers"
    whole = rows.astype(int)
    orient: Any = "split" if kind == "dataframe_split" else "records"
    given.write_text(whole.to_csv(index=False) if kind == "csv" else f'{{"{kind}": {whole.to_json(orient=orient)}}}')
    mlflow.models.predict(  # type: ignore[no-untyped-call]
        model_uri=result["model_uri"], input_path=str(given), output_path=str(answers), env_manager="local",
        content_type="csv" if kind == "csv" else "json",
    )  # fmt: skip
    assert json.loads(answers.read_text())["predictions"] == expected


@pytest.mark.parametrize(
    ("cells", "kind"),
    [("3", "long"), ("3.0", "double"), ("3e0", "double"), (str(2**53 + 2), "double"), ("+3", "long"), (" 3 ", "long")],
)
def test_columns_have_the_types_that_pandas_reads(
    sales: list[dict[str, str]], stored: Callable[..., str], cells: str, kind: str
) -> None:
    address = stored([row | {"sqft_lot": cells, "view": "0"} for row in sales[:-1]] + [sales[-1] | {"sqft_lot": "7"}])
    lot = pd.DataFrame(tables.read(RECIPE, address, 0.3).columns)["sqft_lot"]
    assert str(lot.dtype) == {"long": "int64", "double": "float64"}[kind]
    if float(cells) < 2**53:
        assert lot.dtype == pd.read_csv(address)["sqft_lot"].dtype


def test_stored_model_answers_the_parity_rows_to_the_last_digit(folder: Path) -> None:
    record = Record.from_metadata(yaml.safe_load((folder / "MLmodel").read_text())["metadata"])
    forest = skops.io.load(folder / "model.skops", trusted=SKOPS_TRUSTED_TYPES)
    assert record.names == list(FEATURES) == list(forest.feature_names_in_)
    assert record.libraries == {name: version(name) for name in ("scikit-learn", "numpy", "skops")}
    assert len(record.rows) == 5
    with pytest.warns(UserWarning, match="feature names"):
        assert forest.predict(record.rows).tolist() == record.predictions
    assert forest.n_jobs is None


def test_sample_is_reproduced_to_the_byte(tmp_path: Path) -> None:
    sample.write_sample(tmp_path / "again.csv")
    assert RECIPE.sample == sample.SAMPLE
    assert (tmp_path / "again.csv").read_bytes() == RECIPE.sample.read_bytes()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The public data set of King County, which is not part of the project."""
    folders = [Path(os.environ.get("MLPLATFORM_DATA", "")), ML_APP.parents[1] / "shared" / "data"]
    for path in (folder / "kc_house_data.csv" for folder in folders):
        if path.is_file():
            return path
    pytest.skip("no kc_house_data.csv: set MLPLATFORM_DATA to the folder that holds it")


def test_real_data_gives_the_known_scores(real_data: Path, call: Train) -> None:
    result = json.loads(call("--data", str(real_data), "--register-as", "real", "--json").stdout)
    assert result["dataset"]["rows"] == 21_613
    assert result["metrics"]["train_score"] == pytest.approx(0.750, abs=0.005)
    assert result["metrics"]["test_score"] == pytest.approx(0.710, abs=0.005)


def test_every_wrong_option_is_reported_at_once(train: Train) -> None:
    wrong = {
        "--n-estimators": "0", "--max-depth": "deep", "--max-features": "11", "--test-size": "1",
        "--least-rows": "1", "--seed": "-1",
        "--tag": "novalue", "--experiment": " ", "--register-as": "a/b", "--once": "a b",
    }  # fmt: skip
    done = train(*(f"{flag}={value}" for flag, value in wrong.items()), MLFLOW_TRACKING_URI="")
    assert (done.returncode, done.stdout) == (2, "")
    for flag in (*wrong, "--tracking-uri"):
        assert f"\n  {flag} " in done.stderr or f"give {flag}" in done.stderr


def test_password_in_the_server_address_is_refused_and_not_repeated(train: Train) -> None:
    done = train("--tracking-uri", "http://me:hush@127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "MLFLOW_TRACKING_PASSWORD" in done.stderr
    assert "hush" not in done.stderr


def test_bad_data_ends_before_the_server_is_asked(train: Train) -> None:
    done = train("--data", "nowhere.csv", "--json", MLFLOW_TRACKING_URI="http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {ML_APP}/nowhere.csv: cannot be read: No such file or directory; check the path\n"


def test_server_that_does_not_answer_is_reported(train: Train) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = train("--tracking-uri", uri)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first == f"error: the tracking server {uri} does not answer: [Errno 111] Connection refused"
    assert second.startswith(f"{socket.gethostname()} has tried to reach the tracking server {uri} for 0 s: ")


@pytest.mark.parametrize("once", [[], ["--once", "x"]])
def test_server_that_refuses_is_reported(call: Train, once: list[str]) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403, "not for you")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        done = call("--tracking-uri", f"http://127.0.0.1:{server.server_port}", *once)
        server.shutdown()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: MLflow at http://127.0.0.1:{server.server_port}: ")
    assert "403" in done.stderr
