"""What a model makes of rows: the one that training stored, loaded by what trained it."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.source import Parsed
from modelkit.datasets import LARGEST, number_of
from modelkit.mlmodel import ModelFolder, ModelFolderError
from modelkit.recipe import Recipe


class ScorerError(RuntimeError):
    """The model cannot be used; the message says why, and what to do."""


class Scored(NamedTuple):
    """Rows, each by its number in the file.

    Attributes:
        numbers: of those that were scored.
        answers: what the model answers to them, float64 or float32, shape (n, number of outputs).
        rejected: those that were not, and why.
    """

    numbers: list[int]
    answers: npt.NDArray[np.floating[Any]]
    rejected: list[tuple[int, str]]


class Scorer:
    """A version of a model.

    Args:
        package: of the model: `house_price`.
        folder: of the version's files, as MLflow stores them.

    Raises:
        ScorerError: they cannot be loaded, were made with other libraries, or answer otherwise than at training.

    Attributes:
        outputs: what the columns of its answers are called.
        files: a digest over all files of the version, 64 hexadecimal digits.
    """

    def __init__(self, package: str, folder: Path) -> None:
        try:
            self.recipe: Recipe = import_module(f"{package}.train.recipe").RECIPE
        except ImportError as error:
            raise ScorerError(f"there is no model {package}: {error}") from error
        self.features = self.recipe.features
        target, classes = self.recipe.target, self.recipe.classes
        self.outputs = [f"{target}_{number}" for number in classes] if classes else [target]
        self._estimator = self.recipe.make_estimator()
        try:
            record = ModelFolder.open(folder).record
        except ModelFolderError as error:
            raise ScorerError(str(error)) from error
        if tuple(record.names) != self.features:
            raise ScorerError(f"the model in {folder} takes {', '.join(record.names)}: train it again with this code")
        try:
            self._model = self._estimator.load_for_tables(folder)
        except Exception as error:  # each library has its own
            raise ScorerError(f"the model in {folder} cannot be loaded: {error}") from error
        wrong = record.mismatches(self._predict(np.array(record.rows)).tolist())
        if wrong:
            raise ScorerError(f"the model in {folder} does not answer as it did at training: {'; '.join(wrong)}")
        self.files = _digest_of(folder)

    def score(self, parsed: Parsed) -> Scored:
        """Predictions of rows."""
        fits = self._fits(parsed.matrix)
        if fits.all():
            numbers, matrix, wrong = list(parsed.numbers), parsed.matrix, []
        else:
            numbers = [parsed.numbers[at] for at in np.flatnonzero(fits).tolist()]
            matrix = parsed.matrix[fits]
            places = np.flatnonzero(~fits).tolist()
            wrong = [(parsed.numbers[at], self._flaws(parsed.cells(at))) for at in places]
        answers = self._predict(matrix) if numbers else np.empty(0)
        return Scored(numbers, answers.reshape(len(numbers), len(self.outputs)), sorted([*parsed.rejected, *wrong]))

    def _predict(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.floating[Any]]:
        frame = pd.DataFrame(matrix, columns=list(self.features))
        answers: npt.NDArray[np.floating[Any]] = self._estimator.predict(self._model, frame)
        return answers

    def _fits(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which rows the model takes."""
        below = [name in self.recipe.non_negative for name in self.features]
        # NaN is neither.
        right = (np.abs(matrix) <= LARGEST) & ((matrix >= 0) | ~np.array(below))
        fits: npt.NDArray[np.bool_] = right.all(axis=1)
        return fits

    def _flaws(self, cells: list[str]) -> str:
        """Why a row does not fit."""
        flaws = []
        for name, cell in zip(self.features, cells, strict=True):
            number, flaw = number_of(cell)
            if not flaw and number < 0 and name in self.recipe.non_negative:
                flaw = "negative"
            if flaw:
                flaws.append(f"{name} is {flaw}" + (f": {cell:.50}" if flaw != "empty" else ""))
        return "; ".join(flaws)


def _digest_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
