"""Values of a request, read as the type that a signature gives them, or what is wrong with one."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from mlserver.errors import InferenceError
from mlserver.types import RequestInput

from standardserver.rows import KINDS as NUMBER_TYPES
from standardserver.rows import LARGEST, SHOWN_CHARACTERS, told
from standardserver.times import time_of

DEEPEST = 8
"""Lists in lists: no tensor has more dimensions."""

_NONE = object()
"""A value that is not one of the type; None is one that is missing."""


@dataclass(frozen=True)
class Reader:
    """How the values of a type are read."""

    wanted: str
    """What is wanted, in words."""
    datatypes: tuple[str, ...]
    """As which it may be sent."""
    value: Callable[[Any], Any]
    """A value of a request as the model takes it; `_NONE` if it is none of the type."""
    dtype: Any
    missing: Any = None
    """What stands where one is missing."""
    gaps: bool = False
    """Whether one may be missing in any column."""

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self.datatypes is _NUMBERS

    def column(self, name: str, values: list[Any], datatype: str, optional: bool, dtype: Any = None) -> Any:
        """The values of an input.

        Args:
            name: of the input.
            values: as they were sent.
            datatype: the protocol's, of the input.
            optional: whether the signature says that they may be missing.
            dtype: NumPy's, by default that of the type.

        Raises:
            InferenceError: one is not of the type; names the input, the value, and what is wanted.
        """
        dtype = np.dtype(dtype or self.dtype)
        empty = all(value is None for value in values)
        if not empty and datatype not in self.datatypes:
            raise self._refusal(f"{told(name)} is of {str(datatype)[:SHOWN_CHARACTERS]}")
        read = [None if value is None else self.value(value) for value in values]
        for given, one in zip(values, read, strict=True):
            if one is _NONE or (one is not None and dtype.kind in "iu" and not _holds(dtype, one)):
                raise self._refusal(f"{told(name)} holds {told(given)}")
            if one is None and not (self.gaps or optional):
                raise self._refusal(f"{told(name)} holds null")
        if None not in read:
            return np.array(read, dtype=object if dtype.kind in "OUS" else dtype)
        if self.is_number and dtype.kind in "iu":
            # NumPy has no whole number that is missing.
            return pd.array(read, dtype=f"{'U' * (dtype.kind == 'u')}Int{dtype.itemsize * 8}")
        filled = [self.missing if one is None else one for one in read]
        return np.array(filled, dtype=object if dtype.kind in "OUSb" else dtype)

    def _refusal(self, found: str) -> InferenceError:
        return InferenceError(f"{found}; the model takes {self.wanted} there, as {' or '.join(self._shown())}")

    def _shown(self) -> tuple[str, ...]:
        return ("FP64", "INT64") if self.is_number else self.datatypes


def _holds(dtype: Any, value: int) -> bool:
    bounds = np.iinfo(dtype)
    return int(bounds.min) <= value <= int(bounds.max)


def _number(value: Any) -> Any:
    if type(value) not in (int, float):
        return _NONE
    if isinstance(value, float) and math.isnan(value):
        # Over gRPC there is no null.
        return None
    return float(value) if -LARGEST <= value <= LARGEST else _NONE


def _whole(value: Any) -> Any:
    if type(value) is int:
        return value
    return int(value) if type(value) is float and value.is_integer() else _NONE


def _truth(value: Any) -> Any:
    return value if type(value) is bool else _NONE


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return _NONE
    return value if isinstance(value, str) else _NONE


def _time(value: Any) -> Any:
    text = _text(value)
    found = time_of(text) if isinstance(text, str) else None
    return _NONE if found is None else found


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else _NONE
    except (binascii.Error, ValueError):
        return _NONE


_NUMBERS = tuple(NUMBER_TYPES)
_BYTES = ("BYTES",)

READERS: dict[str, Reader] = {
    "double": Reader("numbers", _NUMBERS, _number, "float64", math.nan, gaps=True),
    "float": Reader("numbers", _NUMBERS, _number, "float32", math.nan, gaps=True),
    "long": Reader("whole numbers of int64", _NUMBERS, _whole, "int64"),
    "integer": Reader("whole numbers of int32", _NUMBERS, _whole, "int32"),
    "boolean": Reader("true or false", ("BOOL",), _truth, "bool"),
    "string": Reader("texts", _BYTES, _text, "O", gaps=True),
    "datetime": Reader(
        "times such as 2026-01-31T12:00:00", _BYTES, _time, "datetime64[ns]", np.datetime64("NaT", "ns")
    ),
    "binary": Reader("bytes, in base64 where it is JSON", _BYTES, _bytes, "O"),
}
"""By the types of MLflow's columns."""


def flat(one: RequestInput) -> tuple[list[Any], list[int]]:
    """The values of an input, whatever lists they come in, and its shape.

    Raises:
        InferenceError: they are not as many as the shape says, or lists of other lengths.
    """
    name, shape = told(one.name), list(one.shape)
    if not shape or len(shape) > DEEPEST or min(shape) < 1:
        raise InferenceError(f"{name} has the shape {str(shape)[:SHOWN_CHARACTERS]}; each length must be at least 1")
    data = one.data.root if hasattr(one.data, "root") else one.data
    values: list[Any] = data.tolist() if isinstance(data, np.ndarray) else data
    if not isinstance(values, list):
        values = [values]
    for at, length in enumerate(shape[1:]):
        if not any(isinstance(value, list) for value in values):
            break
        alike = all(isinstance(value, list) and len(value) == length for value in values)
        if not alike or (at == 0 and len(values) != shape[0]):
            raise InferenceError(f"{name} has lists of other lengths than its shape says, {shape}")
        values = [value for inner in values for value in inner]
    if math.prod(shape) != len(values):
        raise InferenceError(f"{name} has the shape {shape}, and {len(values)} values")
    return values, shape
