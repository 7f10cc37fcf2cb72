"""The rows of a request, as the model takes them, or what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from mlserver.errors import InferenceError
from mlserver.types import Datatype, RequestInput

LARGEST = 3.4e38
"""What float32 holds: trees compare in it."""
KINDS = [kind.value for kind in Datatype if kind.value.startswith(("FP", "INT", "UINT"))]
SHOWN = 20
SHOWN_CHARACTERS = 40


def rows(inputs: list[RequestInput], names: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The rows of a request: one input with all columns in their order, or one for each column, under its name.

    Returns:
        Shape (rows, columns), the columns in the order of `names`.

    Raises:
        InferenceError: the inputs are not those of the model; says which, and why.
    """
    given = [one.name for one in inputs]
    if len(given) == 1 and given[0] not in names:
        matrix = _values(inputs[0])
        if matrix.shape[1] != len(names):
            raise InferenceError(
                f"a row of {told(given[0])} has {matrix.shape[1]} values; the model takes {len(names)}: {some(names)}"
            )
        return matrix
    problems = [
        f"{what}: {some(found)}"
        for what, found in (
            ("unknown", [name for name in given if name not in names]),
            ("missing", [name for name in names if name not in given]),
            ("there twice", [name for name in names if given.count(name) > 1]),
        )
        if found
    ]
    if problems:
        raise InferenceError(f"these are not the model's inputs; {'; '.join(problems)}")
    columns = {one.name: _values(one) for one in inputs}
    if wide := [name for name, values in columns.items() if values.shape[1] != 1]:
        raise InferenceError(f"{told(wide[0])} must have a single value in each row, shape [rows, 1]")
    if len({len(values) for values in columns.values()}) > 1:
        raise InferenceError("the inputs differ in their number of rows")
    return np.column_stack([columns[name] for name in names])


def typed(frame: pd.DataFrame, types: dict[str, Any]) -> pd.DataFrame:
    """The frame with these types of columns.

    Raises:
        InferenceError: a column is of whole numbers, and holds another, or one that its type does not hold.
    """
    for name, kind in types.items():
        values = frame[name]
        if not np.issubdtype(kind, np.integer):
            continue
        if (odd := values[(values % 1 != 0) | (values.abs() >= 2.0 ** (np.iinfo(kind).bits - 1))]).size:
            raise InferenceError(f"{name!r} holds {odd.iloc[0]:g}; the model takes whole numbers there, of {kind}")
    return frame.astype(types)


def _values(one: RequestInput) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The values of an input, shape (rows, columns).

    Raises:
        InferenceError: they are no finite numbers, or not as many as its shape says.
    """
    name, kind, shape = told(one.name), one.datatype, list(one.shape)
    if kind not in KINDS:
        raise InferenceError(f"{name} is of {str(kind)[:SHOWN_CHARACTERS]}; the model takes numbers, such as FP64")
    if len(shape) not in (1, 2) or min(shape) < 1:
        raise InferenceError(
            f"{name} has the shape {str(shape)[:SHOWN_CHARACTERS]}; it must be [rows, columns], each at least 1"
        )
    height, width = shape if len(shape) > 1 else (shape[0], 1)
    flat = _flat(one.data.root if hasattr(one.data, "root") else one.data, name, width)
    if wrong := [value for value in flat if type(value) not in (int, float)]:
        raise InferenceError(f"{name} holds {told(wrong[0])}, which is no number")
    if height * width != len(flat):
        raise InferenceError(f"{name} has the shape {shape}, and {len(flat)} values")
    if wrong := [value for value in flat if not -LARGEST <= value <= LARGEST]:
        raise InferenceError(f"{name} holds {told(wrong[0])}; the model takes finite numbers up to {LARGEST:g}")
    if not kind.startswith("FP") and (wrong := [value for value in flat if value != int(value)]):
        raise InferenceError(f"{name} is of {kind}, and holds {wrong[0]}")
    return np.array(flat, dtype=np.float64).reshape(height, width)


def _flat(data: Any, name: str, width: int) -> list[Any]:
    """The values of data, which may come as a list of rows.

    Raises:
        InferenceError: a row is of another width.
    """
    if isinstance(data, np.ndarray):
        data = data.tolist()
    if not isinstance(data, list | tuple):
        data = [data]
    if not any(type(value) is list for value in data):
        return list(data)
    widths = [len(row) if type(row) is list else 1 for row in data]
    if wrong := [found for found in widths if found != width]:
        raise InferenceError(f"{name} has a row of {wrong[0]} values, where its shape says {width}")
    return [value for row in data for value in (row if type(row) is list else [row])]


def told(value: Any) -> str:
    """A value of a request, as JSON writes it, to a bounded length."""
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def some(names: Iterable[str]) -> str:
    """The first of these names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return f"{', '.join(map(told, listed[:SHOWN]))}{more}"
