"""Reads what a server says by its form: what has another is told, and breaks nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

DEEPEST = 16
"""Lists within lists that are looked into."""


class FormError(ValueError):
    """Something has another form than the protocol says; the message names it."""


def record(value: Any, what: str) -> dict[str, Any]:
    """An object, empty where nothing is said. Raises: FormError: it is something else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FormError(f"{what} is no object")
    return value


def many(value: Any, what: str, *kinds: type) -> list[Any]:
    """A list, empty where nothing is said, of values of these types. Raises: FormError: it is something else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise FormError(f"{what} is no list")
    if not all(isinstance(one, kinds) and not isinstance(one, bool) for one in value):
        raise FormError(f"{what} has values that are none of its kind")
    return value


def text(value: Any, what: str) -> str:
    """A text that is not empty. Raises: FormError: it is something else."""
    if not isinstance(value, str) or not value:
        raise FormError(f"{what} is missing, or no text")
    return value


def within(value: Any) -> list[Any]:
    """The list that stands in a text as JSON; empty if there is none."""
    try:
        found = json.loads(value) if isinstance(value, str) else []
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def flat(value: Any, what: str) -> list[Any]:
    """The values of a list, and of lists within it. Raises: FormError: it is none, or too deep."""
    found: list[Any] = value if isinstance(value, list) else many(value, what, object)
    for _ in range(DEEPEST):
        if not any(isinstance(one, list) for one in found):
            return found
        found = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
    raise FormError(f"{what} has lists deeper than {DEEPEST} within each other")


def cell(value: Any) -> Any:
    """A value for a cell of a table: of several values their JSON. Raises: FormError: they are too deep."""
    if not isinstance(value, list | dict):
        return value
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inner(one)]
        if not level:
            return json.dumps(value, ensure_ascii=False)
    raise FormError(f"a value has lists deeper than {DEEPEST} within each other")


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
