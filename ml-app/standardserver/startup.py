"""Asks MLServer, in its own container, the rows that were recorded at training, and compares the answers.

    PYTHONPATH=the folder above this one python startup.py

A startup probe: exit code 0 when every answer is as at training, else 1 and one line that says why. Until then the pod
gets no requests. MLServer's own variables say where it is and where the model's files are: MLSERVER_HTTP_PORT,
MLSERVER_MODEL_NAME, MLSERVER_MODEL_URI.

A model that others have logged has no recorded rows. It is asked the input example that MLflow has saved with it, must
answer each row as its signature says, and as the platform has computed before with the model's own libraries
(`expected.py`). MLPLATFORM_ANSWERS=required says that this has been done: then it must be there; `ignored` says that
its form is all that counts. Where there is no example, or one that nobody understands, the server must be ready, and
that is said.

It needs nothing but the standard library of Python 3.10, `logged.py` and `comparing.py`.
"""

import importlib.metadata
import json
import math
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from standardserver.comparing import computed, differing
from standardserver.decided import ANSWERS_FILE
from standardserver.logged import Field, NoTableError, example, signature

TOLERANCES = {"float64": 1e-6, "float32": 1e-5}
"""How far an answer may lie from the recorded one, relative to it; as in `modelkit/parity.py`."""

ANSWERS_VARIABLE = "MLPLATFORM_ANSWERS"
"""Says whether the answers to the example must be there, `required`, or count for nothing, `ignored`."""

TIMEOUT_SECONDS = 8
SHOWN_CHARACTERS = 300

DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxy that the environment may name: the server is on this machine."""


class NotReadyError(Exception):
    """Why the server is not in service."""


class RefusedError(NotReadyError):
    """It answers, with an error."""


def check(folder: Path, model: str, port: str) -> str:
    """Compare a server's answers with those of the training, or else with what was logged with the model.

    Args:
        folder: the model's files.
        model: the name by which the server knows it.
        port: of the server, on this machine.

    Returns:
        What was compared.

    Raises:
        NotReadyError: the server does not answer, or otherwise than it should.
    """
    url = f"http://127.0.0.1:{port}/v2/models/{model}"
    record = recorded(folder)
    if record is None:
        ask(f"{url}/ready", None)
        return _check_example(folder, url)
    columns = [
        {"name": name, "shape": [len(values), 1], "datatype": "FP64", "data": values}
        for name, values in zip(record["names"], zip(*record["rows"], strict=True), strict=True)
    ]
    answer = ask(f"{url}/infer", {"parameters": {"content_type": "pd"}, "inputs": columns})
    answers, expected = answer["outputs"][0]["data"], record["predictions"]
    if len(answers) != len(expected):
        raise NotReadyError(f"{len(answers)} answers to {len(expected)} rows")
    tolerance = TOLERANCES[record.get("dtype", "float64")]
    for row, (answered, trained) in enumerate(zip(answers, expected, strict=True)):
        if not math.isclose(answered, trained, rel_tol=tolerance):
            raise NotReadyError(
                f"row {row}: answers {answered:.7g} where training answered {trained:.7g}; {libraries(record)}"
            )
    return f"{len(expected)} rows answered as at training, to {tolerance:g}"


def _check_example(folder: Path, url: str) -> str:
    """Ask a server that is ready the example of its model's input.

    Raises:
        NotReadyError: it is not answered, or otherwise than the model's signature says, or its own libraries answer.
    """
    logged, expected = signature(folder), expected_answers(folder)
    try:
        request, rows = example(folder, logged)
    except NoTableError as error:
        return f"ready; nothing to ask: {error}"
    try:
        outputs = ask(f"{url}/infer", request)["outputs"]
    except RefusedError as error:
        raise NotReadyError(f"its input example is not answered: {error}") from error
    if flaw := flaw_of(outputs, rows, logged.outputs):
        raise NotReadyError(f"its input example is answered wrongly: {flaw}")
    if expected and (difference := differing(outputs, expected["outputs"], rows)):
        raise NotReadyError(
            f"its input example is answered otherwise than by its own libraries: {difference}; {versions(expected)}"
        )
    told = " as by its own libraries" if expected else "" if logged.outputs else ", to no signature"
    return f"{rows} row{'s' * (rows > 1)} of its input example answered{told}"


def expected_answers(folder: Path) -> Any:
    """With what answers to the example are compared; None if with nothing.

    Raises:
        NotReadyError: it is damaged, or must be there and is not.
    """
    asked = os.environ.get(ANSWERS_VARIABLE)
    if asked == "ignored":
        return None
    try:
        expected = computed(folder)
    except ValueError as error:
        raise NotReadyError(f"its answers cannot be compared: {error}") from error
    if expected is None and asked == "required":
        raise NotReadyError(f"its answers cannot be compared: {ANSWERS_FILE} is missing")
    return expected


def flaw_of(outputs: list[Any], rows: int, fields: list[Field] | None) -> str | None:
    """What is wrong with the answer to so many rows, as a signature has its outputs; None if nothing is.

    MLServer's runtimes answer with a float32 where MLflow has a float64, and with whole numbers where that has others:
    any number is as good as another.
    """
    for one in outputs:
        if one["shape"][:1] != [rows]:
            return f"{one['name']!r} has the shape {one['shape']}, for {rows} row{'s' * (rows > 1)}"
    if fields is None:
        return None
    widths = [math.prod(one["shape"][1:]) for one in outputs]
    if all(field.width is not None for field in fields):
        expected = sum(field.width or 0 for field in fields)
        if sum(widths) != expected:
            return f"values in a row: {sum(widths)}, where its signature says {expected}"
        kinds = [field for field in fields for _ in range(field.width or 0)]
    else:
        # As many as there are, all of the one type.
        kinds = fields * sum(widths) if len(fields) == 1 else []
    for one, width in zip(outputs, widths, strict=True):
        here, kinds = kinds[:width], kinds[width:]
        for at, value in enumerate(one["data"] if here else []):
            field = here[at % width]
            if field.datatype is None:
                continue
            text = field.datatype == "BYTES"
            if text is not (one["datatype"] == "BYTES"):
                return f"{one['name']!r} is of {one['datatype']}, where its signature says {field.kind}"
            # JSON has no NaN: MLServer writes null.
            if not text and field.required and (value is None or not math.isfinite(value)):
                return f"row {at // width} gets no finite number, where its signature says {field.kind}"
    return None


def recorded(folder: Path) -> Any:
    """What training recorded; None if the model is none of this platform's training."""
    file = folder / "recorded.json"
    if file.is_file():
        return json.loads(file.read_text())
    mlmodel = folder / "MLmodel"
    if mlmodel.is_file() and "\n  mlplatform:" in mlmodel.read_text():
        raise NotReadyError(f"{file} is missing, though training has recorded rows: the files are not complete")
    return None


def ask(url: str, body: Any) -> Any:
    """The server's answer to a question."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 this machine
    try:
        with DIRECTLY.open(request, timeout=TIMEOUT_SECONDS) as response:
            text = response.read()
    except urllib.error.HTTPError as error:
        said = " ".join(error.read().decode(errors="replace").split())
        raise RefusedError(f"the server answers {error.code}: {said[:SHOWN_CHARACTERS]}") from error
    except OSError as error:
        raise NotReadyError(f"the server does not answer yet: {getattr(error, 'reason', error)}") from error
    return json.loads(text) if text else None


def libraries(record: Any) -> str:
    """Which versions trained, and which are here."""
    return "; ".join(
        f"trained with {name} {version}, the server has {installed(name)}"
        for name, version in record["libraries"].items()
    )


def versions(expected: Any) -> str:
    """Which versions have computed what is expected."""
    return "computed with " + ", ".join(f"{name} {version}" for name, version in expected["versions"].items())


def installed(library: str) -> str:
    """The version here; `xgboost-cpu` brings the module of `xgboost`."""
    for package in (library, f"{library}-cpu"):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "none"


def main() -> int:
    """Run the check."""
    name, where = os.environ["MLSERVER_MODEL_NAME"], Path(os.environ["MLSERVER_MODEL_URI"])
    try:
        said, code = check(where, name, os.environ["MLSERVER_HTTP_PORT"]), 0
    except NotReadyError as error:
        said, code = str(error), 1
    except (ValueError, KeyError, IndexError, TypeError) as error:
        said, code = f"the record or the answer is not as expected: {type(error).__name__} {error}", 1
    sys.stdout.write(f"{said}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
