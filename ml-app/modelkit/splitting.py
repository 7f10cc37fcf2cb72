"""Divides a table into rows to train on and rows to test with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from sklearn.model_selection import train_test_split

from modelkit.datasets import DataError
from modelkit.recipe import Recipe
from modelkit.sufficiency import LEAST_ROWS, unseen


@dataclass(frozen=True)
class Split:
    """The rows of a table, shuffled and divided.

    Attributes:
        train_x: features to train on, shape (n, number of features), int64 or float64 as in the file.
        train_y: their targets, shape (n,), int64 or float64.
        test_x: features kept for the test, shape (m, number of features), likewise; none of its rows is in `train_x`.
        test_y: their targets, shape (m,), likewise.
    """

    train_x: pd.DataFrame
    train_y: pd.Series[float]
    test_x: pd.DataFrame
    test_y: pd.Series[float]


def split(recipe: Recipe, rows: pd.DataFrame, parameters: Mapping[str, int | float]) -> Split:
    """Divide rows into those to train on and those to test with; the same seed divides them the same way.

    Rows of the test whose features are in the training too are left out.

    Args:
        recipe: which columns are features, and which is the target.
        rows: shape (at least n + m, number of columns), int64 or float64.
        parameters: `test_size` and `seed`, and perhaps `least_rows`.

    Raises:
        DataError: too few rows are left for the test, or one of the parts has a single target, so that nothing can be
            learned, or measured; or there is a class of which nothing can be learned.
    """
    features, target = list(recipe.features), recipe.target
    size, seed = parameters["test_size"], parameters["seed"]
    train_x, test_x, train_y, test_y = train_test_split(rows[features], rows[target], test_size=size, random_state=seed)
    drawn, new = len(test_x), unseen(*(part.itertuples(index=False, name=None) for part in (train_x, test_x)))
    test_x, test_y = test_x[new], test_y[new]
    least = parameters.get("least_rows", LEAST_ROWS)
    if (different := len(test_x.drop_duplicates())) < least:
        raise DataError(
            f"of {drawn} rows to test with only {different} differ from those to train on and from each other, apart "
            f"from the {target}; {least:g} are the least: give more data, or divide them otherwise "
            "(--test-size, --seed)"
        )
    for part, targets in (("to train on", train_y), ("to test with", test_y)):
        if targets.nunique() == 1:
            raise DataError(
                f"the {len(targets)} rows {part} all have the {target} {targets.iloc[0]:g}: "
                "give more data, or divide them otherwise (--test-size, --seed)"
            )
    learnt = set(train_y)
    if missing := [str(one) for one in recipe.classes if one not in learnt]:
        raise DataError(
            f"the {len(train_y)} rows to train on have no {recipe.target} {', '.join(missing)}: "
            "give more data, or divide them otherwise (--test-size, --seed)"
        )
    return Split(train_x, train_y, test_x, test_y)
