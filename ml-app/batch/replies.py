"""What a model answers, whatever a Python function returns, as a table with a row for each."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from batch.scored import WrongAnswerError

UNNAMED = "prediction"
"""What an answer without a name is called."""
_COUNTED = ("line", "row")
"""What the first column of scores is called."""
MATRIX = 2


def table(answer: Any, rows: int, names: list[str]) -> pa.Table:
    """An answer to so many rows.

    Args:
        answer: a table, an array, a list of values or of rows, several of these by name, or one value.
        rows: how many were asked.
        names: of the outputs in the model's signature, if they have some.

    Raises:
        WrongAnswerError: it is not one of so many rows.
    """
    columns = _columns(answer, names)
    heights = {len(column) for _, column in columns}
    if heights != {rows}:
        found = ", ".join(f"{height:,}" for height in sorted(heights)) or "no"
        raise WrongAnswerError(f"the model answers {rows:,} rows by {found}: it does not answer row by row")
    called = [f"{UNNAMED}_{name}" if name in _COUNTED else name for name, _ in columns]
    if len(set(called)) < len(called):
        raise WrongAnswerError(f"the model answers several columns of one name: {', '.join(called)[:500]}")
    return pa.table([_plain(column) for _, column in columns], called)


def _columns(answer: Any, names: list[str]) -> list[tuple[str, Any]]:
    if isinstance(answer, pd.DataFrame):
        return [(str(name), answer.iloc[:, at]) for at, name in enumerate(answer.columns)]
    if isinstance(answer, Mapping):
        return [column for name, values in answer.items() for column in _columns(values, [str(name)])]
    if isinstance(answer, list | tuple) and answer and all(isinstance(row, Mapping) for row in answer):
        return _columns(pd.DataFrame(list(answer)), names)
    if isinstance(answer, pd.Series):
        named = isinstance(answer.name, str)
        return [(names[0] if len(names) == 1 else str(answer.name) if named else UNNAMED, answer)]
    array = _array(answer)
    if array.ndim < MATRIX:
        return [(names[0] if len(names) == 1 else UNNAMED, array)]
    wide = array.reshape(len(array), -1)
    width = wide.shape[1]
    one = names[0] if len(names) == 1 else UNNAMED
    called = names if len(names) == width else [one] if width == 1 else [f"{one}_{at}" for at in range(width)]
    return [(name, wide[:, at]) for at, name in enumerate(called)]


def _array(values: Any) -> np.ndarray[Any, Any]:
    if hasattr(values, "toarray"):  # a sparse matrix
        values = values.toarray()
    if isinstance(values, str | bytes):
        values = [values]
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
    # NumPy would make texts of numbers beside texts, and cut bytes that end with zeros.
    if array.dtype.kind in "US" and isinstance(values, list | tuple):
        array = np.array(values, dtype=object)
    found: np.ndarray[Any, Any] = np.atleast_1d(array)
    return found


def _plain(values: Any) -> pa.Array:
    """Values as numbers, truths, texts or times; what is none of these is JSON in a text."""
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return _typed(column)


def _typed(column: pa.Array) -> pa.Array:
    """Values of fewer types."""
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_uint64(kind):
        return pc.cast(column, pa.float64(), safe=False)
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_timestamp(kind):
        try:
            # What is left out is less than a microsecond.
            return pc.cast(column, pa.timestamp("us"), safe=kind.unit != "ns")
        except pa.ArrowInvalid as error:
            raise WrongAnswerError(f"the model answers times that no table holds: {error}") from error
    if pa.types.is_boolean(kind) or pa.types.is_null(kind) or pa.types.is_date(kind):
        return column
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    return pa.array([_text(value) for value in column.to_pylist()], pa.string())


def _text(value: Any) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else json.dumps(value, default=_jsonable)


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
