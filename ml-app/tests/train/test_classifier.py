"""A classifier is trained, measured, recorded and compared like any other model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from digits import sample
from digits.features import CLASSES, FEATURES
from digits.train.recipe import RECIPE
from modelkit import tables
from modelkit.command import main
from modelkit.datasets import DataError
from modelkit.parity import Record
from modelkit.splitting import split
from modelkit.training import scores

LINES = RECIPE.sample.read_text().splitlines()


def stored(folder: Path, lines: Sequence[str]) -> str:
    path = folder / "digits.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_training(tracking_uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    results = []
    for more in ([], ["--c", "0.00001"]):
        assert main(RECIPE, ["--tracking-uri", tracking_uri, "--json", "--register-as", "digits-test", *more]) == 0
        results.append(json.loads(capsys.readouterr().out))
    first, second = results
    assert first["alias"] == "champion"
    assert 0.9 < first["metrics"]["test_score"] < 1
    assert first["metrics"]["test_log_loss"] < 0.3
    # The worse one was compared with it on the same rows.
    assert second["alias"] == "challenger"
    assert second["metrics"]["champion_test_score"] == first["metrics"]["test_score"]
    loaded = mlflow.pyfunc.load_model(first["model_uri"])
    record = Record.from_metadata(loaded.metadata.metadata)
    for kind in ("int64", "float64", "int32"):
        rows = pd.DataFrame(record.rows, columns=list(FEATURES)).astype(kind)
        assert record.mismatches(loaded.predict(rows).tolist()) == []
    assert np.shape(record.predictions) == (5, len(CLASSES))


def test_training_told_to_people_and_not_repeated(tracking_uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--tracking-uri", tracking_uri, "--register-as", "digits-once", "--once", "key"]
    told = []
    for _ in range(2):
        assert main(RECIPE, command) == 0
        told.append(capsys.readouterr().out)
    first, again = told
    assert re.search(
        r"^accuracy 0\.9\d\d on test rows \(0\.9\d\d in training\), log loss 0\.\d{3}$", first, re.MULTILINE
    )
    assert again.startswith("digits-once version 1 is the champion: an earlier run has trained it")
    assert main(RECIPE, [*command[:4], "--json", "--compare", "1"]) == 0


def test_sample_is_reproduced_to_the_byte(tmp_path: Path) -> None:
    sample.write_sample(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == RECIPE.sample.read_bytes()


def test_scores() -> None:
    sure = np.eye(10)[[3, 7, 7]] * 0.91 + 0.009
    found = scores(RECIPE, "test", np.array([3, 7, 1]), sure / sure.sum(axis=1, keepdims=True))
    assert found["test_score"] == pytest.approx(2 / 3)
    assert set(found) == {"test_score", "test_log_loss"}


def test_no_such_class(tmp_path: Path) -> None:
    wrong = [*LINES[:200], LINES[200].rpartition(",")[0] + ",12", LINES[201].rpartition(",")[0] + ",0.5"]
    with pytest.raises(DataError, match=r"digit is 0\.5, 12 in some rows; the classes are 0, 1, 2"):
        tables.read(RECIPE, stored(tmp_path, wrong), 0.3)


def test_a_class_that_nothing_shows(tmp_path: Path) -> None:
    lines = [line for line in LINES[:300] if not line.endswith((",4", ",7"))]
    table = tables.read(RECIPE, stored(tmp_path, lines), 0.3)
    with pytest.raises(DataError, match=r"the \d+ rows to train on have no digit 4, 7: give more data"):
        split(RECIPE, pd.DataFrame(table.columns), {"test_size": 0.3, "seed": 3})


@pytest.mark.parametrize(
    ("answered", "same"),
    [
        ([[1 - 1e-9, 3e-12]], True),
        ([[0.9, 0.1]], False),
        ([[1.0]], False),
        ([1.0], False),
    ],
)
def test_answers_of_several_numbers(answered: list[list[float]], same: bool) -> None:
    record = Record(["a"], [[1.0]], [[1.0, 1e-12]], {})
    assert (record.mismatches(answered) == []) == same
