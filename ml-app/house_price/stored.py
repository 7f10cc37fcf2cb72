"""The forest that training stored, as its file holds it: one loader for the server and for trainings that compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from house_price.features import FEATURES, SKOPS_TRUSTED_TYPES
from modelkit.skopsfile import StoredFileError, read, unreadable


def read_forest(path: Path) -> RandomForestRegressor:
    """Read a skops file without running code from it, nor following nodes out of a tree.

    Raises:
        StoredFileError: the file holds no sound random forest of `FEATURES`.
    """
    forest = read(path, RandomForestRegressor, SKOPS_TRUSTED_TYPES)
    try:
        if (forest.n_features_in_, forest.n_outputs_) != (len(FEATURES), 1):
            raise StoredFileError(f"{path} holds a forest that does not make one number of {len(FEATURES)} features")
        if not all(_is_sound(estimator.tree_) for estimator in forest.estimators_):
            raise StoredFileError(f"{path} is damaged or forged: a tree's nodes point outside of it")
    except (AttributeError, TypeError, ValueError) as error:  # of a forest that was never fitted, or is half of one
        raise unreadable(path, error) from error
    return forest


def _is_sound(tree: Any) -> bool:
    """Whether every node points to later nodes of its tree, and to a feature there is: see `SKOPS_TRUSTED_TYPES`."""
    # More than there are scikit-learn does not believe; that there is a first one, it does.
    if tree.node_count < 1:
        return False
    inner = np.flatnonzero(tree.children_left != -1)
    children = np.stack([tree.children_left[inner], tree.children_right[inner]])
    features = tree.feature[inner]
    later = (children > inner).all() and (children < tree.node_count).all()
    return bool(later and (features >= 0).all() and (features < len(FEATURES)).all())
