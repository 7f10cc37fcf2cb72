"""Asks MLServer, in its own container, the rows that were recorded at training, and compares the answers.

    python startup.py

A startup probe: exit code 0 when every answer is as at training, else 1 and one line that says why. Until then the pod
gets no requests. MLServer's own variables say where it is and where the model's files are: MLSERVER_HTTP_PORT,
MLSERVER_MODEL_NAME, MLSERVER_MODEL_URI. A model that others have logged has no recorded rows; for it the server must be
ready, and that is said.

It needs nothing but the standard library of Python 3.10.
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

TOLERANCES = {"float64": 1e-6, "float32": 1e-5}
"""How far an answer may lie from the recorded one, relative to it; as in `modelkit/parity.py`."""

TIMEOUT_SECONDS = 8
SHOWN_CHARACTERS = 300

DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxy that the environment may name: the server is on this machine."""


class NotReadyError(Exception):
    """Why the server is not in service."""


def check(folder: Path, model: str, port: str) -> str:
    """Compare a server's answers with those of the training.

    Args:
        folder: the model's files.
        model: the name by which the server knows it.
        port: of the server, on this machine.

    Returns:
        What was compared.

    Raises:
        NotReadyError: the server does not answer, or otherwise than at training.
    """
    url = f"http://127.0.0.1:{port}/v2/models/{model}"
    record = recorded(folder)
    if record is None:
        ask(f"{url}/ready", None)
        return "ready; the model's files hold no rows of its training to compare"
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
        raise NotReadyError(f"the server answers {error.code}: {said[:SHOWN_CHARACTERS]}") from error
    except OSError as error:
        raise NotReadyError(f"the server does not answer yet: {getattr(error, 'reason', error)}") from error
    return json.loads(text) if text else None


def libraries(record: Any) -> str:
    """Which versions trained, and which are here."""
    return "; ".join(
        f"trained with {name} {version}, the server has {installed(name)}"
        for name, version in record["libraries"].items()
    )


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
