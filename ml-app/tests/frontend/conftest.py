"""Model servers in this process, and the file that lists them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from frontend.listed import VARIABLE, Listed
from stand_ins import Answering, StandIn


@pytest.fixture
def serve() -> Iterator[Callable[[Answering], StandIn]]:
    running: list[StandIn] = []

    def start(answering: Answering) -> StandIn:
        running.append(StandIn(answering))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def list_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the file that the page reads."""

    def write(*models: Listed) -> None:
        file = tmp_path / "models.json"
        listed = [
            {
                **{"name": one.name, "protocol": one.protocol, "address": one.address, "unit": one.unit},
                "version": one.version,
                "score": one.score and {"name": one.score[0], "value": one.score[1]},
            }
            for one in models
        ]
        file.write_text(json.dumps({"models": listed}))
        monkeypatch.setenv(VARIABLE, str(file))

    return write
