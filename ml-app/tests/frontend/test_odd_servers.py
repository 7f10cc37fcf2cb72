"""Servers that answer otherwise than their protocol has it: each is told of by itself, and nothing else breaks."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from frontend import client, open_inference, seldon
from frontend.exchange import AskError
from frontend.listed import Listed
from frontend.scoring import score
from frontend.signature import Answer, Description, Field, shown
from stand_ins import Answering, StandIn, churn, digit, prices

Serve = Callable[[Answering], StandIn]
ListModels = Callable[..., None]

NESTED: Any = json.loads("[" * 900 + "]" * 900)
ODD = [None, True, 1, -1.5, float("inf"), 10**400, "", "x", [], [1], [[]], [None], {}, {"a": 1}, NESTED, {"a": NESTED}]
INPUT = {"name": "a", "datatype": "FP64", "shape": [-1, 1]}


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"parameters": [1]}, "parameters"),
        ({"inputs": 5}, "inputs"),
        ({"versions": 3}, "versions"),
        ({"inputs": [{"name": "a", "shape": [-1, 3]}]}, "datatype"),
        ({"inputs": [{**INPUT, "shape": 5}]}, "shape"),
        ({"inputs": [{**INPUT, "shape": [-1] * 900}]}, "shape"),
        ({"inputs": [{**INPUT, "parameters": [1]}]}, "parameters"),
        ({"inputs": [INPUT, INPUT]}, "twice"),
        ([1], "metadata"),
    ],
)
def test_odd_metadata_v2(serve: Serve, list_models: ListModels, metadata: Any, why: str) -> None:
    odd = Listed("odd", "v2", serve(lambda path, _: (200, b"" if "ready" in path else metadata)).address, "odd")
    well = Listed("well", "seldon", serve(prices).address, "price")
    with pytest.raises(AskError, match=rf"odd.*{why}"):
        client.describe(odd)
    health, other = client.healths([odd, well])
    assert "odd" in (health.problem or "")
    assert other == client.Health(version="7")
    list_models(odd, well)
    for name in ("models", "one", "table", "compare"):
        app = AppTest.from_string(f"from frontend.views import {name}\n{name}.show()\n", default_timeout=20).run()
        assert not app.exception, name


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"inputs": [{"messagetype": "ndarray", "schema": [1]}]}, "schema"),
        ({"custom": [1]}, "custom"),
        ({"inputs": {"a": 1}}, "inputs"),
        ({"inputs": [{"messagetype": "ndarray", "schema": {"names": 5}}]}, "names"),
        ({"outputs": [{"messagetype": "ndarray", "schema": {"names": [[1]]}}]}, "names"),
        ({"versions": 3}, "versions"),
    ],
)
def test_odd_metadata_seldon(serve: Serve, metadata: Any, why: str) -> None:
    odd = Listed("odd", "seldon", serve(lambda *_: (200, metadata)).address, "odd")
    with pytest.raises(AskError, match=rf"odd.*{why}"):
        client.describe(odd)


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("v2", {"outputs": [1]}),
        ("v2", {"outputs": [{"name": "y", "data": NESTED}]}),
        ("v2", {"outputs": {"name": "y"}}),
        ("v2", {"outputs": [{"name": "y", "data": {"a": 1}}, 5]}),
        ("seldon", {"data": {"names": 5, "ndarray": [1]}}),
        ("seldon", {"data": {"ndarray": [NESTED]}}),
        ("seldon", {"data": {"ndarray": [[NESTED]]}}),
        ("seldon", {"data": {"ndarray": [{"a": NESTED}]}}),
        ("seldon", {"data": {"ndarray": [[]]}}),
        ("seldon", {"data": {"tensor": {"shape": ["a"], "values": [1]}}}),
        ("seldon", {"data": {"tensor": {"shape": [-1, -1], "values": [1]}}}),
        ("seldon", {"data": {"tensor": {"shape": [1], "values": 5}}}),
    ],
)
def test_odd_answer(serve: Serve, protocol: str, said: Any) -> None:
    odd = Listed("odd", protocol, serve(lambda *_: (200, said)).address, "odd")
    with pytest.raises(AskError, match="odd"):
        client.predict(odd, Description(), [[1]])


def test_refusal_with_odd_reason(serve: Serve) -> None:
    odd = Listed("odd", "v2", serve(lambda *_: (400, {"error": NESTED})).address, "odd")
    with pytest.raises(AskError):
        client.predict(odd, Description(), [[1]])


def test_cell_of_several_values_is_shown_as_json(serve: Serve) -> None:
    odd = Listed(
        "odd", "seldon", serve(lambda *_: (200, {"data": {"ndarray": [[[1, 2], {"a": None}]]}})).address, "odd"
    )
    assert client.predict(odd, Description(), [[1]]).rows == [["[1, 2]", '{"a": null}']]


def test_answers_that_are_all_but_the_same_are_drawn(serve: Serve, list_models: ListModels) -> None:
    def answering(path: str, body: Any) -> tuple[int, Any]:
        if body is None:
            return prices(path, None)
        return 200, {"data": {"ndarray": [0.3, 0.1 + 0.2]}}

    list_models(Listed("price", "seldon", serve(answering).address, "price"))
    app = AppTest.from_string("from frontend.views import table\ntable.show()\n", default_timeout=20).run()
    app.file_uploader[0].upload("rows.csv", "rooms,area <b>m²</b>\n1,2\n3,4\n".encode(), "text/csv").run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 2


def test_list_that_may_be_left_out_is(serve: Serve) -> None:
    pair = {"name": "b", "datatype": "FP64", "shape": [-1, 2], "parameters": {"optional": True}}
    inputs = [{"name": "a", "datatype": "FP64", "shape": [-1]}, pair]

    def answering(_: str, body: Any) -> tuple[int, Any]:
        if body is None:
            return 200, {"inputs": inputs}
        return 200, {"outputs": [{"name": "n", "data": [len(body["inputs"])] * body["inputs"][0]["shape"][0]}]}

    model = Listed("m", "v2", serve(answering).address, "m")
    description = client.describe(model)
    scored = score(lambda rows: client.predict(model, description, rows), {1: [1, None], 2: [1, [2, 3]], 3: [1, None]})
    assert scored.answers == {1: [1], 2: [2], 3: [1]}


def test_batches_that_are_answered_under_several_names() -> None:
    answers = iter([Answer(("a",), [[1]] * 500), Answer(("a", "b"), [[1, 2]])])
    with pytest.raises(AskError, match="several"):
        score(lambda _: next(answers), {at: [at] for at in range(501)})


@pytest.mark.parametrize("example", ["[[NaN, 1]]", "[null]", "null", "NaN", "[NaN]", "[{}]", "[" * 900 + "]" * 900])
def test_odd_example_breaks_no_form(serve: Serve, list_models: ListModels, example: str) -> None:
    def answering(path: str, body: Any) -> tuple[int, Any]:
        assert body is None, "it is asked something that JSON does not have"
        one = {"name": "a", "datatype": "FP64", "shape": [-1, 2, 1]}
        return 200, b"" if "ready" in path else {"inputs": [one], "parameters": {"example": example}}

    list_models(*(Listed(name, "v2", serve(answering).address, name) for name in ("odd", "other")))
    app = AppTest.from_string("from frontend.views import one\none.show()\n", default_timeout=20).run()
    app.button[1].click().run()
    assert not app.exception
    assert len(app.error) == 1
    app = AppTest.from_string("from frontend.views import compare\ncompare.show()\n", default_timeout=20).run()
    assert not app.exception


def _changed(value: Any) -> Iterator[Any]:
    """A value with one of its parts changed for something odd, in every way."""
    yield from ODD
    if isinstance(value, dict):
        for key, one in value.items():
            yield {name: two for name, two in value.items() if name != key}
            yield from ({**value, key: other} for other in _changed(one))
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield [*value, one]
            yield from ([*value[:at], other, *value[at + 1 :]] for other in _changed(one))


@pytest.mark.parametrize(
    ("protocol", "stand_in", "path", "asked"),
    [
        ("v2", churn, "/v2/models/churn", [[1.5, "gold", True, None]]),
        ("seldon", prices, "/api/v1.0/metadata", [[1, 2]]),
        ("seldon", digit, "/api/v1.0/metadata", [[1, 2]]),
    ],
)
def test_whatever_is_changed_is_told_of_one_model(
    monkeypatch: pytest.MonkeyPatch, protocol: str, stand_in: Answering, path: str, asked: list[list[Any]]
) -> None:
    model = Listed("odd", protocol, "http://nobody", "churn")
    of_protocol = open_inference if protocol == "v2" else seldon
    whole = client.predict, client.describe
    tried = 0

    def say(said: Any) -> None:
        monkeypatch.setattr(of_protocol, "ask", lambda *_, **__: said)

    for said in _changed(stand_in(path, None)[1]):
        say(said)
        tried += 1
        try:
            found = whole[1](model)
        except AskError:
            continue
        assert len({field.name for field in found.fields}) == len(found.fields)
        assert all(isinstance(shown(value), str) for value in found.example)
    fields = tuple(Field(f"f{at}", "any") for at in range(len(asked[0])))
    sent: dict[str, Any] = {"data": {"ndarray": asked}}
    if protocol == "v2":
        sent = {"inputs": [{"name": name, "data": [1]} for name in ("rooms",)]}
    for said in _changed(stand_in("/infer", sent)[1]):
        say(said)
        tried += 1
        try:
            answer = whole[0](model, Description(fields), asked)
        except AskError:
            continue
        assert all(isinstance(one, str | int | float | None) for row in answer.rows for one in row)
    assert tried > 200
