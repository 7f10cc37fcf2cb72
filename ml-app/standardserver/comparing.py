"""Compares a server's answers to the example of a model's input with those that the model's own libraries gave.

Those stand in a file beside the model, which the platform computes once (`expected.py`).

It needs nothing but the standard library of Python 3.10, and `decided.py`.
"""

from __future__ import annotations

import json
import math
from itertools import chain
from pathlib import Path
from typing import Any

from standardserver.decided import ANSWERS_FILE

EXACT, COARSE = 1e-6, 1e-5
"""How far a number may lie from the other one, relative to it: doubles, and where one of the two is shorter."""
FAR_BELOW = 1e-3
"""What of the same share of the greatest number of a row is rounding: a probability of 1e-12 beside one of 1."""
LEAST = 1e-12
"""What a sum that should be 0 may be instead."""
LARGEST_FILE = 16 * 1024 * 1024

Output = dict[str, Any]
"""`datatype` and `data`, as the protocol has them, and a `name`."""


def computed(folder: Path) -> Any:
    """What the model's own libraries answer: `rows`, and `outputs` for them; None if nobody has computed it.

    Raises:
        ValueError: the file is damaged.
    """
    file = folder / ANSWERS_FILE
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE >> 20} MiB")
        content = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{ANSWERS_FILE} is damaged: {error}") from error
    if not _is_record(content):
        raise ValueError(f"{ANSWERS_FILE} is not what the platform has written")
    return content


def _is_record(content: Any) -> bool:
    outputs = content.get("outputs") if isinstance(content, dict) else None
    return (
        isinstance(outputs, list)
        and all(isinstance(one, dict) and isinstance(one.get("data"), list) and "datatype" in one for one in outputs)
        and isinstance(content.get("versions"), dict)
        and isinstance(content.get("rows"), int)
        and content["rows"] > 0
    )


def differing(answered: list[Output], expected: list[Output], rows: int) -> str | None:
    """The first difference between two answers to the same rows, in words; None if they are the same.

    Names of outputs, and whether several numbers are in one output or in one each, do not count: a prepackaged server
    calls them otherwise.

    Args:
        answered: by a server.
        expected: by the model's own libraries.
        rows: how many were asked.
    """
    ours, theirs = list(_values(answered)), list(_values(expected))
    if len(ours) != len(theirs):
        return f"{len(ours)} values, where {len(theirs)} are expected"
    tolerance = EXACT if all(one["datatype"] != "FP32" for one in (*answered, *expected)) else COARSE
    least = chain.from_iterable(_least(one["data"], rows, tolerance) for one in expected)
    for at, (one, other, apart) in enumerate(zip(ours, theirs, least, strict=True)):
        whole = isinstance(one, int) and isinstance(other, int)
        if _is_number(one) and _is_number(other) and not whole:
            if math.isclose(one, other, rel_tol=tolerance, abs_tol=apart):
                continue
        elif one == other and type(one) is type(other):
            continue
        return f"value {at} is {_shown(one)}, where {_shown(other)} is expected"
    return None


def _least(data: list[Any], rows: int, tolerance: float) -> list[float]:
    """How far apart the values of an output may lie in any case: what is rounding beside the greatest of their row."""
    width = max(1, len(data) // rows)
    apart = []
    for begin in range(0, len(data), width):
        row = [abs(value) for value in data[begin : begin + width] if _is_number(value)]
        greatest = max(row, default=0) if width > 1 else 0
        apart += [max(LEAST, tolerance * FAR_BELOW * greatest)] * len(data[begin : begin + width])
    return apart


def _values(outputs: list[Output]) -> Any:
    return chain.from_iterable(one["data"] for one in outputs)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = f"{value:.9g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:80]}…"  # noqa: PLR2004
