"""Asks models, each over its protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from frontend import open_inference, seldon
from frontend.exchange import AskError
from frontend.form import FormError, cell
from frontend.listed import Listed
from frontend.signature import Answer, Description

_AT_ONCE = 16
Found = TypeVar("Found")


@dataclass(frozen=True)
class _Protocol:
    healthy: Callable[[Listed], None]
    describe: Callable[[Listed], Description]
    predict: Callable[[Listed, Description, Sequence[Sequence[Any]]], Answer]


_PROTOCOLS = {
    "seldon": _Protocol(seldon.healthy, seldon.describe, seldon.predict),
    "v2": _Protocol(open_inference.healthy, open_inference.describe, open_inference.predict),
}


@dataclass(frozen=True)
class Health:
    """How a model is: its version as its server says, or what is wrong."""

    version: str | None = None
    problem: str | None = None


def describe(model: Listed) -> Description:
    """What a model says of itself. Raises: AskError: it does not answer, or otherwise than its protocol has it."""
    with _in_form(model):
        return _PROTOCOLS[model.protocol].describe(model)


def predict(model: Listed, description: Description, rows: Sequence[Sequence[Any]]) -> Answer:
    """The answers to rows. Raises: RefusedError: it refuses them; AskError: it does not answer a row for each."""
    with _in_form(model):
        return _checked(_PROTOCOLS[model.protocol].predict(model, description, rows), len(rows), model)


def show(model: Listed, description: Description, picture: bytes) -> Answer:
    """The answer to a picture. Raises: as `predict` does."""
    with _in_form(model):
        return _checked(seldon.show(model, description, picture), 1, model)


def alike(description: Description, models: Sequence[Listed]) -> list[Listed]:
    """These models, first those that take the same fields."""
    fields = [field.name for field in description.fields]
    same = [
        found is not None and [one.name for one in found.fields] == fields for found in _at_once(_described, models)
    ]
    return [one for _, one in sorted(zip(same, models, strict=True), key=lambda pair: not pair[0])]


def healths(models: Sequence[Listed]) -> list[Health]:
    """How each model is; they are asked at the same time."""
    return _at_once(_health, models)


@contextmanager
def _in_form(model: Listed) -> Iterator[None]:
    try:
        yield
    except FormError as error:
        raise AskError(f"{model.name} answers otherwise than its protocol has it: {error}.") from error


def _checked(answer: Answer, count: int, model: Listed) -> Answer:
    """An answer with a row for each that was asked, and a value in each cell."""
    width = len(answer.names)
    if len(answer.rows) != count or not width or any(len(row) != width for row in answer.rows):
        raise AskError(f"{model.name} answers {len(answer.rows)} rows to {count}, or rows of several lengths.")
    return Answer(answer.names, [[*map(cell, row)] for row in answer.rows])


def _at_once(look: Callable[[Listed], Found], models: Sequence[Listed]) -> list[Found]:
    if not models:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(models))) as pool:
        return list(pool.map(look, models))


def _described(model: Listed) -> Description | None:
    try:
        return describe(model)
    except AskError:
        return None


def _health(model: Listed) -> Health:
    try:
        _PROTOCOLS[model.protocol].healthy(model)
        return Health(version=describe(model).version)
    except AskError as error:
        return Health(problem=str(error))
