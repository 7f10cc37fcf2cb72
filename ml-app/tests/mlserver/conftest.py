"""The wine-quality models as their trainings store them, and MLServer as a process of its own that serves one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest

import wine_quality_sklearn.train.recipe
import wine_quality_xgboost.train.recipe
from modelkit.command import main
from modelkit.stopping import SIGNALS
from others import Others
from standard_server import Server

RECIPES = {"sklearn": wine_quality_sklearn.train.recipe.RECIPE, "xgboost": wine_quality_xgboost.train.recipe.RECIPE}

SERVERS = {
    **{library: (library, library) for library in RECIPES},
    **{f"mlflow, {library}": (library, "mlflow") for library in RECIPES},
}
"""The library and MLServer's runtime of each server that the tests ask."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of each model's champion."""
    store = tmp_path_factory.mktemp("mlflow")
    # The tracking server's own environment has a database; this one has what serves.
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    handlers = {signum: signal.getsignal(signum) for signum in SIGNALS}
    for recipe in RECIPES.values():
        assert main(recipe, ["--tracking-uri", store.as_uri(), "--json"]) == 0
    for signum, handler in handlers.items():
        signal.signal(signum, handler)
    mlflow.set_tracking_uri(store.as_uri())
    fetch = mlflow.artifacts.download_artifacts
    return {
        library: Path(fetch(f"models:/{recipe.name}@champion", dst_path=str(store / library)))
        for library, recipe in RECIPES.items()
    }


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts a server of a model's files."""
    started: list[Server] = []

    def start(library: str, files: Path, runtime: str | None = None, **variables: str) -> Server:
        started.append(Server(library, files, tmp_path_factory.mktemp("server") / "log", runtime, **variables))
        return started[-1]

    yield start
    for server in started:
        server.end()
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def servers(trained: dict[str, Path], serve: Callable[..., Server]) -> dict[str, Server]:
    """A server for each model and runtime."""
    started = {name: serve(library, trained[library], runtime) for name, (library, runtime) in SERVERS.items()}
    for server in started.values():
        server.wait_until_ready()
    return started


@pytest.fixture(params=SERVERS)
def server(servers: dict[str, Server], request: pytest.FixtureRequest) -> Server:
    """Each of the servers."""
    return servers[request.param]


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Server]) -> Others:
    """Models that others have logged, served."""
    return Others(tmp_path_factory.mktemp("others"), serve)
