"""The class is a plain Seldon class: seldon-core's own server serves it too."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import HOUSE_PRICE
from house_price.features import FEATURES
from model_process import ModelProcess, Rows, tensor
from test_forms import WAYS


@pytest.fixture(scope="module")
def microservice(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """`seldon-core-microservice`, unmodified."""
    command = shutil.which("seldon-core-microservice", path=str(Path(sys.executable).parent))
    assert command
    log = tmp_path_factory.mktemp("microservice") / "log"
    process = ModelProcess([command, HOUSE_PRICE, "--service-type", "MODEL"], log, {"model_dir": str(model_dir)})
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.stop()


def test_same_answers(microservice: ModelProcess, server: ModelProcess, rows: Rows) -> None:
    assert microservice.prices(rows[:9]) == server.prices(rows[:9])
    message = {"data": {"names": FEATURES[::-1], "ndarray": rows[:9, ::-1].tolist()}}
    assert microservice.post(message).json()["data"] == server.post(message).json()["data"]
    (over_grpc,) = microservice.call("Model", "Predict", tensor(rows[:1])).data.tensor.values
    assert [over_grpc] == server.prices(rows[:1])


@pytest.mark.parametrize("way", WAYS)
def test_same_answers_to_forms(microservice: ModelProcess, server: ModelProcess, row: Rows, way: str) -> None:
    for names in ([], list(FEATURES)):
        theirs, ours = (WAYS[way](f"{process.url}/predict", row, names) for process in (microservice, server))
        assert (theirs.status_code, theirs.json()["data"]) == (200, ours.json()["data"])


def test_bad_rows_are_refused(microservice: ModelProcess, server: ModelProcess, rows: Rows) -> None:
    for message in (
        {"data": {"ndarray": rows[:2, :9].tolist()}},
        {"data": {"names": ["a"] * 10, "ndarray": [[1] * 10]}},
    ):
        answer = microservice.post(message)
        assert (answer.status_code, answer.json()) == (400, server.post(message).json())


def test_rows_are_counted(microservice: ModelProcess, rows: Rows) -> None:
    before = microservice.samples()["house_price_predictions_total"]
    microservice.prices(rows[:6])
    assert microservice.samples()["house_price_predictions_total"] - before == 6
