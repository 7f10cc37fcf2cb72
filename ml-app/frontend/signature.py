"""What a model takes, whatever its protocol, and how that is read from what people type."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

MOST_CHARACTERS = 2_000
"""Of what is typed into a field, or stands in a cell."""

LARGEST = 1e15
"""Whole numbers below are written in full."""

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_WHOLE = re.compile(r"(U?)INT(8|16|32|64)")
_MOST = {"FP16": 65504.0, "FP32": 3.4028234663852886e38, "BF16": 3.3895313892515355e38}
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


class UnfitError(ValueError):
    """A value does not fit where it is given; the message says why, without the name of the place."""


@dataclass(frozen=True)
class Field:
    """Something that a model takes.

    Attributes:
        name: what people call it.
        kind: `number`, `whole`, `truth`, `text`, `list` (of as many values as `shape` says) or `any`, which is a number
            where JSON has it as one, else a text: 007 is a text.
        datatype: what the protocol v2 calls it; empty in Seldon's own.
        shape: of a list: its lengths, -1 where any will do.
        optional: whether it may be left out.
        nullable: whether a value of it may be missing.
    """

    name: str
    kind: str
    datatype: str = ""
    shape: tuple[int, ...] = ()
    optional: bool = False
    nullable: bool = False


@dataclass(frozen=True)
class Description:
    """What a model says of itself.

    Attributes:
        fields: what a row holds, in this order; empty if the model does not say.
        named: whether it knows the fields by their names; else by their order.
        example: a value for each of the fields; empty if there is none.
        classes: what it chooses from; its answers are then the probabilities of these. Empty if it is no classifier.
        outputs: what it answers, by names; empty if it does not say.
        picture: whether it takes pictures.
        version: as the server says; None if it does not.
    """

    fields: tuple[Field, ...] = ()
    named: bool = True
    example: tuple[Any, ...] = ()
    classes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    picture: bool = False
    version: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a model answers: for each row a value under each name."""

    names: tuple[str, ...]
    rows: list[list[Any]]


def read(field: Field, text: str) -> Any:
    """The value that a text stands for.

    Raises:
        UnfitError: it stands for none that fits the field.
    """
    text = text.strip() if field.kind != "text" else text
    if len(text) > MOST_CHARACTERS:
        raise UnfitError(f"is longer than {MOST_CHARACTERS:,} characters")
    if not text:
        if field.nullable:
            return None
        raise UnfitError("is empty")
    return _READERS[field.kind](field, text)


def shown(value: Any) -> str:
    """A value as people type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value)
    # Of 2.0 and 2 servers make the same.
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST else str(value)


def fitting(example: Sequence[Any], fields: Sequence[Field]) -> tuple[Any, ...]:
    """An example as a description has it: NaN is a missing value; empty if it is none of a row of these fields."""
    pairs = [*zip(fields, example, strict=False)]
    if len(example) != len(fields) or not all(_has_shape(value, field.shape) for field, value in pairs):
        return ()
    return tuple(None if isinstance(value, float) and math.isnan(value) else value for _, value in pairs)


def read_row(fields: Sequence[Field], texts: Sequence[str]) -> list[Any]:
    """The values of a row.

    Raises:
        UnfitError: says of each value that does not fit where it stands, and why.
    """
    values, wrong = [], []
    for field, text in zip(fields, texts, strict=True):
        try:
            values.append(read(field, text))
        except UnfitError as error:
            wrong.append(f"{field.name} {error}")
    if wrong:
        raise UnfitError("; ".join(wrong))
    return values


def _number(field: Field, text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise UnfitError(f"is {_quoted(text)}, which is no number")
    value = float(text)
    if not math.isfinite(value):
        raise UnfitError(f"is {_quoted(text)}, which is too large")
    if re.fullmatch(r"[-+]?\d+", text):
        value = int(text)
    _in_range(field.datatype, value, text)
    return value


def _whole(field: Field, text: str) -> int:
    _number(field, text)
    try:
        # Not by way of a float, which has not every whole number above 2^53.
        exact = Decimal(text)
        whole = int(exact)
    except DecimalException:
        exact, whole = Decimal("0.5"), 0
    if exact != whole:
        raise UnfitError(f"is {_quoted(text)}, which is no whole number")
    _in_range(field.datatype, whole, text)
    return whole


def _in_range(datatype: str, value: float, text: str) -> None:
    """Refuse a number that a datatype does not have. Raises: UnfitError."""
    if found := _WHOLE.fullmatch(datatype):
        signed, bits = not found[1], int(found[2])
        least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        if value < 0 and not signed:
            raise UnfitError(f"is {_quoted(text)}, and must not be negative")
        if not least <= value <= most:
            raise UnfitError(f"is {_quoted(text)}; {datatype} has {least:,} to {most:,}")
    elif abs(value) > _MOST.get(datatype, math.inf):
        raise UnfitError(f"is {_quoted(text)}, which is too large for {datatype}")


def _truth(field: Field, text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise UnfitError(f"is {_quoted(text)}, neither true nor false")
    return _TRUTHS[text.lower()]


def _list(field: Field, text: str) -> list[Any]:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except UnfitError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnfitError("is no list in JSON, such as [1, 2]") from error
    if not isinstance(value, list) or not _has_shape(value, field.shape):
        lengths = " by ".join("any" if length < 0 else str(length) for length in field.shape)
        raise UnfitError(f"must be a list of {lengths} values")
    for one in _leaves(value):
        if isinstance(one, int | float):
            if isinstance(one, float) and not math.isfinite(one):
                raise UnfitError("has a number that is too large")
            _in_range(field.datatype, one, str(one))
    return value


def _no_constant(name: str) -> None:
    raise UnfitError(f"has {name}, which is no number in JSON")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    if not shape:
        return not isinstance(value, list | dict)
    fits = isinstance(value, list) and shape[0] in (-1, len(value))
    return fits and all(_has_shape(one, shape[1:]) for one in value)


def _any(field: Field, text: str) -> Any:
    return _number(field, text) if _JSON_NUMBER.fullmatch(text) else text


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= 40 else f'{text[:40]}…'}”"  # noqa: PLR2004


_READERS = {
    "number": _number,
    "whole": _whole,
    "truth": _truth,
    "text": lambda _, text: text,
    "list": _list,
    "any": _any,
}
