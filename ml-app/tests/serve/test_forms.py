"""A message may come as a form or in the query, as the protocol's own clients send it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from seldon_core.seldon_client import SeldonClient

from house_price.features import FEATURES
from model_process import HERE, ModelProcess, Rows
from modelserver.rest import INLINE_BYTES, PREDICT_PATHS
from test_rest_refusals import assert_refused

Way = Callable[[str, Rows, list[str]], requests.Response]


def message(rows: Rows, names: list[str]) -> str:
    return json.dumps({"data": {"names": names, "ndarray": rows.tolist()}})


def send(url: str, method: str = "POST", **how: Any) -> requests.Response:
    return requests.request(method, url, timeout=30, **how)


WAYS: dict[str, Way] = {
    "form": lambda url, rows, names: send(url, data={"json": message(rows, names)}),
    "query": lambda url, rows, names: send(url, params={"json": message(rows, names)}),
    "query, GET": lambda url, rows, names: send(url, "GET", params={"json": message(rows, names)}),
    "multipart": lambda url, rows, names: send(
        url,
        files={
            "data": (None, json.dumps({"names": names, "ndarray": rows.tolist()})),
            "meta": (None, '{"tags": {"mine": 1}}', "application/json"),
        },
    ),
}
"""Those that the reference, too, knows."""

OUR_WAYS: dict[str, Way] = WAYS | {
    "multipart with json": lambda url, rows, names: send(url, files={"json": (None, message(rows, names))}),
    "multipart with a file": lambda url, rows, names: send(url, files={"json": ("a.json", message(rows, names))}),
}


@pytest.mark.parametrize("path", PREDICT_PATHS)
@pytest.mark.parametrize("way", OUR_WAYS)
def test_every_way_leads_to_the_same_answer(server: ModelProcess, rows: Rows, path: str, way: str) -> None:
    for asked in (rows[:1], rows[:400]):
        answer = OUR_WAYS[way](f"{server.url}{path}", asked[:, ::-1], list(FEATURES[::-1]))
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["ndarray"] == server.prices(asked)


def test_what_editors_and_frameworks_add_does_no_harm(server: ModelProcess, row: Rows) -> None:
    body = message(row, []).encode()
    for sent, path, headers in (
        (b"\xef\xbb\xbf" + body, "/predict", {}),
        (body, "/predict/", {}),
        (body, "/api/v1.0/predictions/", {"Content-Encoding": "identity"}),
    ):
        answer = send(f"{server.url}{path}", data=sent, headers=headers)
        assert answer.json()["data"]["ndarray"] == server.prices(row), answer.text


def test_large_form(server: ModelProcess, rows: Rows) -> None:
    text = message(rows, [])
    assert len(text) > INLINE_BYTES
    for part in ("data", "files"):
        how: dict[str, Any] = {part: {"json": text}}
        assert send(f"{server.url}/predict", **how).json()["data"]["ndarray"] == server.prices(rows)
        how[part]["json"] *= 10
        assert_refused(send(f"{server.url}/predict", **how), "the body is larger", 413)


def test_form_may_say_more_that_is_no_part_of_a_message(server: ModelProcess, row: Rows) -> None:
    # As the engine before the executor did.
    answer = send(f"{server.url}/predict", data={"json": message(row, []), "isDefault": "true"})
    assert answer.json()["data"]["ndarray"] == server.prices(row)


@pytest.mark.parametrize("payload", ["ndarray", "tensor"])
def test_clients_of_the_protocol(server: ModelProcess, row: Rows, payload: str) -> None:
    client = SeldonClient(microservice_endpoint=f"{HERE}:{server.rest}")
    answer = client.microservice(
        data=row, names=list(FEATURES), transport="rest", payload_type=payload, method="predict"
    )
    assert answer.success, answer.msg
    data = answer.response.data
    assert list(data.tensor.values if payload == "tensor" else data.ndarray) == server.prices(row)


NOT_JSON = "the field {} is not JSON: "
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "form, no JSON": ({"data": {"json": "a"}}, NOT_JSON.format("json")),
    "form, no object": ({"data": {"json": "[1]"}}, "the field json is not a Seldon message: Expected `object`"),
    "form, nested without end": ({"data": {"json": '{"jsonData": ' + "[" * 50_000}}, NOT_JSON.format("json")),
    "form, half a surrogate pair": ({"data": {"json": '"\\ud800"'}}, "the field json is not"),
    "form, twice": ({"data": [("json", "{}"), ("json", "{}")]}, "the form has the field json twice"),
    "form, another field": ({"data": {"data": "1"}}, "the form has no field json with a message; it has: data"),
    "form, blank": ({"data": {"json": ""}}, "the form has no field json with a message; it has: json"),
    "form, json and more": (
        {"data": {"json": "{}", "data": "5"}},
        "the form has a message in json and more beside it: ",
    ),
    "form, no UTF-8": ({"data": "json=%ff", "type": "application/x-www-form-urlencoded"}, "the form cannot be read: "),
    "form, many fields": ({"data": {f"a{n}": "1" for n in range(101)}}, "the form cannot be read: Max number"),
    "form, no data": ({"data": {"json": "{}"}}, "the body has none of data, jsonData, strData and binData"),
    "query, twice": ({"params": [("json", "{}"), ("json", "{}")]}, "the query has the field json twice"),
    "query, no JSON": ({"params": {"json": "{"}}, NOT_JSON.format("json")),
    "query and body": ({"params": {"json": "{}"}, "data": "{}"}, "there is a message in the query and another in the"),
    "query, blank": ({"params": {"json": ""}}, "the body is empty"),
    "multipart, no JSON": ({"files": {"data": (None, "a")}}, NOT_JSON.format("data")),
    "multipart, twice": ({"files": [("data", (None, "{}"))] * 2}, "the form has the field data twice"),
    "multipart, json and more": ({"files": {"json": (None, "{}"), "data": (None, "{}")}}, "the form has a message in"),
    "multipart, two messages": (
        {"files": {"strData": (None, "a"), "data": (None, "{}")}},
        "there are data and strData in one message: send one",
    ),
    "multipart, no data": ({"files": {"meta": (None, "{}")}}, "the body has none of data"),
    "multipart, text": ({"files": {"strData": (None, "1,2")}}, "this model takes rows of numbers"),
    "multipart, no text": ({"files": {"strData": ("a", b"\xff")}}, "the field strData is no text: "),
    "multipart, bytes": ({"files": {"binData": ("a", b"\xff")}}, "this model takes rows of numbers"),
    "multipart, many": ({"files": {f"a{n}": (None, "1") for n in range(101)}}, "the form cannot be read: "),
    "multipart, cut off": (
        {"data": b"--a\r\nContent-Disposition: form-data; name=data\r\n\r\n1", "boundary": "a"},
        "the",
    ),
    "multipart, no part": ({"data": b"--b--", "boundary": "a"}, "the form cannot be read: "),
    "multipart, no boundary": ({"data": b"a", "type": "multipart/form-data"}, "the form cannot be read: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_malformed(server: ModelProcess, row: Rows, case: str) -> None:
    how, reason = REFUSED[case]
    boundary = how.get("boundary")
    kind = f"multipart/form-data; boundary={boundary}" if boundary else how.get("type")
    how = {key: value for key, value in how.items() if key not in ("boundary", "type")}
    log = server.log
    assert_refused(send(f"{server.url}/predict", headers={"Content-Type": kind} if kind else {}, **how), reason)
    assert len(server.prices(row)) == 1
    assert server.log == log


def test_other_fields_of_the_query_mean_nothing(server: ModelProcess, row: Rows) -> None:
    for query in ("a=1&a=2", "a=%ff", "%", "jso"):
        answer = server.post(message(row, []).encode(), f"/predict?{query}")
        assert answer.json()["data"]["ndarray"] == server.prices(row)
