"""Where no training has recorded answers, a model's own libraries compute them once, and servers are held to them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel

from standard_server import ML_APP, Server
from standardserver.comparing import computed, differing
from standardserver.decided import ANSWERS_FILE
from standardserver.expected import NotComputedError, compute

NUMBERS = pd.DataFrame({"age": [20.0, 30.0, 45.0], "income": [1.5, 2.5, 3.5]})
ANSWERS = np.array([1.0, 2.0, 3.0])


class Guess(PythonModel):
    """Answers as it likes."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Guess."""
        del context, params
        return np.array([random.random() for _ in range(len(model_input))])


class Broken(PythonModel):
    """Fails."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Fail."""
        raise KeyError("shoe size")


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Saves a model with plain MLflow."""

    def saved(model: Any, **more: Any) -> Path:
        flavour: Any = mlflow.xgboost if isinstance(model, xgboost.XGBModel) else mlflow.pyfunc
        given = {"xgb_model": model} if flavour is mlflow.xgboost else {"python_model": model}
        about = {"signature": infer_signature(NUMBERS, ANSWERS), "pip_requirements": ["numpy"]}
        flavour.save_model(path=tmp_path / "model", **given, **about, **more)
        return tmp_path / "model"

    return saved


@pytest.fixture
def trees(save: Callable[..., Path]) -> Path:
    """The files of a model whose answers have not been computed."""
    return save(xgboost.XGBRegressor(n_estimators=5).fit(NUMBERS, ANSWERS), input_example=NUMBERS)


def command(*words: str, **variables: str) -> tuple[int, str]:
    """The exit code of the command, and what it says."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "standardserver.expected", *words],
        # No store is asked, and none is made in this folder.
        env=os.environ | {"PYTHONPATH": str(ML_APP), "MLFLOW_TRACKING_URI": "http://127.0.0.1:1"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_server_of_others_is_held_to_what_its_own_libraries_answer(
    trees: Path, serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve("xgboost", trees)
    server.wait_until_ready()
    assert server.startup().stdout == "3 rows of its input example answered\n"
    missing = server.startup(MLPLATFORM_ANSWERS="required")
    assert (missing.returncode, missing.stdout) == (1, f"its answers cannot be compared: {ANSWERS_FILE} is missing\n")
    assert command(str(trees)) == (0, "computed for 3 rows of its input example\n")
    assert (
        server.startup(MLPLATFORM_ANSWERS="required").stdout
        == "3 rows of its input example answered as by its own libraries\n"
    )

    other = tmp_path / "other"
    shutil.copytree(trees, other)
    content = computed(other)
    value = content["outputs"][0]["data"][1]
    content["outputs"][0]["data"][1] = value + 0.01
    (other / ANSWERS_FILE).write_text(json.dumps(content))
    wrong = server.startup(other, MLPLATFORM_ANSWERS="required")
    assert wrong.returncode == 1
    assert wrong.stdout.startswith("its input example is answered otherwise than by its own libraries: value 1 is ")
    assert f"xgboost-cpu {xgboost.__version__}" in wrong.stdout
    ignored = server.startup(other, MLPLATFORM_ANSWERS="ignored")
    assert ignored.stdout == "3 rows of its input example answered\n"
    for damaged in ("[]", '{"outputs": [{}], "versions": {}}'):
        (other / ANSWERS_FILE).write_text(damaged)
        assert server.startup(other).stdout == (
            f"its answers cannot be compared: {ANSWERS_FILE} is not what the platform has written\n"
        )
    (other / ANSWERS_FILE).write_text('{"rows": 3, "outp')
    assert server.startup(other).stdout.startswith(
        f"its answers cannot be compared: {ANSWERS_FILE} is damaged: Unterminated string"
    )


def test_what_mlflow_keeps_is_computed_once_and_put_beside_it(trees: Path) -> None:
    address = trees.as_uri()
    changed = command("--at", address, MLPLATFORM_FILES=json.dumps({"MLmodel": "0" * 64}))
    assert (changed[0], "is not what was decided on" in changed[1]) == (1, True)
    assert computed(trees) is None
    assert command("--at", address) == (0, "computed for 3 rows of its input example\n")
    first = (trees / ANSWERS_FILE).read_bytes()
    assert command("--at", address) == (0, f"computed before, and kept as {ANSWERS_FILE}\n")
    assert (trees / ANSWERS_FILE).read_bytes() == first
    (trees / ANSWERS_FILE).write_bytes(first[:20])
    assert command("--at", address) == (0, "computed for 3 rows of its input example\n")
    assert (trees / ANSWERS_FILE).read_bytes() == first


@pytest.mark.parametrize(
    ("model", "more", "reason"),
    [
        (
            Guess(),
            {"input_example": NUMBERS},
            "it answers the same rows otherwise from one time to the next: value 0 is",
        ),
        (Broken(), {}, "no input example was logged with the model"),
    ],
    ids=["guess", "no example"],
)
def test_what_cannot_be_computed_is_told(
    save: Callable[..., Path], model: Any, more: dict[str, Any], reason: str
) -> None:
    folder = save(model, **more)
    with pytest.raises(NotComputedError, match=reason):
        compute(folder)
    assert computed(folder) is None


def test_a_model_that_fails_at_its_own_example_is_told(trees: Path) -> None:
    (trees / "model.ubj").write_bytes(b"{}")
    assert command(str(trees))[0] == 1
    assert command(str(trees))[1].startswith("it does not answer its own example: ")


class Talks(PythonModel):
    """Prints, moves the cursor, and ends."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Print."""
        del context, params
        os.write(1, b"computed for 9 rows\n" * 100_000)
        if len(model_input) == len(NUMBERS):
            raise SystemExit("\x1b]0;title\x07")
        return np.zeros(len(model_input))


def test_what_a_model_prints_is_not_taken_for_what_the_command_says(save: Callable[..., Path]) -> None:
    folder = save(Talks(), input_example=NUMBERS)
    here = f"{ML_APP}:{Path(__file__).parent}:{Path(__file__).parents[1]}"
    assert command(str(folder), PYTHONPATH=here) == (1, "it ends the process at its own example, with ?]0;title?\n")


def test_what_lies_there_in_place_of_the_answers_is_told(trees: Path) -> None:
    (trees / ANSWERS_FILE).write_text("[")
    assert command(str(trees)) == (0, "computed for 3 rows of its input example\n")
    assert command(str(trees)) == (0, "computed before, for 3 rows of its input example\n")
    (trees / ANSWERS_FILE).unlink()
    (trees / ANSWERS_FILE).mkdir()
    assert command(str(trees)) == (1, f"{ANSWERS_FILE} cannot be written: Is a directory\n")


def output(*data: Any, datatype: str = "FP64") -> dict[str, Any]:
    return {"name": "any", "datatype": datatype, "data": list(data)}


@pytest.mark.parametrize(
    ("answered", "expected", "difference", "rows"),
    [
        ([output(1.0, 2.0)], [output(1.0), output(2.0)], None, 1),
        ([output(1.0 + 9e-7)], [output(1.0)], None, 1),
        ([output(1.0 + 2e-6)], [output(1.0)], "value 0 is 1.000002, where 1 is expected", 1),
        ([output(1.0 + 9e-6, datatype="FP32")], [output(1.0)], None, 1),
        ([output(1.0, 1e-12)], [output(1.0, 3e-12)], None, 1),
        ([output(1.0)], [output(1.0, 2.0)], "1 values, where 2 are expected", 1),
        ([output(None)], [output(None)], None, 1),
        ([output(None)], [output(1.0)], "value 0 is null, where 1 is expected", 1),
        ([output("Łódź", datatype="BYTES")], [output("Rome", datatype="BYTES")], 'value 0 is "Łódź", where "Rome"', 1),
        ([output(True, datatype="BOOL")], [output(1, datatype="INT64")], "value 0 is true, where 1 is expected", 1),
        ([output(3, datatype="INT32")], [output(3.0)], None, 1),
        # Beside a great number of another output or row a small one counts as by itself.
        ([output(5e9), output(0.1)], [output(5e9), output(0.9)], "value 1 is 0.1, where 0.9 is expected", 1),
        ([output(5e9, 0.1)], [output(5e9, 0.9)], "value 1 is 0.1, where 0.9 is expected", 2),
        ([output(1e8, 0.1, datatype="FP32")], [output(1e8, 0.9)], "value 1 is 0.1, where 0.9 is expected", 2),
        ([output(1234567, datatype="INT64")], [output(1234568, datatype="INT64")], "value 0 is 1234567, where", 1),
        ([output(-2e-16)], [output(0.0)], None, 1),
    ],
)
def test_what_counts_as_another_answer(answered: Any, expected: Any, difference: str | None, rows: int) -> None:
    said = differing(answered, expected, rows)
    assert said is None if difference is None else (said or "").startswith(difference), said
