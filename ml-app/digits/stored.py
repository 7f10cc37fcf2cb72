"""The logistic regression that training stored: one loader for the server and for trainings that compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from digits.features import CLASSES, FEATURES
from modelkit.skopsfile import StoredFileError, read, unreadable


def read_logistic(path: Path) -> LogisticRegression:
    """Read a skops file without running code from it.

    Raises:
        StoredFileError: the file holds no sound logistic regression of `FEATURES` and `CLASSES`.
    """
    model = read(path, LogisticRegression)
    try:
        weights, levels, classes = np.asarray(model.coef_), np.asarray(model.intercept_), tuple(model.classes_)
        finite = np.isfinite(weights).all() and np.isfinite(levels).all()
    except (AttributeError, TypeError) as error:  # of one that was never fitted, or is half of one
        raise unreadable(path, error) from error
    if weights.shape != (len(CLASSES), len(FEATURES)) or levels.shape != (len(CLASSES),) or classes != CLASSES:
        raise StoredFileError(
            f"{path} holds a model that does not tell {len(CLASSES)} digits by {len(FEATURES)} pixels"
        )
    if not finite:
        raise StoredFileError(f"{path} is damaged or forged: a weight is no finite number")
    return model
