"""A model takes what its signature says, in all ways to say it; whatever else is a 400 that says what is wanted."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from mlserver.errors import InferenceError
from mlserver.types import RequestInput

from others import Others
from standardserver.by_signature import reading
from test_requests import tensor


def person(**changes: Any) -> list[dict[str, Any]]:
    """A row for the model of texts."""
    given = {
        "age": tensor([30], [1, 1], "INT64", "age"),
        "city": tensor(["Rome"], [1, 1], "BYTES", "city"),
        "income": tensor([50.5], [1, 1], "FP64", "income"),
        "vip": tensor([True], [1, 1], "BOOL", "vip"),
    } | changes
    return [one for one in given.values() if one is not None]


IMAGE = tensor([1, 2, 3, 4], [1, 2, 2], "FP32", "image")
WEIGHT = tensor([2.0], [1], "FP64", "weight")
SINCE = tensor(["2026-01-31"], [1, 1], "BYTES", "since")
NIGHTS = tensor([1.5], [1, 1], "FP64", "nights")

WRONG: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "a column is missing": ("texts", person(city=None), 'these are not the model\'s inputs; missing: "city"'),
    "a column is unknown": ("texts", person(job=tensor([1], [1, 1], name="job")), 'unknown: "job"'),
    "a number for a text": (
        "texts",
        person(city=tensor([1], [1, 1], name="city")),
        '"city" is of FP64; the model takes texts',
    ),
    "a number among texts": (
        "texts",
        person(city=tensor([1], [1, 1], "BYTES", "city")),
        '"city" holds 1; the model takes texts',
    ),
    "a text for a number": (
        "texts",
        person(age=tensor(["x"], [1, 1], "BYTES", "age")),
        '"age" is of BYTES; the model takes whole numbers of int64 there, as FP64 or INT64',
    ),
    "a fraction": (
        "texts",
        person(age=tensor([1.5], [1, 1], name="age")),
        '"age" holds 1.5; the model takes whole numbers',
    ),
    "too large": (
        "texts",
        person(age=tensor([2**63], [1, 1], name="age")),
        '"age" holds 9223372036854775808; the model',
    ),
    "a missing whole number": (
        "texts",
        person(age=tensor([None], [1, 1], name="age")),
        '"age" holds null; the model takes',
    ),
    "a number for a truth": (
        "texts",
        person(vip=tensor([1], [1, 1], name="vip")),
        '"vip" is of FP64; the model takes true',
    ),
    "two values in a row": (
        "texts",
        person(age=tensor([1, 2], [1, 2], name="age")),
        '"age" must have a single value in each row',
    ),
    "other numbers of rows": (
        "texts",
        person(age=tensor([1, 2], [2, 1], name="age")),
        "differ in their number of rows",
    ),
    "one tensor for all": ("texts", [tensor([1, 2, 3, 4])], "these are not the model's inputs"),
    "a text that it was not trained with": (
        "texts",
        person(city=tensor(["Bonn"], [1, 1], "BYTES", "city")),
        "the model does not take this: Found unknown categories",
    ),
    "no time": (
        "dates",
        [tensor(["soon"], [1, 1], "BYTES", "since"), NIGHTS],
        '"since" holds "soon"; the model takes times such as',
    ),
    "no such time": ("dates", [tensor(["2026-02-31"], [1, 1], "BYTES", "since"), NIGHTS], '"since" holds "2026-02-31"'),
    "a time too early for nanoseconds": (
        "dates",
        [tensor(["1600-01-01"], [1, 1], "BYTES", "since"), NIGHTS],
        '"since" holds "1600-01-01"; the model takes times such as',
    ),
    "a time too late for nanoseconds": (
        "dates",
        [tensor(["9999-12-31"], [1, 1], "BYTES", "since"), NIGHTS],
        '"since" holds "9999-12-31"; the model takes times such as',
    ),
    "a time that its zone makes too late": (
        "dates",
        [tensor(["2262-04-11T23:00:00.000000001-02:00"], [1, 1], "BYTES", "since"), NIGHTS],
        '"since" holds "2262-04-11T23:00:00.000000001-02:00"; the model takes times such as',
    ),
    "a time in the digits of another script": (
        "dates",
        [tensor(["２０２４-01-31"], [1, 1], "BYTES", "since"), NIGHTS],  # noqa: RUF001
        "the model takes times such as",
    ),
    "no time at all": (
        "dates",
        [tensor([None], [1, 1], "BYTES", "since"), NIGHTS],
        '"since" holds null; the model takes times',
    ),
    "a tensor is missing": ("two_inputs", [IMAGE], 'missing: "weight"'),
    "a tensor of another shape": (
        "two_inputs",
        [tensor([1, 2, 3, 4], [1, 4], "FP32", "image"), WEIGHT],
        '"image" has the shape [1, 4]; the model takes [-1, 2, 2], any length for -1',
    ),
    "values missing in a tensor": (
        "two_inputs",
        [tensor([1], [1, 2, 2], "FP32", "image"), WEIGHT],
        "[1, 2, 2], and 1 values",
    ),
    "lists of other lengths": (
        "two_inputs",
        [tensor([[[1, 2], [3]]], [1, 2, 2], "FP32", "image"), WEIGHT],
        '"image" has lists of other lengths than its shape says',
    ),
    "two rows at a time": (
        "one_row",
        [tensor([1, 2], [2, 1], "INT64", "age"), tensor([1, 2], [2, 1], name="income")],
        "the model does not take this: one row at a time",
    ),
    "a matrix of another width": (
        "probabilities",
        [tensor([1, 2, 3], [1, 3])],
        '"x" has the shape [1, 3]; the model takes [-1, 2]',
    ),
    "two tensors for one": (
        "probabilities",
        [tensor([1, 2], [1, 2]), tensor([1, 2], [1, 2])],
        "takes one input, and there are 2",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_the_signature_does_not_have_is_told(others: Others, case: str) -> None:
    name, inputs, reason = WRONG[case]
    refused = others.servers[name].infer(*inputs)
    assert (refused.status, reason in refused.content["error"]) == (400, True), refused.text


def test_what_is_given_in_other_ways_is_the_same(others: Others) -> None:
    texts, two = others.servers["texts"], others.servers["two_inputs"]
    answer = texts.infer(*person()).content["outputs"]
    whole = person(age=tensor([30.0], [1], "FP32", "age"), vip=tensor([[True]], [1, 1], "BOOL", "vip"))
    assert texts.infer(*whole[::-1]).content["outputs"] == answer
    nested = tensor([[[1, 2], [3, 4]]], [1, 2, 2], "INT64", "image")
    replies = [two.infer(image, WEIGHT).content["outputs"][0]["data"] for image in (IMAGE, nested)]
    assert replies == [[20.0], [20.0]]
    zoned = tensor(["2026-01-31T02:00:00+02:00"], [1, 1], "BYTES", "since")
    dates = [others.servers["dates"].infer(since, NIGHTS).content["outputs"] for since in (SINCE, zoned)]
    assert dates[0] == dates[1]
    assert dates[0][0]["data"] == ["2026-02-01T12:00:00"]


def test_the_first_and_the_last_time_of_nanoseconds_are_taken() -> None:
    read = reading([{"type": "datetime", "name": "since", "required": True}])
    assert read
    bounds = [pd.Timestamp.min, pd.Timestamp.max]
    times = RequestInput(**tensor([bound.isoformat() for bound in bounds], [2], "BYTES", "since"))
    assert list(read([times])["since"]) == bounds


def test_what_is_missing_is_null(others: Others) -> None:
    server = others.servers["missing"]
    row = [tensor([40.0], [1, 1], name="age"), tensor([None], [1, 1], name="income")]
    replies = [
        server.infer(*row, tensor([None], [1, 1], datatype, "city"))
        for datatype in ("BYTES", "FP64")
    ]  # fmt: skip
    assert [reply.status for reply in replies] == [200, 200], replies[0].text
    assert replies[0].content["outputs"] == replies[1].content["outputs"]


def test_who_asks_is_told_what_it_takes(others: Others) -> None:
    told = others.servers["texts"].ask("/v2/models/wine").content
    inputs = told["inputs"]
    said = [(one["name"], one["datatype"]) for one in inputs]
    assert said == [("age", "INT64"), ("city", "BYTES"), ("income", "FP64"), ("vip", "BOOL")]
    may = {one["name"]: [key for key in ("optional", "nullable") if one["parameters"].get(key)] for one in inputs}
    assert may == {"age": [], "city": ["nullable"], "income": ["nullable"], "vip": []}
    assert json.loads(told["parameters"]["example"])


def test_values_without_a_name_are_a_list() -> None:
    read = reading([{"type": "string", "required": True}])
    assert read
    texts = RequestInput(**tensor(["a", None], [2], "BYTES"))
    assert read([texts]) == ["a", None]
    with pytest.raises(InferenceError, match="takes one input, and there are 2"):
        read([texts, texts])


def test_a_column_without_values_is_left_out_where_that_may_be() -> None:
    names = {"a": "double", "b": "long", "c": "boolean"}
    read = reading([{"type": kind, "name": name, "required": name == "a"} for name, kind in names.items()])
    assert read
    given = [RequestInput(**tensor([None, None], [2], name=name)) for name in names]
    assert list(read(given).columns) == ["a"]
    assert list(read(given[:1]).columns) == ["a"]


@pytest.mark.parametrize(
    "schema",
    [
        [],
        [{"type": "double", "name": "a"}, {"type": "long", "name": "a"}],
        [{"type": "double"}, {"type": "long", "name": "a"}],
        [{"type": "array", "name": "a", "items": {"type": "double"}}],
        [{"type": "tensor", "name": "a", "tensor-spec": {"dtype": "complex64", "shape": [-1]}}],
        [{"type": "double", "name": "b"}, {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1]}}],
    ],
)
def test_what_nobody_knows_is_left_to_the_runtime(schema: Any) -> None:
    assert reading(schema) is None
