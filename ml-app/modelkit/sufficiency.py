"""Whether there is something to learn from data: enough rows that differ, and values that vary.

A model of too little is no worse by its own score: eight equal rows give an R² of 1, and a champion for good.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence

from modelkit.recipe import Recipe

LEAST_ROWS = 5
"""Of each side of the split, where a model's manifest has no option `least-rows`; the score of fewer is chance."""

LEAST_SPREAD = 1e-7
"""Of the target, next to its size and to 1: what differs by less is lost in the rounding of sums of squares, and
scikit-learn's trees take a variance below 2.2e-16 for none."""


SHOWN = 5
"""Values that a sentence names."""


def unseen(train: Iterable[Hashable], test: Iterable[Hashable]) -> list[bool]:
    """Whether each row of the test has features that no row of the training has: others test the memory only."""
    seen = set(train)
    return [row not in seen for row in test]


def shortcomings(
    columns: Mapping[str, Sequence[float]], target: str, test_size: float, least: float = LEAST_ROWS
) -> list[str]:
    """What is too little about data that are to be trained on and tested with, a sentence each.

    Args:
        columns: the values of each feature and of the target, all of one length.
        target: the name of the column that is to be predicted.
        test_size: share of the rows that will be kept for the test, between 0 and 1.
        least: how many rows that differ there must be on each side.
    """
    rows = list(zip(*columns.values(), strict=True))
    different = len(set(rows))
    test_rows = math.ceil(different * test_size)
    train_rows = different - test_rows
    found = []
    if min(test_rows, train_rows) < least:
        counted = f"{len(rows)} rows" + ("" if different == len(rows) else f", of which {different} differ,")
        found.append(
            f"{counted} leave {train_rows} to train on and {test_rows} to test with "
            f"(test size {test_size:g}); {least:g} of each are the least"
        )
    if not rows:
        return found
    if _constant(columns[target]):
        found.append(f"{target} is {columns[target][0]:g} in every row: there is nothing to predict")
    elif max(columns[target]) - min(columns[target]) < LEAST_SPREAD * max(1, *map(abs, columns[target])):
        found.append(f"{target} is about {columns[target][0]:g} in every row: what differs is too little to predict")
    if all(_constant(values) for name, values in columns.items() if name != target):
        found.append(f"every feature is the same in every row: there is nothing to predict {target} from")
    return found


def no_classes(targets: Sequence[float], recipe: Recipe) -> list[str]:
    """What is wrong with the targets of a classifier: a sentence that names those that are no class of it."""
    if not recipe.classes:
        return []
    others = sorted(set(targets) - set(recipe.classes))
    if not others:
        return []
    shown = ", ".join(f"{value:g}" for value in others[:SHOWN]) + (", …" if len(others) > SHOWN else "")
    return [f"{recipe.target} is {shown} in some rows; the classes are {', '.join(map(str, recipe.classes))}"]


def _constant(values: Sequence[float]) -> bool:
    return len(set(values)) == 1
