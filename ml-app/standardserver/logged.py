"""What MLflow has logged with a model: its signature, and the example of its input as a request.

MLflow's file `MLmodel` is YAML, for which MLServer's images need not have a reader: neither MLServer nor its runtimes
for XGBoost and scikit-learn require one. The few lines that matter are read as MLflow writes them: a signature is JSON
in single quotes, an example the name of a file beside it. What stands there otherwise is not known, and nothing is made
of it.

It needs nothing but the standard library of Python 3.10.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NUMBERS = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
"""MLflow's types of columns that are numbers, as NumPy calls them."""
LARGEST_EXAMPLE = 4 * 1024 * 1024
LARGEST_REQUEST = 1024 * 1024
"""As `over_rest.py` takes it."""
MOST_ROWS = 100

_DATATYPES = {
    **{f"{kind}{bits}": f"{kind.upper()}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
    **{"bool": "BOOL", "boolean": "BOOL", "str": "BYTES", "string": "BYTES", "object": "BYTES"},
    **{"datetime": "BYTES", "binary": "BYTES"},
}


@dataclass(frozen=True)
class Field:
    """A column, or a tensor, of a signature."""

    name: str | None
    kind: str
    """As MLflow writes it: `double`, `float32`."""
    datatype: str | None
    """As the protocol calls it; None if that has no such type, or several."""
    width: int | None
    """Values in a row; None if that is not said."""
    required: bool
    tensor: bool


@dataclass(frozen=True)
class Signature:
    """What a model takes and answers; None where it is not known."""

    inputs: list[Field] | None = None
    outputs: list[Field] | None = None

    def numbers(self) -> dict[str, Field]:
        """The inputs by name, if all are columns of numbers that no row may leave out; else nothing."""
        fields = {field.name: field for field in self.inputs or [] if field.name is not None}
        plain = all(field.kind in NUMBERS and field.required and not field.tensor for field in fields.values())
        return fields if plain and len(fields) == len(self.inputs or []) else {}


class NoTableError(Exception):
    """Why an example is not asked: it is not there, or not understood."""


def signature(folder: Path) -> Signature:
    """What a model's `MLmodel` says that it takes and answers."""
    lines = _block(folder, "signature")
    return Signature(_fields(lines, "inputs"), _fields(lines, "outputs"))


def example(folder: Path, signature: Signature) -> tuple[Any, int]:
    """The request that asks the rows of a model's example, or the first of them, and how many those are.

    Raises:
        NoTableError: says why there is none.
    """
    content, fields = _content(folder), signature.inputs or []
    if fields and all(field.tensor for field in fields):
        number, ask = _asking_tensors(content, fields)
    else:
        if [field.name for field in fields] == [None] and isinstance(content, list):
            # Values without a name may come without rows.
            content = [row if isinstance(row, list | dict) else [row] for row in content]
        columns, rows = _table(content)
        number, ask = len(rows), lambda number: _request(columns, rows[:number], signature)
    number = min(number, MOST_ROWS)
    while number > 1 and len(json.dumps(ask(number))) > LARGEST_REQUEST:
        number //= 2
    return ask(number), number


def _block(folder: Path, key: str) -> str:
    """The lines of a mapping in `MLmodel`; none if it is not there, or written in another way."""
    try:
        text = (folder / "MLmodel").read_text()
    except (OSError, ValueError):
        return ""
    found = re.search(rf"^{key}:\n((?:  .*(?:\n|\Z))+)", text, re.MULTILINE)
    return found[1] if found else ""


def _fields(lines: str, key: str) -> list[Field] | None:
    found = re.search(rf"^  {key}: '((?:[^']|'')*)'$", lines, re.MULTILINE)
    if not found:
        return None
    try:
        # YAML breaks a long text at a space, and doubles the quote that it is written in.
        fields = [_field(one) for one in json.loads(re.sub(r"\n *", " ", found[1]).replace("''", "'"))]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return fields or None


def _field(one: dict[str, Any]) -> Field:
    name, kind = one.get("name"), one["type"]
    name, required = name if isinstance(name, str) else None, bool(one.get("required", True))
    if kind == "tensor":
        kind, (batch, *shape) = str(one["tensor-spec"]["dtype"]), one["tensor-spec"]["shape"]
        width = math.prod(shape) if batch == -1 and min(shape, default=1) > 0 else None
        return Field(name, kind, _DATATYPES.get(kind), width, required, tensor=True)
    datatype = _DATATYPES.get(NUMBERS.get(kind, kind))
    return Field(name, kind, datatype, None if datatype is None else 1, required, tensor=False)


def _content(folder: Path) -> Any:
    """What the file of the example holds, without what MLflow wraps it in."""
    found = dict(
        re.findall(r"^  (\w+): ['\"]?([\w.-]+)['\"]?$", _block(folder, "saved_input_example_info"), re.MULTILINE)
    )
    name = found.get("serving_input_path") or found.get("artifact_path")
    if name is None:
        raise NoTableError("no input example was logged with the model")
    file = folder / name
    try:
        if file.stat().st_size > LARGEST_EXAMPLE:
            raise NoTableError(f"the input example, {name}, is larger than {LARGEST_EXAMPLE >> 20} MiB")
        content = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise NoTableError(f"the input example, {name}, cannot be read: {type(error).__name__}") from error
    for key in ("dataframe_split", "dataframe_records", "inputs", "instances"):
        if isinstance(content, dict) and key in content:
            return content[key]
    return content


def _table(content: Any) -> tuple[list[str] | None, list[list[Any]]]:
    """The names of an example's columns, if it has such, and its rows.

    Raises:
        NoTableError: it is no table.
    """
    columns = None
    if isinstance(content, dict):
        columns, content = content.get("columns"), content.get("data")
    elif isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        columns = list(content[0])
        if any(set(row) != set(columns) for row in content):
            raise NoTableError("the rows of the input example differ in their columns")
        content = [[row[name] for name in columns] for row in content]
    if (
        not isinstance(content, list)
        or not content
        or not all(isinstance(row, list) and row and len(row) == len(content[0]) for row in content)
        or any(isinstance(value, list | dict) for row in content for value in row)
    ):
        raise NoTableError("the input example is not a table of rows")
    if not isinstance(columns, list) or len(columns) != len(content[0]) or len(set(map(str, columns))) < len(columns):
        columns = None
    # Pandas numbers columns that have no name. Nobody asks by such.
    return columns if columns and all(isinstance(name, str) for name in columns) else None, content


def _request(columns: list[str] | None, rows: list[list[Any]], signature: Signature) -> Any:
    """The request that asks these rows: each column under its name, else all of them as one tensor.

    Raises:
        NoTableError: they hold what cannot be sent, or nobody says what it is.
    """
    fields = signature.inputs or []
    if columns is not None:
        known = {field.name: field for field in fields}
        inputs = [
            _tensor(name, [len(rows), 1], [row[at] for row in rows], known.get(name)) for at, name in enumerate(columns)
        ]
        return {"parameters": {"content_type": "pd"}, "inputs": inputs}
    field = fields[0] if [field.name for field in fields] == [None] else None
    tensor = _tensor("input", [len(rows), len(rows[0])], [value for row in rows for value in row], field)
    return {"parameters": {"content_type": "np"}, "inputs": [tensor]}


def _asking_tensors(content: Any, fields: list[Field]) -> tuple[int, Callable[[int], Any]]:
    """How many rows tensors have, and what makes the request that asks so many of them.

    Raises:
        NoTableError: they are not those of the signature.
    """
    named = [field.name for field in fields] != [None]
    given = content if named else {None: content}
    if not isinstance(given, dict) or any(field.required and field.name not in given for field in fields):
        raise NoTableError("the input example is not what its signature says")
    there = [(field, given[field.name]) for field in fields if field.name in given]
    if not all(isinstance(rows, list) and len(rows) == len(there[0][1]) > 0 for _, rows in there):
        raise NoTableError("the input example has tensors of several lengths")

    def ask(number: int) -> Any:
        inputs = [_tensor(field.name or "input", *_flat(rows[:number]), field) for field, rows in there]
        return {"parameters": {"content_type": "dict" if named else "np"}, "inputs": inputs}

    return len(there[0][1]), ask


def _flat(rows: list[Any]) -> tuple[list[int], list[Any]]:
    """Shape and values of lists in lists."""
    shape, values = [len(rows)], rows
    while values and isinstance(values[0], list):
        length = len(values[0])
        if not length or not all(isinstance(value, list) and len(value) == length for value in values):
            raise NoTableError("the input example has lists of several lengths")
        shape.append(length)
        values = [value for inner in values for value in inner]
    return shape, values


def _tensor(name: str, shape: list[int], values: list[Any], field: Field | None) -> dict[str, Any]:
    if field and field.datatype is None:
        raise NoTableError(f"the input example holds {field.kind}, which cannot be sent")
    data = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
    kinds = {type(value) for value in data if value is not None}
    if not kinds and field and field.datatype:
        return {"name": name, "shape": shape, "datatype": field.datatype, "data": data}
    if kinds == {str}:
        # Texts may stand for times, or for bytes.
        if field is None:
            raise NoTableError("the input example holds texts, and no signature says what they are")
        datatype = "BYTES"
    elif kinds == {bool}:
        datatype = "BOOL"
    elif kinds <= {int, float}:
        datatype = "INT64" if kinds == {int} and None not in data else "FP64"
        said = (field and field.datatype) or datatype
        if said.startswith("FP") or (datatype == "INT64" and "INT" in said):
            datatype = said
    else:
        raise NoTableError("the input example holds values of several types in a column")
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}
