"""Whether there is something to learn from data: enough rows that differ, and values that vary.

A model of too little is no worse by its own score: eight equal rows give an R² of 1, and a champion for good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

LEAST_ROWS = 5
"""Of each side of the split; the score of fewer is chance."""


def shortcomings(columns: Mapping[str, Sequence[float]], target: str, test_size: float) -> list[str]:
    """What is too little about data that are to be trained on and tested with, a sentence each.

    Args:
        columns: the values of each feature and of the target, all of one length.
        target: the name of the column that is to be predicted.
        test_size: share of the rows that will be kept for the test, between 0 and 1.
    """
    rows = list(zip(*columns.values(), strict=True))
    different = len(set(rows))
    test_rows = math.ceil(different * test_size)
    train_rows = different - test_rows
    found = []
    if min(test_rows, train_rows) < LEAST_ROWS:
        counted = f"{len(rows)} rows" + ("" if different == len(rows) else f", of which {different} differ,")
        found.append(
            f"{counted} leave {train_rows} to train on and {test_rows} to test with "
            f"(test size {test_size:g}); {LEAST_ROWS} of each are the least"
        )
    if not rows:
        return found
    if _constant(columns[target]):
        found.append(f"{target} is {columns[target][0]:g} in every row: there is nothing to predict")
    if all(_constant(values) for name, values in columns.items() if name != target):
        found.append(f"every feature is the same in every row: there is nothing to predict {target} from")
    return found


def _constant(values: Sequence[float]) -> bool:
    return len(set(values)) == 1
