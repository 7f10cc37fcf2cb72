"""What a model answers, as outputs of the protocol: whatever a Python function returns.

MLServer sends arrays, tables and lists of texts, and raises at the rest.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas as pd
from mlserver.types import Datatype, Parameters, ResponseOutput

from standardserver.arrays import array_of

missing_text: ContextVar[bytes | None] = ContextVar("missing_text", default=None)
"""What stands for a text that is missing: null in JSON, and gRPC has none (`over_grpc.py`)."""

UNNAMED = "output-1"
"""As MLServer calls an output without a name."""


def outputs(answer: Any, names: list[str]) -> list[ResponseOutput]:
    """The outputs of an answer.

    Args:
        answer: a table, an array, a list of values or of rows, several of these by name, or one value.
        names: of the outputs in the model's signature, if they have some.
    """
    if isinstance(answer, pd.DataFrame):
        return [_output(str(name), answer[name].to_numpy()) for name in answer.columns]
    if isinstance(answer, Mapping):
        return [_output(str(name), array_of(values)) for name, values in answer.items()]
    if isinstance(answer, list | tuple) and answer and all(isinstance(row, Mapping) for row in answer):
        return outputs(pd.DataFrame(list(answer)), names)
    named = isinstance(answer, pd.Series) and isinstance(answer.name, str)
    name = names[0] if len(names) == 1 else str(answer.name) if named else UNNAMED
    return [_output(name, array_of(answer))]


def _output(name: str, array: np.ndarray[Any, Any]) -> ResponseOutput:
    if array.dtype.kind == "O":
        array = _of_one_type(array)
    shape = list(array.shape) if array.ndim > 1 else [len(array), 1]
    datatype, data, content_type = _encoded(array.ravel())
    parameters = Parameters(content_type=content_type)
    return ResponseOutput(name=name, shape=shape, datatype=Datatype(datatype), data=data, parameters=parameters)


def _of_one_type(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array of objects as one of numbers, where it holds such, and perhaps gaps."""
    values = [value for value in array.ravel() if not _is_missing(value)]
    numbers = bool(values) and all(isinstance(value, int | float | np.number) for value in values)
    if not numbers or any(isinstance(value, bool) for value in values):
        return array
    whole = len(values) == array.size and all(isinstance(value, int | np.integer) for value in values)
    filled = [np.nan if _is_missing(value) else value for value in array.ravel()]
    return np.array(filled, dtype="int64" if whole else "float64").reshape(array.shape)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _encoded(flat: np.ndarray[Any, Any]) -> tuple[str, list[Any], str]:
    """Datatype, values, and what MLServer calls their content."""
    kind, bits = flat.dtype.kind, flat.dtype.itemsize * 8
    if kind == "f":
        # MLServer cannot send halves over gRPC, and the protocol has nothing longer than doubles.
        bits = min(max(bits, 32), 64)
        return f"FP{bits}", flat.astype(f"float{bits}").tolist(), "np"
    if kind in "iub":
        return "BOOL" if kind == "b" else f"{'U' * (kind == 'u')}INT{bits}", flat.tolist(), "np"
    if kind == "M":
        return "BYTES", _bytes([None if np.isnat(one) else pd.Timestamp(one).isoformat() for one in flat]), "datetime"
    return _of_objects([None if _is_missing(value) else value for value in flat.tolist()])


def _of_objects(values: list[Any]) -> tuple[str, list[Any], str]:
    present = [value for value in values if value is not None]
    if all(isinstance(value, str) for value in present):
        return "BYTES", _bytes(values), "str"
    if all(isinstance(value, bytes) for value in present):
        return "BYTES", [missing_text.get() if one is None else base64.b64encode(one) for one in values], "base64"
    if all(isinstance(value, bool) for value in values):
        return "BOOL", values, "np"
    return "BYTES", _bytes([None if one is None else _told(one) for one in values]), "str"


def _bytes(texts: list[str | None]) -> list[bytes | None]:
    """Texts as gRPC has them; in JSON MLServer makes texts of them."""
    return [missing_text.get() if text is None else text.encode() for text in texts]


def _told(value: Any) -> str:
    """A value that is no number and no text, as JSON."""
    if isinstance(value, pd.Timestamp | np.datetime64):
        return pd.Timestamp(value).isoformat()
    return value if isinstance(value, str) else json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
