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
        predictions: the model's answer to each row, at training.
        libraries: version of each library that the model file depends on, by its name on PyPI.
        dtype: numpy's name of the type of the predictions, one of `RELATIVE_TOLERANCES`.
    """

    names: list[str]
    rows: list[list[float]]
    predictions: list[float]
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

    def mismatches(self, answers: Sequence[float]) -> list[str]:
        """Compare a server's answers with the recorded predictions; one sentence for each that differs."""
        if len(answers) != len(self.predictions):
            return [f"{len(answers)} answers to {len(self.predictions)} rows"]
        return [
            f"row {index}: answered {answer!r}, training answered {expected!r}"
            for index, (answer, expected) in enumerate(zip(answers, self.predictions, strict=True))
            if not math.isclose(answer, expected, rel_tol=RELATIVE_TOLERANCES[self.dtype])
        ]
