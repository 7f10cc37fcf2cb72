"""What a model answers, whatever a Python function returns, as a table with a row for each."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from batch.kinds import nearest_floats
from batch.scored import WrongAnswerError
from standardserver.arrays import array_of

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
    columns = _columns(answer, names, rows)
    heights = {len(column) for _, column in columns}
    if heights != {rows}:
        found = ", ".join(f"{height:,}" for height in sorted(heights)) or "no"
        raise WrongAnswerError(f"the model answers {rows:,} rows by {found}: it does not answer row by row")
    called = [f"{UNNAMED}_{name}" if name in _COUNTED else name for name, _ in columns]
    if len(set(called)) < len(called):
        raise WrongAnswerError(f"the model answers several columns of one name: {', '.join(called)[:500]}")
    return pa.table([_plain(column) for _, column in columns], called)


def _columns(answer: Any, names: list[str], rows: int) -> list[tuple[str, Any]]:
    if isinstance(answer, pd.DataFrame | pd.Series):
        answer = _in_order(answer, rows)
    if isinstance(answer, pd.DataFrame):
        return [(str(name), answer.iloc[:, at]) for at, name in enumerate(answer.columns)]
    if isinstance(answer, Mapping):
        return [column for name, values in answer.items() for column in _columns(values, [str(name)], rows)]
    if isinstance(answer, list | tuple) and answer and all(isinstance(row, Mapping) for row in answer):
        return _columns(pd.DataFrame(list(answer)), names, rows)
    if isinstance(answer, pd.Series):
        named = isinstance(answer.name, str)
        return [(names[0] if len(names) == 1 else str(answer.name) if named else UNNAMED, answer)]
    array = array_of(answer)
    if array.ndim < MATRIX:
        return [(names[0] if len(names) == 1 else UNNAMED, array)]
    wide = array.reshape(len(array), -1)
    width = wide.shape[1]
    one = names[0] if len(names) == 1 else UNNAMED
    called = names if len(names) == width else [one] if width == 1 else [f"{one}_{at}" for at in range(width)]
    return [(name, wide[:, at]) for at, name in enumerate(called)]


def _in_order(answer: Any, rows: int) -> Any:
    """Answers in the order of the rows that were asked.

    A function that sorts, groups or merges may answer in another one, and says so by the index, which has no name and
    holds the numbers of the rows. Any other index says nothing.
    """
    index = answer.index
    if index.name is not None or len(index) != rows or not pd.api.types.is_integer_dtype(index.dtype):
        return answer
    places = np.argsort(index.to_numpy())
    in_all = np.array_equal(index.to_numpy()[places], np.arange(rows))
    return answer.iloc[places] if in_all else answer


def _plain(values: Any) -> pa.Array:
    """Values as numbers, truths, texts or times; what is none of these is JSON in a text."""
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column.type, pa.BaseExtensionType):
        # pandas' periods and the like, which Arrow has as numbers.
        return pa.array([None if pd.isna(value) else str(value) for value in values], pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return _typed(column)


def _typed(column: pa.Array) -> pa.Array:
    """Values of fewer types."""
    for is_one, cast in _CASTS:
        if is_one(column.type):
            return cast(column)
    return pa.array([_text(value) for value in column.to_pylist()], pa.string())


def _times(column: pa.Array) -> pa.Array:
    try:
        # What is left out of nanoseconds is less than one of these.
        return pc.cast(column, pa.timestamp("us"), safe=column.type.unit != "ns")
    except pa.ArrowInvalid as error:
        raise WrongAnswerError(f"the model answers times that no table holds: {error}") from error


def _decimals(column: pa.Array) -> pa.Array:
    """Decimals as floats, or as texts where a float is another number."""
    floats = nearest_floats(column)
    try:
        is_same = floats.cast(pa.string()).cast(column.type).equals(column)
    except pa.ArrowInvalid:
        is_same = False
    return floats if is_same else column.cast(pa.string())


def _integers(column: pa.Array) -> pa.Array:
    """Whole numbers of 64 bits with a sign, or texts where one has more."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.string())


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


_CASTS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (pa.types.is_floating, lambda column: column.cast(pa.float64())),
    (pa.types.is_decimal, _decimals),
    (pa.types.is_integer, _integers),
    (pa.types.is_timestamp, _times),
    (pa.types.is_string, lambda column: column),
    (pa.types.is_large_string, lambda column: column.cast(pa.string())),
    (pa.types.is_boolean, lambda column: column),
    (pa.types.is_date, lambda column: column),
    (pa.types.is_null, lambda column: column),
)
"""What becomes of columns, by their types."""
