"""What a model's own code says of its training. All else is the same for every model, and stands in `modelkit`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelkit.estimator import Estimator


@dataclass(frozen=True)
class Recipe:
    """What is trained, and by what.

    Attributes:
        folder: the model's folder, a package: with its manifest, `model.json`.
        sample: the data where none are named, a CSV table.
        features: the columns that it is trained on, in their order; all are numbers.
        target: the column that it predicts, a number; of a classifier the number of a class.
        non_negative: columns that have no values below zero.
        unit: of the target, for people: "dollars"; of a classifier, "class".
        estimator: where the model's `Estimator` is, `module:Class`. It is imported when options and data are known to
            be right, since its libraries take seconds.
    """

    folder: Path
    sample: Path
    features: tuple[str, ...]
    target: str
    non_negative: tuple[str, ...]
    unit: str
    estimator: str
    classes: tuple[int, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that the table of data must have."""
        return (*self.features, self.target)

    @property
    def manifest(self) -> Path:
        """What others must know of the model."""
        return self.folder / "model.json"

    @property
    def name(self) -> str:
        """The name under which the model is registered."""
        return str(self._said["name"])

    @property
    def score(self) -> str:
        """What its score is called: "R²"."""
        return str(self._said["training"]["score"])

    def make_estimator(self) -> Estimator:
        """Import the estimator, and make one."""
        module, name = self.estimator.split(":")
        made: Estimator = getattr(import_module(module), name)()
        return made

    @cached_property
    def _said(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.manifest.read_text())
        return said
