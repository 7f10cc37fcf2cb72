"""A model as training stores it, and the server that serves it as a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from house_price import features
from model_folder import write_model
from model_process import ModelProcess, Rows

SAMPLE = Path(features.__file__).with_name("sample.csv")
HOUSE_PRICE = "house_price.serve.HousePrice"


@pytest.fixture(scope="session")
def rows() -> Rows:
    """The houses of the sample, shape (2000, 10)."""
    assert SAMPLE.open().readline().strip() == ",".join((*features.FEATURES, features.TARGET))
    return np.loadtxt(SAMPLE, delimiter=",", skiprows=1, usecols=range(len(features.FEATURES)))


@pytest.fixture(scope="session")
def row(rows: Rows) -> Rows:
    """One house, shape (1, 10)."""
    return rows[:1]


@pytest.fixture(scope="session")
def forest(rows: Rows) -> RandomForestRegressor:
    """A forest as training makes it."""
    prices = np.loadtxt(SAMPLE, delimiter=",", skiprows=1, usecols=len(features.FEATURES))
    return RandomForestRegressor(n_estimators=100, max_depth=6, max_features=10, random_state=3).fit(rows, prices)


@pytest.fixture(scope="session")
def model_dir(forest: RandomForestRegressor, rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that forest."""
    folder = tmp_path_factory.mktemp("model")
    write_model(folder, forest, rows[:5])
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ModelProcess]]:
    """Starts the model server with a class; keywords are parameters of the class, or environment variables."""
    started: list[ModelProcess] = []

    def run(class_name: str, **settings: str) -> ModelProcess:
        parameters = {name: value for name, value in settings.items() if name.islower()}
        environment = {name: value for name, value in settings.items() if name.isupper()}
        log = tmp_path / f"{len(started)}.log"
        started.append(ModelProcess(["-m", "modelserver", class_name], log, parameters, **environment))
        return started[-1]

    yield run
    for process in started:
        process.stop()


@pytest.fixture(scope="session")
def server(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """A server of the forest, as Seldon's operator would start it."""
    process = ModelProcess(
        ["-m", "modelserver", HOUSE_PRICE],
        tmp_path_factory.mktemp("server") / "log",
        {"model_dir": str(model_dir), "model_version": "7"},
        SELDON_DEPLOYMENT_ID="houses",
        PREDICTOR_ID="default",
        PREDICTIVE_UNIT_ID="forest",
        PREDICTIVE_UNIT_IMAGE="house-price-serve:1.2",
    )
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.stop()
