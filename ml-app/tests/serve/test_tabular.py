"""Rows against the columns of a model."""

from __future__ import annotations

import numpy as np
import pytest

from modelserver.errors import BadRequest
from modelserver.tabular import to_matrix

COLUMNS = ("a", "b", "c")


def refused(rows: object, names: list[str] | None = None) -> str:
    with pytest.raises(BadRequest) as caught:
        to_matrix(rows, names, COLUMNS)
    assert caught.value.status_code == 400
    return str(caught.value)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.uint8])
def test_numbers_of_every_kind(kind: type) -> None:
    matrix = to_matrix(np.ones((2, 3), dtype=kind), None, COLUMNS)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.ones((2, 3)))


@pytest.mark.parametrize("names", [None, [], ["a", "b", "c"]])
def test_order_is_kept(names: list[str] | None) -> None:
    rows = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(to_matrix(rows, names, COLUMNS), rows)


def test_columns_in_another_order() -> None:
    np.testing.assert_array_equal(to_matrix(np.array([[3, 1, 2]]), ["c", "a", "b"], COLUMNS), [[1, 2, 3]])


def test_the_largest_number() -> None:
    largest = np.finfo(np.float32).max
    assert to_matrix(np.array([[largest, -largest, 0]], dtype=np.float64), None, COLUMNS)[0, 0] == largest
    assert refused(np.array([[1, 2, 3], [1, 3.5e38, 3]])) == (
        "row 1, column 1 is not a finite number, or too large: 3.5e+38"
    )


@pytest.mark.parametrize("rows", ["text", b"bytes", {"a": 1}, [[1, 2, 3]], 5, None])
def test_no_array(rows: object) -> None:
    assert refused(rows) == "this model takes rows of numbers: send data.ndarray or data.tensor"


def test_wrong_shape() -> None:
    assert refused(np.zeros((0, 3))) == "there are no rows; send at least one of 3 numbers"
    assert refused(np.zeros(3)) == "the array has 1 dimension(s), not 2: send a list of rows, [[…], …]"
    assert refused(np.zeros((1, 2))) == "each row needs 3 numbers (a, b, c), not 2"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(bad: float) -> None:
    assert refused(np.array([[1, 2, bad]])).startswith("row 0, column 2 is not a finite number")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["1", "x", "3"], 'row 0, column 1 is not a number: "x"'),
        (["1", "2", ""], 'row 0, column 2 is not a number: ""'),
        (["1", "inf", "3"], 'row 0, column 1 is not a number: "inf"'),
        (["1", "1_000", "3"], 'row 0, column 1 is not a number: "1_000"'),
        (["1", "３", "3"], 'row 0, column 1 is not a number: "３"'),  # noqa: RUF001
        (["1", "2", "3"], "there are numbers in quotes: send them without"),
        ([1, None, "3"], "row 0, column 1 is not a number: null"),
        ([1, 2, 10**400], "a number is too large"),
        ([1, 2**64, None], "row 0, column 2 is not a number: null"),
    ],
)
def test_not_numeric(cells: list[object], reason: str) -> None:
    assert refused(np.array([cells])).startswith(reason)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a", "b", "x"], "unknown: x; missing: c"),
        (["a", "b"], "missing: c"),
        (["a", "b", "c", "d"], "unknown: d"),
        (["a", "b", "b"], "missing: c; repeated: b"),
        (["a", "b", "c", "c"], "repeated: c"),
        (["A", "b", "c"], "unknown: A; missing: a"),
    ],
)
def test_names_that_do_not_fit(names: list[str], problem: str) -> None:
    assert refused(np.zeros((1, 3)), names) == f"the feature names do not fit the model ({problem})"


def test_long_reasons_are_cut() -> None:
    reason = refused(np.zeros((1, 3)), ["x" * 2000])
    assert (len(reason), reason[-2:]) == (501, "x…")


def test_whole_numbers_beyond_64_bits() -> None:
    matrix = to_matrix(np.array([[1, 2.5, 10**20]], object), None, COLUMNS)
    assert matrix.tolist() == [[1.0, 2.5, float(np.float32(1e20))]]
