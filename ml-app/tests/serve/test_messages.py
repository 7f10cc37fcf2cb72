"""Seldon's JSON messages, decoded."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from modelserver.errors import BadRequest
from modelserver.messages import check, parse, to_array, to_tensor


def decode(body: bytes) -> dict[str, Any]:
    return check(parse(body))


def test_arrays_are_made() -> None:
    message = decode(b'{"data": {"names": ["a", "b"], "ndarray": [[1, 2.5], [3, 4]]}, "meta": {"puid": "p"}}')
    np.testing.assert_array_equal(message["data"].pop("ndarray"), [[1.0, 2.5], [3.0, 4.0]])
    assert message == {"data": {"names": ["a", "b"]}, "meta": {"puid": "p"}}

    message = decode(b'{"data": {"tensor": {"shape": [2, 1], "values": [1, 2]}}}')
    np.testing.assert_array_equal(message["data"]["tensor"]["values"], [[1.0], [2.0]])
    assert message["data"]["tensor"]["shape"] == [2, 1]


def test_other_parts_are_passed_on() -> None:
    for body in (b'{"strData": "a"}', b'{"binData": "AAAA"}', b'{"jsonData": {"a": [null]}, "more": 1}'):
        message = decode(body)
        assert set(message) <= {"strData", "binData", "jsonData", "more"}
    assert message == {"jsonData": {"a": [None]}, "more": 1}


def test_colons_in_texts_and_keys_in_lists_are_no_repetition() -> None:
    for body in (
        b'{"strData": "a:b:::"}',
        b'{"jsonData": [{"a": {"b": 1}}, {"a": {"b": 1}}], "meta": {"puid": "a:b"}}',
    ):
        assert decode(body) == json.loads(body)


def test_parts_that_are_null_are_left_out() -> None:
    assert decode(b'{"data": null, "meta": null, "jsonData": null, "strData": ""}') == {"strData": ""}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [([[1, 2]], "i"), ([[1, 2.5]], "f"), ([[True, False]], "b"), ([["a", "bc"]], "U"), ([["a", None]], "O"), ([], "f")],
)
def test_array_has_the_type_that_seldon_would_give_it(cells: list[Any], kind: str) -> None:
    array = to_array(cells)
    assert (array.dtype, array.dtype.kind) == (np.array(cells).dtype, kind)
    assert array.tolist() == cells


def test_long_text_alone_is_no_danger() -> None:
    assert to_array([["x" * 1_000_000]]).shape == (1, 1)
    assert to_array([["x" * 1000] * 1000]).shape == (1, 1000)
    with pytest.raises(BadRequest, match="a text of 1000000 characters among 17 cells: that is too long"):
        to_array([["x" * 1_000_000] + ["y"] * 16])


@pytest.mark.parametrize("shape", [[3], [2, 2, 2], [-1, 4], [-2, -2], [2**40, 2**40], [10**30], [1] * 40 + [4]])
def test_tensor_that_is_not_filled(shape: list[int]) -> None:
    with pytest.raises(BadRequest, match=r"data\.tensor has 4 values, which do not fill the shape "):
        to_tensor(shape, [1.0, 2.0, 3.0, 4.0])
