"""What a model answers to the example of its input by its own libraries alone, as a file beside it.

    PYTHONPATH=the folder above this one python -m standardserver.expected FOLDER
    PYTHONPATH=the folder above this one python -m standardserver.expected --at mlflow-artifacts:/…

The numbers that a training of the platform records are recorded by nobody where others have logged a model. So they are
computed once, before it is served: MLflow loads the model and the example, and predicts. No server takes part, and a
server's answers are compared with the file at each of its starts (`comparing.py`).

The first form writes the file into the folder. The second fetches the files from MLflow, and puts the one file beside
them; where it is there already, it is kept, unless it is damaged. Both end with one line that says what was done, or
why it cannot be.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from standardserver.comparing import Output, computed, differing
from standardserver.decided import ANSWERS_FILE, OtherFilesError, check_files
from standardserver.logged import NoTableError, Signature, example, signature
from standardserver.printing import own_output, printable

SHOWN_CHARACTERS = 300


class NotComputedError(Exception):
    """Why there is nothing to compare a server's answers with."""


def compute(folder: Path) -> str:
    """Have a model answer its example, and write down what it answers, unless that has been done.

    Args:
        folder: the model's files.

    Returns:
        What was done.

    Raises:
        NotComputedError: there is no example that a server can be asked, the model fails at it, or answers it
            differently from one time to the next.
    """
    with suppress(ValueError):
        if known := computed(folder):
            return f"computed before, for {_of_rows(known['rows'])}"
    logged = signature(folder)
    try:
        _, rows = example(folder, logged)
    except NoTableError as error:
        raise NotComputedError(str(error)) from error
    first, second = _answers(folder, rows, named(logged))
    if difference := differing(first, second, rows):
        raise NotComputedError(f"it answers the same rows otherwise from one time to the next: {difference}")
    target = folder / ANSWERS_FILE
    partial = target.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps({"rows": rows, "outputs": first, "versions": _versions()}, allow_nan=False))
    partial.rename(target)
    return f"computed for {_of_rows(rows)}"


def compute_at(address: str) -> str:
    """The same for files that MLflow keeps, where that has not been done before.

    Args:
        address: of their folder, as MLflow's clients take it: `mlflow-artifacts:/1/models/m-abc/artifacts`.

    Raises:
        NotComputedError: as `compute`; or the files are others than those that were decided on.
    """
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415 takes seconds, and the other form has no use for it
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        kept: Any = get_artifact_repository(address)
        if any(one.path == ANSWERS_FILE for one in kept.list_artifacts()):
            kept.download_artifacts(ANSWERS_FILE, scratch)
            with suppress(ValueError):
                computed(Path(scratch))
                return f"computed before, and kept as {ANSWERS_FILE}"
        folder = Path(download_artifacts(artifact_uri=address, dst_path=scratch))
        try:
            check_files(folder)
        except OtherFilesError as error:
            raise NotComputedError(str(error)) from error
        said = compute(folder)
        kept.log_artifact(str(folder / ANSWERS_FILE))
        return said


def _answers(folder: Path, rows: int, names: list[str]) -> list[list[Output]]:
    """What a model answers to so many rows of its example, asked twice; each as a server writes it."""
    import mlflow.pyfunc  # noqa: PLC0415

    try:
        model = mlflow.pyfunc.load_model(str(folder))
        return [answers_of(model, folder, rows, names) for _ in range(2)]
    except SystemExit as error:
        raise NotComputedError(f"it ends the process at its own example, with {error.code}") from error
    except Exception as error:
        said = " ".join(str(error).split())[:SHOWN_CHARACTERS]
        raise NotComputedError(f"it does not answer its own example: {type(error).__name__}: {said}") from error


def named(logged: Signature) -> list[str]:
    """The names of a signature's outputs."""
    return [one.name for one in logged.outputs or [] if one.name is not None]


def answers_of(model: Any, folder: Path, rows: int, names: list[str]) -> list[Output]:
    """What a model that MLflow has loaded answers to so many rows of its example, as a server writes it.

    Args:
        model: as `mlflow.pyfunc` has it.
        folder: its files.
        rows: how many.
        names: of its outputs.

    Raises:
        Exception: it does not answer; each library has its own.
    """
    from standardserver.answers import outputs  # noqa: PLC0415 needs MLServer

    answer = outputs(model.predict(_first(model.metadata.load_input_example(str(folder)), rows)), names)
    return [
        {"name": one.name, "datatype": str(one.datatype), "data": [_plain(value) for value in one.data]}
        for one in answer
    ]


def _first(asked: Any, rows: int) -> Any:
    """So many rows of an example, in whatever form MLflow has it."""
    if isinstance(asked, Mapping):
        return {name: values[:rows] for name, values in asked.items()}
    if hasattr(asked, "iloc"):
        return asked.iloc[:rows]
    return asked[:rows]


def _plain(value: Any) -> Any:
    """A value as JSON has it; what is no finite number is null, as in a server's answer."""
    if isinstance(value, bytes):
        return value.decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _versions() -> dict[str, str]:
    """Of what computed, for whoever looks for a difference."""
    from importlib.metadata import distributions  # noqa: PLC0415

    told = ("mlflow", "mlflow-skinny", "numpy", "pandas", "scikit-learn", "xgboost", "xgboost-cpu", "lightgbm")
    return {one.name: one.version for one in distributions() if one.name in told}


def _of_rows(rows: int) -> str:
    return f"{rows} row{'s' * (rows > 1)} of its input example"


def main() -> int:
    """Run the command."""
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    where = arguments.add_mutually_exclusive_group(required=True)
    where.add_argument("folder", nargs="?", type=Path, help="a model's files")
    where.add_argument("--at", help="where MLflow keeps them")
    given = arguments.parse_args()
    with own_output() as out:
        try:
            said, code = compute(given.folder) if given.at is None else compute_at(given.at), 0
        except NotComputedError as error:
            said, code = str(error), 1
        except OSError as error:
            said, code = f"{ANSWERS_FILE} cannot be written: {error.strerror}", 1
        out.write(f"{printable(said)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
