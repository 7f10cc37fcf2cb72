"""Parity: a model server is right when it answers the rows recorded at training with the same numbers.

A server can load a model file without a word and still compute something else: XGBoost 2.1 reads a model
of XGBoost 3 and answers 0.022 where training answered 5.160. So training stores a few rows with their
predictions, and the versions of the libraries that made them, in the metadata of the model's `MLmodel`
file, and nothing is in service before it has answered those rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

METADATA_KEY = "mlplatform"
"""The key of an `MLmodel` file's `metadata` under which the platform keeps what it recorded."""

RECORD_FILE = "recorded.json"
"""The same as a file beside `MLmodel`, for a check that has nothing but Python's standard library to read it with."""

RELATIVE_TOLERANCES = {"float64": 1e-6, "float32": 1e-5}
"""How far an answer of a type may lie from the recorded one, relative to it: sums in another order stay far below."""


@dataclass(frozen=True)
class Record:
    """What training recorded with a model.

    Attributes:
        names: feature names, in the order of the columns of `rows`.
        rows: a few rows of the training data, each as wide as `names`.
        predictions: the model's answer to each row, at training: a number, or of a classifier one for each class.
        libraries: version of each library that the model file depends on, by its name on PyPI.
        dtype: numpy's name of the type of the predictions, one of `RELATIVE_TOLERANCES`.
    """

    names: list[str]
    rows: list[list[float]]
    predictions: list[float] | list[list[float]]
    libraries: dict[str, str]
    dtype: str = "float64"

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.rows}
        if widths != {len(self.names)} or len(self.predictions) != len(self.rows):
            raise ValueError("a parity record needs rows, each with a value for each name and with its prediction")
        if self.dtype not in RELATIVE_TOLERANCES:
            raise ValueError(
                f"predictions of {self.dtype} cannot be compared: make them {' or '.join(RELATIVE_TOLERANCES)}"
            )

    def to_metadata(self) -> dict[str, Any]:
        """The record as the `metadata` argument of MLflow's `log_model` takes it: plain JSON values."""
        return {METADATA_KEY: asdict(self)}

    def write(self, folder: Path) -> Path:
        """Write the record as a file of its own, and say where."""
        path = folder / RECORD_FILE
        path.write_text(json.dumps(asdict(self), indent=1))
        return path

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any] | None) -> Record:
        """Read the record back from the `metadata` of an `MLmodel` file.

        Raises:
            ValueError: the metadata holds no record of the platform, or one that does not fit together.
        """
        recorded = (metadata or {}).get(METADATA_KEY)
        try:
            return cls(**recorded)  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(
                "the model carries no parity record (rows with the predictions made at training): "
                "it was not logged by this platform's training; train it again"
            ) from error

    def mismatches(self, answers: Sequence[float | Sequence[float]]) -> list[str]:
        """Compare a server's answers with the recorded predictions; one sentence for each that differs."""
        predictions: Sequence[float | Sequence[float]] = self.predictions
        if len(answers) != len(predictions):
            return [f"{len(answers)} answers to {len(predictions)} rows"]
        return [
            f"row {index}: answered {answer!r}, training answered {expected!r}"
            for index, (answer, expected) in enumerate(zip(answers, predictions, strict=True))
            if not self._same(answer, expected)
        ]

    def _same(self, answer: float | Sequence[float], expected: float | Sequence[float]) -> bool:
        one, other = _numbers(answer), _numbers(expected)
        tolerance = RELATIVE_TOLERANCES[self.dtype]
        # What is far below the greatest number of an answer is rounding: a probability of 1e-12 beside one of 1.
        least = tolerance * max(map(abs, other), default=0) if len(other) > 1 else 0
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(math.isclose(a, b, rel_tol=tolerance, abs_tol=least) for a, b in pairs)


def _numbers(answer: float | Sequence[float]) -> Sequence[float]:
    return answer if isinstance(answer, Sequence) else [answer]
