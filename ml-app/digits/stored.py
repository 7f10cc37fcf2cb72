"""The logistic regression that training stored: one loader for the server and for trainings that compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digits.features import CLASSES, FEATURES
from modelkit.skopsparts import StoredFileError, read, unreadable


class Logistic:
    """A logistic regression of several classes.

    Attributes:
        classes_: what it tells apart; the name is scikit-learn's.
    """

    def __init__(self, weights: npt.NDArray[np.float64], levels: npt.NDArray[np.float64], classes: Any) -> None:
        self.classes_ = classes
        self._weights, self._levels = np.ascontiguousarray(weights.T), levels

    def predict_proba(self, rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The probability of each class, float64, shape (n, number of classes), as scikit-learn computes it."""
        # In float64, as training computes: float32 differs in the sixth digit.
        scores = np.asarray(rows, np.float64) @ self._weights + self._levels
        # The largest is taken away, so that no exponential is infinite.
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


def read_logistic(path: Path) -> Logistic:
    """Read a skops file without running code from it.

    Raises:
        StoredFileError: the file holds no sound logistic regression of `FEATURES` and `CLASSES`.
    """
    stored = read(path, "sklearn.linear_model._logistic.LogisticRegression")
    try:
        weights, levels = stored.part("coef_").array(), stored.part("intercept_").array()
        classes = tuple(stored.part("classes_").array().tolist())
        finite = np.isfinite(weights).all() and np.isfinite(levels).all()
    except Exception as error:  # of one that was never fitted, or is half of one
        raise unreadable(path, error) from error
    fits = weights.shape == (len(CLASSES), len(FEATURES)) and levels.shape == (len(CLASSES),) and classes == CLASSES
    if not fits or weights.dtype != np.float64 or levels.dtype != np.float64:
        raise StoredFileError(
            f"{path} holds a model that does not tell {len(CLASSES)} digits by {len(FEATURES)} pixels"
        )
    if not finite:
        raise StoredFileError(f"{path} is damaged or forged: a weight is no finite number")
    return Logistic(weights, levels, classes)
