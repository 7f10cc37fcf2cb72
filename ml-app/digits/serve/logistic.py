"""Loads the logistic regression that training stored."""

from pathlib import Path

import numpy as np
import skops.io
from sklearn.linear_model import LogisticRegression

from digits.features import CLASSES, FEATURES
from modelserver.errors import ModelError


def load_logistic(path: Path) -> LogisticRegression:
    """Read a skops file without running code from it.

    Raises:
        ModelError: the file holds no sound logistic regression of `FEATURES` and `CLASSES`.
    """
    try:
        untrusted = skops.io.get_untrusted_types(file=path)
        if untrusted:
            raise ModelError(f"{path} holds types that may run code when loaded: {', '.join(sorted(untrusted))}")
        model = skops.io.load(path, trusted=[])
        if not isinstance(model, LogisticRegression):
            raise ModelError(f"{path} holds a {type(model).__name__}, not a logistic regression")
        weights, levels = np.asarray(model.coef_), np.asarray(model.intercept_)
        fits = weights.shape == (len(CLASSES), len(FEATURES)) and levels.shape == (len(CLASSES),)
        if not fits or tuple(model.classes_) != CLASSES:
            raise ModelError(f"{path} holds a model that does not tell {len(CLASSES)} digits by {len(FEATURES)} pixels")
        if not (np.isfinite(weights).all() and np.isfinite(levels).all()):
            raise ModelError(f"{path} is damaged or forged: a weight is no finite number")
        return model
    except ModelError:
        raise
    except Exception as error:  # skops and the libraries raise whatever the damaged part leads to
        raise ModelError(f"{path} is not a readable skops file: {error}") from error
