"""What a model makes of rows: the one that training stored, loaded by what trained it."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.forms import Form, Numbers
from batch.scored import Scored, ScorerError
from batch.source import Parsed, Source, Wanted
from modelkit.datasets import LARGEST, number_of
from modelkit.mlmodel import ModelFolder, ModelFolderError
from modelkit.recipe import Recipe
from standardserver.decided import ANSWERS_FILE


class Scorer:
    """A version of a model.

    Args:
        package: of the model: `house_price`.
        folder: of the version's files, as MLflow stores them.

    Raises:
        ScorerError: they cannot be loaded, were made with other libraries, or answer otherwise than at training.

    Attributes:
        wanted: what it takes of a table.
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
        self.files = digest_of(folder)
        self.wanted = Wanted.of(self.features)

    def form(self, counted: str) -> Form:
        """How its scores are kept, by numbers of rows that are called so."""
        return Numbers([counted, *self.outputs])

    def rows(self, source: Source, piece: Any) -> Parsed:
        """The rows of a piece of a table."""
        return source.parsed(piece)

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


def digest_of(folder: Path) -> str:
    """A digest over all files of a version, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    # What the platform has put beside them is not of the version.
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ANSWERS_FILE):
        digest.update(f"{file.relative_to(folder)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
