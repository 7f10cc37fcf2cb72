"""Answers are what the function gives, in its order: a ranking stays one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from standardserver.answers import outputs

RANKED = pd.DataFrame({"p": [3.0, 1.0, 2.0]}, index=[2, 0, 1])


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        (RANKED, [3, 1, 2]),
        (RANKED["p"], [3, 1, 2]),
        ({"p": RANKED["p"]}, [3, 1, 2]),
        (np.array([3, 1, 2]), [3, 1, 2]),
        ([1, "a", None], [b"1", b"a", None]),
        ([b"a\0", b"b"], [b"YQA=", b"Yg=="]),
    ],
)
def test_answers_are_given_as_they_are(answer: Any, values: list[Any]) -> None:
    (only,) = outputs(answer, [])
    assert list(only.data) == values
