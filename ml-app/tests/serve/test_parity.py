"""The record with which a server proves that it answers as training did."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from modelkit.parity import METADATA_KEY, RELATIVE_TOLERANCES, Record

RECORD = Record(["a", "b"], [[1.0, 2.5], [3.0, 4.0]], [100.0, -0.5], {"numpy": "1.26.4"})


def test_round_trip() -> None:
    metadata = json.loads(json.dumps(RECORD.to_metadata()))
    assert list(metadata) == [METADATA_KEY]
    assert Record.from_metadata(metadata | {"other": 1}) == RECORD


@pytest.mark.parametrize("metadata", [None, {}, {METADATA_KEY: None}, {METADATA_KEY: {}}, {METADATA_KEY: {"rows": []}}])
def test_no_record(metadata: dict[str, Any] | None) -> None:
    with pytest.raises(ValueError, match="the model carries no parity record"):
        Record.from_metadata(metadata)


@pytest.mark.parametrize(
    "change", [{"rows": []}, {"rows": [[1.0], [2.0]]}, {"predictions": [1.0]}, {"names": ["a"]}, {"names": []}]
)
def test_record_that_does_not_fit_together(change: dict[str, Any]) -> None:
    recorded = RECORD.to_metadata()[METADATA_KEY] | change
    with pytest.raises(ValueError, match="a parity record needs rows"):
        Record.from_metadata({METADATA_KEY: recorded})


def test_same_answers() -> None:
    assert RECORD.mismatches([100.0, -0.5]) == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", RELATIVE_TOLERANCES)
def test_tolerance_is_relative_and_of_the_type(dtype: str, sign: int) -> None:
    record = replace(RECORD, dtype=dtype)
    inside, outside = (1 + sign * share * RELATIVE_TOLERANCES[dtype] for share in (0.99, 1.01))
    assert record.mismatches([100.0 * inside, -0.5 * inside]) == []
    assert record.mismatches([100.0, -0.5 * outside]) == [f"row 1: answered {-0.5 * outside!r}, training answered -0.5"]


def test_predictions_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="predictions of int64 cannot be compared: make them float64 or float32"):
        replace(RECORD, dtype="int64")


def test_what_differs_is_named() -> None:
    assert RECORD.mismatches([99.0, math.nan]) == [
        "row 0: answered 99.0, training answered 100.0",
        "row 1: answered nan, training answered -0.5",
    ]
    assert RECORD.mismatches([100.0]) == ["1 answers to 2 rows"]
