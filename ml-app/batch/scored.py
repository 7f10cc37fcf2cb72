"""What a model makes of the rows of a piece."""

from __future__ import annotations

from typing import Any, NamedTuple


class ScorerError(RuntimeError):
    """The model cannot be used; the message says why, and what to do."""


class WrongAnswerError(ValueError):
    """The model answers what is no score of rows, and would do so again; the message says what."""


class Scored(NamedTuple):
    """Rows, each by its number in the file.

    Attributes:
        numbers: of those that were scored.
        answers: what the model answers to them: float64 or float32, shape (n, number of outputs); or Arrow's table.
        rejected: those that were not, and why.
    """

    numbers: list[int]
    answers: Any
    rejected: list[tuple[int, str]]
