"""What columns hold, by the types of MLflow's signatures: read of texts or of Arrow's arrays, or what is wrong."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelkit.datasets import LARGEST, is_plain, number_of
from standardserver.times import time_of

FLOATS, INTEGERS = {"double": "float64", "float": "float32"}, {"long": "int64", "integer": "int32"}
NUMBERS = {*FLOATS, *INTEGERS}
"""Kinds of which a table holds numbers."""

WORDS = {
    "numbers": NUMBERS,
    "true or false": {"boolean"},
    "texts": {"string"},
    "times": {"datetime"},
    "bytes": {"binary"},
}
"""What columns have to hold, in words, by their kinds."""

KINDS = frozenset().union(*WORDS.values())

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_NO_TIME = "no time such as 2026-01-31 or 2026-01-31T12:00:00, from 1678 to 2261"
_MOST_NANOSECONDS = 2**63 - 1
"""From 1970 to where times end, as pandas has them."""
_NANOSECONDS = {"day": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""In the units of Arrow's times."""


@dataclass(frozen=True)
class Read:
    """A column of rows.

    Attributes:
        values: one for each row; of those that are missing or wrong, anything.
        missing: which rows have none.
        flaws: what is wrong with those of some rows, by their places.
    """

    values: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_]
    flaws: dict[int, str]


def read(kind: str, given: Sequence[str] | pa.Array) -> Read:
    """The values of a column, as the model takes them."""
    if isinstance(given, pa.Array):
        return _of_arrow(kind, given)
    if kind in FLOATS and (plain := _plain(given)) is not None:
        return Read(plain.astype(FLOATS[kind]), np.zeros(len(given), bool), {})
    return _one_by_one(kind, given, _READERS[kind])


def is_held(kind: str, type_: pa.DataType) -> bool:
    """Whether a column of Arrow's may hold such."""
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    return pa.types.is_null(type_) or any(is_one(type_) for is_one in _HELD[kind])


def content(column: pa.Array) -> bytes:
    """The bytes of a column that tell it from any other."""
    column = _decoded(column)
    nulls: bytes = column.is_null().to_numpy(zero_copy_only=False).tobytes()
    if pa.types.is_null(column.type):
        return nulls
    if any(is_one(column.type) for is_one in _HELD["double"]):
        return floats(column).tobytes() + nulls
    if pa.types.is_temporal(column.type):
        since: bytes = pc.fill_null(_since_1970(column), 0).to_numpy().tobytes()
        return since + nulls
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.string())
    column = column.cast(pa.large_binary())
    lengths = pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
    return b"".join([lengths.tobytes(), *(value or b"" for value in column.to_pylist()), nulls])


def floats(column: pa.Array) -> npt.NDArray[np.float64]:
    """Numbers of a column; what is missing becomes NaN, a number of more digits than a float has the next one."""
    numbers = nearest_floats(column) if pa.types.is_decimal(column.type) else pc.cast(column, pa.float64(), safe=False)
    found: npt.NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    return found


def nearest_floats(decimals: pa.Array) -> pa.Array:
    """Decimals as floats. Arrow's own cast is off by the last bit."""
    return decimals.cast(pa.string()).cast(pa.float64())


def _plain(cells: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """Numbers of cells in which there are such alone; else None."""
    try:
        numbers = np.array(list(map(float, cells)), np.float64)
    except ValueError:
        return None
    # NaN is not below.
    return numbers if (np.abs(numbers) <= LARGEST).all() and all(map(is_plain, cells)) else None


def _one_by_one(kind: str, given: Sequence[Any], reader: Callable[[Any], tuple[Any, str]]) -> Read:
    values: npt.NDArray[Any] = np.empty(len(given), object)
    missing, flaws = np.zeros(len(given), bool), {}
    for at, cell in enumerate(given):
        values[at], flaw = reader(cell)
        if flaw == "empty":
            missing[at] = True
        elif flaw:
            flaws[at] = f"{flaw}: {cell!s:.50}"
    gone = missing.copy()
    gone[list(flaws)] = True
    return Read(_typed(kind, values, gone), missing, flaws)


def _typed(kind: str, values: npt.NDArray[Any], gone: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    if kind in FLOATS:
        values[gone] = math.nan
        return values.astype(FLOATS[kind])
    if kind in INTEGERS:
        values[gone] = 0
        return values.astype(INTEGERS[kind])
    if kind == "datetime":
        values[gone] = np.datetime64("NaT", "ns")
        return values.astype("datetime64[ns]")
    values[gone] = None
    return values if kind != "boolean" or gone.any() else values.astype(bool)


def _float(cell: str) -> tuple[Any, str]:
    return number_of(cell)


def _whole(kind: str) -> Callable[[str], tuple[Any, str]]:
    bounds = np.iinfo(INTEGERS[kind])

    def reader(cell: str) -> tuple[Any, str]:
        number: Any
        if _WHOLE.fullmatch(text := cell.strip()):
            number = int(text)
        else:
            _, flaw = number_of(cell)
            if flaw:
                return None, flaw
            # As a float it would be another number from 2^53 on.
            exact = _decimal(text)
            if exact is None or exact != exact.to_integral_value():
                return None, "no whole number"
            number = int(exact)
        fits = int(bounds.min) <= number <= int(bounds.max)
        return number, "" if fits else f"too large for {bounds.dtype}"

    return reader


def _decimal(text: str) -> Decimal | None:
    """A number as it is written; None of one whose exponent is too long."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _truth(cell: str) -> tuple[Any, str]:
    if not (text := cell.strip()):
        return None, "empty"
    found = _TRUTHS.get(text.lower())
    return found, "neither true nor false" if found is None else ""


def _text(cell: str) -> tuple[Any, str]:
    return (cell, "") if cell else (None, "empty")


@lru_cache(10_000)
def _time(cell: str) -> tuple[Any, str]:
    if not (text := cell.strip()):
        return None, "empty"
    time = time_of(text)
    return time, _NO_TIME if time is None else ""


def _bytes(cell: str) -> tuple[Any, str]:
    if not cell:
        return None, "empty"
    try:
        return base64.b64decode(cell, validate=True), ""
    except (binascii.Error, ValueError):
        return None, "no bytes in base64"


_READERS: dict[str, Callable[[str], tuple[Any, str]]] = {
    "double": _float,
    "float": _float,
    "long": _whole("long"),
    "integer": _whole("integer"),
    "boolean": _truth,
    "string": _text,
    "datetime": _time,
    "binary": _bytes,
}


def _of_arrow(kind: str, given: pa.Array) -> Read:
    column = _decoded(given)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if kind == "datetime" and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return _one_by_one(kind, ["" if one is None else one for one in column.to_pylist()], _time)
    if kind in FLOATS:
        return _floats(kind, floats(column))
    if kind in INTEGERS:
        if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):
            return _integers(kind, pc.fill_null(column, 0).cast(pa.int64()).to_numpy(), missing)
        return _one_by_one(kind, [_written(one) for one in column.to_pylist()], _READERS[kind])
    if kind == "datetime":
        return _times(column, missing)
    values = np.empty(len(column), object)
    values[:] = column.to_pylist()
    return Read(_typed(kind, values, missing), missing, {})


def _written(number: Any) -> str:
    """A number with all of its digits: those of a float as text are fewer from 2^53 on."""
    if number is None or number != number:  # noqa: PLR0124 -- NaN
        return ""
    return str(int(number) if isinstance(number, float) and number.is_integer() else number)


def _floats(kind: str, values: npt.NDArray[np.float64]) -> Read:
    flaws = {
        int(at): f"{'not finite' if np.isinf(values[at]) else f'too large (above {LARGEST:g})'}: {values[at]:g}"
        for at in np.flatnonzero(np.abs(values) > LARGEST)
    }
    values = values.copy()
    values[list(flaws)] = math.nan
    missing = np.isnan(values)
    missing[list(flaws)] = False
    return Read(values.astype(FLOATS[kind]), missing, flaws)


def _integers(kind: str, values: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_]) -> Read:
    bounds = np.iinfo(INTEGERS[kind])
    outside = np.flatnonzero((values < bounds.min) | (values > bounds.max))
    flaws = {int(at): f"too large for {bounds.dtype}: {values[at]}" for at in outside}
    return Read(np.where(np.isin(np.arange(len(values)), outside), 0, values).astype(bounds.dtype), missing, flaws)


def _times(column: pa.Array, missing: npt.NDArray[np.bool_]) -> Read:
    # A zone is left out, and the time is that of UTC.
    since = pc.fill_null(_since_1970(column), 0).to_numpy()
    nanoseconds = _NANOSECONDS[getattr(column.type, "unit", "day" if pa.types.is_date32(column.type) else "ms")]
    most = _MOST_NANOSECONDS // nanoseconds
    outside = (since < -most) | (since > most)
    flaws = {int(at): f"{_NO_TIME}: {_shown(column[int(at)], since[at])}" for at in np.flatnonzero(outside)}
    values = (np.where(outside, 0, since) * nanoseconds).astype("datetime64[ns]")
    values[missing] = np.datetime64("NaT", "ns")
    return Read(values, missing, flaws)


def _since_1970(column: pa.Array) -> pa.Array:
    """Times as numbers of their unit, which each has, however far it is from now."""
    return column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(column.type) else column.cast(pa.int64())


def _shown(time: pa.Scalar, since: int) -> str:
    try:
        text = str(time)
    except Exception:  # of a year or a zone that Python does not know
        text = "NaT"
    return f"{since} ({time.type}) since 1970" if text == "NaT" else text


def _decoded(column: pa.Array) -> pa.Array:
    """A column whose values are not said by their places in a list of them."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


_HELD: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    **dict.fromkeys(NUMBERS, (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)),
    "boolean": (pa.types.is_boolean,),
    "string": (pa.types.is_string, pa.types.is_large_string),
    "datetime": (pa.types.is_timestamp, pa.types.is_date, pa.types.is_string, pa.types.is_large_string),
    "binary": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary),
}
