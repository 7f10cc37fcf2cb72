"""The forest that training stored, as its file holds it: one loader for the server and for trainings that compare."""

from __future__ import annotations

from pathlib import Path

from house_price.features import FEATURES
from modelkit.forest import Forest, Tree
from modelkit.skopsparts import Stored, StoredFileError, read, unreadable


def read_forest(path: Path) -> Forest:
    """Read a skops file, without running code from it, nor following nodes out of a tree.

    Raises:
        StoredFileError: the file holds no sound random forest of `FEATURES`.
    """
    stored = read(path, "sklearn.ensemble._forest.RandomForestRegressor")
    try:
        width = stored.part("n_features_in_").value(), stored.part("n_outputs_").value()
        if width != (len(FEATURES), 1):
            raise StoredFileError(f"{path} holds a forest that does not make one number of {len(FEATURES)} features")
        trees = [_tree(estimator.part("tree_")) for estimator in stored.part("estimators_").items()]
        if not trees or not all(tree.is_sound(len(FEATURES)) for tree in trees):
            raise StoredFileError(f"{path} is damaged or forged: a tree's nodes point outside of it")
        return Forest(trees, len(FEATURES))
    except StoredFileError:
        raise
    except Exception as error:  # of a forest that was never fitted, or is half of one
        raise unreadable(path, error) from error


def _tree(tree: Stored) -> Tree:
    nodes, values = tree.part("nodes").array(), tree.part("values").array()
    # More of them than there are scikit-learn does not believe; fewer, it does.
    if tree.part("node_count").value() != len(nodes):
        nodes = nodes[:0]
    return Tree(nodes, values.reshape(len(values)))
