"""Loads the forest that training stored, and compiles it for fast answers."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import treelite

from house_price.features import FEATURES
from house_price.stored import read_forest
from modelkit.skopsfile import StoredFileError, unreadable
from modelserver.errors import ModelError


class Forest:
    """A forest that treelite evaluates, through its C interface (`treelite/c_api.h`).

    Of the 60 microseconds that `treelite.gtil.predict` takes for a row, 45 go into finding out each time what is the
    same each time: the configuration, the types, the shape of the answer, the addresses.
    """

    def __init__(self, model: treelite.Model) -> None:
        if (model.input_type, model.output_type, model.num_feature) != ("float64", "float64", len(FEATURES)):
            raise ValueError("a forest of scikit-learn takes and answers float64")
        self._model = model
        # One thread: a single row gains nothing from more, and the pod has a share of a core.
        self._settings = treelite.gtil.gtil.GTILConfig(predict_type="default", nthread=1)
        self._evaluate = treelite.core._LIB.TreeliteGTILPredict
        # Calls run side by side, each with a row of its own.
        self._prepared = threading.local()

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The forest's numbers for rows of shape (n, number of features), shape (n,)."""
        # The trees compare float32 with their thresholds, which are float64.
        if rows.shape == (1, len(FEATURES)):
            one = self._prepared.__dict__.get("call") or self._prepare(np.empty((1, len(FEATURES))))
            self._prepared.call = one
            one.rows[:] = rows
            return one.run().copy()
        if rows.ndim != 2 or rows.shape[1] != len(FEATURES):  # noqa: PLR2004 -- it would read beyond the rows
            raise ValueError(f"rows of shape {rows.shape}")
        return self._prepare(rows.astype(np.float64, order="C")).run()

    def _prepare(self, rows: npt.NDArray[np.float64]) -> _Call:
        answers = np.zeros(len(rows))
        return _Call(
            rows,
            answers,
            partial(
                self._evaluate,
                self._model.handle,
                ctypes.c_void_p(rows.ctypes.data),
                ctypes.c_char_p(b"float64"),
                ctypes.c_uint64(len(rows)),
                ctypes.c_void_p(answers.ctypes.data),
                self._settings.handle,
            ),
        )


class _Call(NamedTuple):
    """Where treelite finds rows, and puts answers."""

    rows: npt.NDArray[np.float64]
    answers: npt.NDArray[np.float64]
    evaluate: Callable[[], int]

    def run(self) -> npt.NDArray[np.float64]:
        """The answers to what the rows are now."""
        if self.evaluate():
            raise RuntimeError(treelite.core._LIB.TreeliteGetLastError())
        return self.answers


def load_forest(path: Path) -> Forest:
    """Read the file, and compile the forest.

    treelite evaluates the same trees with the same numbers, 80 times as fast for a single row.

    Raises:
        ModelError: the file holds no sound random forest of `FEATURES`.
    """
    try:
        forest = read_forest(path)
    except StoredFileError as error:
        raise ModelError(str(error)) from error
    try:
        return Forest(treelite.sklearn.import_model(forest))
    except Exception as error:  # whatever the damaged part leads to
        raise ModelError(str(unreadable(path, error))) from error
