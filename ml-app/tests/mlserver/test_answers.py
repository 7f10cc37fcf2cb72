"""Answers are to the rows that were asked, in their order, whatever the function has made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from standardserver.answers import outputs

SHUFFLED = pd.DataFrame({"p": [3.0, 1.0, 2.0]}, index=[2, 0, 1])


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        (SHUFFLED, [1, 2, 3]),
        (SHUFFLED["p"], [1, 2, 3]),
        ({"p": SHUFFLED["p"]}, [1, 2, 3]),
        # Numbers of other rows than those that were asked say nothing.
        (SHUFFLED.set_axis([9, 3, 4]), [3, 1, 2]),
        (SHUFFLED.set_axis(list("cab")), [3, 1, 2]),
        (SHUFFLED.set_axis([1, 1, 0]), [3, 1, 2]),
        (np.array([3, 1, 2]), [3, 1, 2]),
        ([1, "a", None], [b"1", b"a", None]),
    ],
)
def test_answers_stand_in_the_order_of_the_rows(answer: Any, values: list[Any]) -> None:
    (only,) = outputs(answer, [])
    assert list(only.data) == values
