"""The check of a pod's start: it passes when the server answers the recorded rows as training did, and not before."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import RECIPES
from standard_server import ML_APP, Server, python_of

TOLERANCES = {"sklearn": 1e-6, "xgboost": 1e-5}


@pytest.fixture
def changed(server: Server, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the files of the server's model, with changes of its record."""

    def change(**changes: Any) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(server.files, folder, dirs_exist_ok=True)
        record = json.loads((folder / "recorded.json").read_text())
        (folder / "recorded.json").write_text(json.dumps(record | changes))
        return folder

    return change


def test_a_server_that_answers_as_at_training_is_in_service(server: Server) -> None:
    checked = server.startup(http_proxy="http://127.0.0.1:1")
    expected = f"5 rows answered as at training, to {TOLERANCES[server.library]:g}\n"
    assert (checked.returncode, checked.stdout) == (0, expected), checked.stderr


def test_other_numbers_are_told_with_both_versions(server: Server, changed: Callable[..., Path]) -> None:
    record = json.loads((server.files / "recorded.json").read_text())
    tolerance = TOLERANCES[server.library]
    first, *others = record["predictions"]
    inside = [first * (1 + 0.9 * tolerance), *others]
    assert server.startup(changed(predictions=inside)).returncode == 0
    outside = [first, others[0] * (1 + 1.2 * tolerance), *others[1:]]
    checked = server.startup(changed(predictions=outside, libraries={"numpy": "9.9.9", "nonesuch": "1"}))
    assert checked.returncode == 1
    assert checked.stdout.startswith(f"row 1: answers {others[0]:.7g} where training answered {outside[1]:.7g}; ")
    assert checked.stdout.endswith(
        "trained with numpy 9.9.9, the server has 1.26.4; trained with nonesuch 1, the server has none\n"
    )


def test_what_cannot_be_compared_is_not_in_service(server: Server, changed: Callable[..., Path]) -> None:
    names = [*RECIPES[server.library].features[:-1], "alcool"]
    assert "answers 400" in server.startup(changed(names=names)).stdout
    assert "not as expected: KeyError 'names'" in _said(server, _written(changed(), "recorded.json", "{}"))
    assert "not as expected: JSONDecodeError" in _said(server, _written(changed(), "recorded.json", "{"))
    folder = changed()
    (folder / "recorded.json").unlink()
    assert "recorded.json is missing, though training has recorded rows" in _said(server, folder)


def test_a_model_of_others_must_be_ready_and_no_more(server: Server, tmp_path: Path) -> None:
    checked = server.startup(tmp_path)
    assert (checked.returncode, checked.stdout) == (
        0,
        "ready; nothing to ask: no input example was logged with the model\n",
    )
    absent = server.startup(tmp_path, MLSERVER_MODEL_NAME="other")
    assert (absent.returncode, "answers 404" in absent.stdout) == (1, True)


def test_a_server_that_is_not_up_yet(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    checked = server.startup(MLSERVER_HTTP_PORT=port)
    assert (checked.returncode, checked.stdout) == (
        1,
        "the server does not answer yet: [Errno 111] Connection refused\n",
    )


def test_what_a_newer_xgboost_wrote_is_loaded_without_a_word_and_kept_out_of_service(
    serve: Callable[[str, Path], Server], tmp_path: Path
) -> None:
    script = Path(__file__).with_name("next_xgboost.py")
    command = [python_of("xgboost-next"), str(script), str(RECIPES["xgboost"].sample), str(tmp_path)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ML_APP)}, check=True)
    server = serve("xgboost", tmp_path)
    server.wait_until_ready()
    checked = server.startup()
    said = r"row 0: answers (\S+) where training answered (\S+); trained with xgboost 3.1.3, the server has 2.1.2\n"
    numbers = re.fullmatch(said, checked.stdout)
    assert numbers, checked.stdout
    answered, trained = map(float, numbers.groups())
    assert answered < 2
    assert trained > 5
    assert checked.returncode == 1


@pytest.mark.parametrize(
    "broken",
    [("sklearn", "sklearn", "model.pkl"), ("xgboost", "xgboost", "model.json"), ("sklearn", "mlflow", "model.pkl")],
)
def test_a_file_that_cannot_be_loaded_ends_the_server_with_the_cause(
    serve: Callable[..., Server], trained: dict[str, Path], tmp_path: Path, broken: tuple[str, str, str]
) -> None:
    library, runtime, file = broken
    folder = shutil.copytree(trained[library], tmp_path / "files")
    (folder / file).write_bytes((folder / file).read_bytes()[:1000])
    server = serve(library, folder, runtime)
    assert server.wait_until_it_ends() == 1
    *_, said = server.log.read_text().splitlines()
    where = folder if runtime == "mlflow" else folder / file
    assert said.startswith(f"MLServer cannot load {where}: ")
    assert re.search(rf"Error: \S.*; trained with {RECIPES[library].make_estimator().libraries[0]} ", said), said


def _written(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content)
    return folder


def _said(server: Server, folder: Path) -> str:
    checked = server.startup(folder)
    assert checked.returncode == 1
    return checked.stdout
