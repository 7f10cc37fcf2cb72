"""How models are asked, over both protocols, and what is said when they do not answer."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from frontend import client, exchange
from frontend.exchange import AskError, RefusedError, TooLargeError
from frontend.listed import Listed
from frontend.signature import Description, Field
from stand_ins import Answering, StandIn, churn, digit, prices

Serve = Callable[[Answering], StandIn]


def test_seldon_describes_and_predicts(serve: Serve) -> None:
    server = serve(prices)
    model = Listed("price", "seldon", server.address, "price")
    description = client.describe(model)
    assert description.fields == (Field("rooms", "number"), Field("area <b>m²</b>", "number"))
    assert (description.named, description.example, description.version) == (True, (3, 80.5), "7")
    assert not description.picture
    answer = client.predict(model, description, [[3, 80.5], [1, 2]])
    assert (answer.names, answer.rows) == (("price",), [[3080.5], [1002]])
    assert server.asked[-1] == (
        "/api/v1.0/predictions",
        {"data": {"names": ["rooms", "area <b>m²</b>"], "ndarray": [[3, 80.5], [1, 2]]}},
    )
    assert (exchange.latency(model) or 0) > 0


def test_seldon_behind_an_executor_tells_of_all_its_units(serve: Serve) -> None:
    server = serve(lambda path, body: (200, {"name": "graph", "models": {"price": prices(path, body)[1]}}))
    assert client.describe(Listed("p", "seldon", server.address, "price")).version == "7"
    assert client.describe(Listed("p", "seldon", server.address, "other")) == Description()


def test_v2_graph_is_asked_without_a_name(serve: Serve) -> None:
    server = serve(lambda path, body: churn(path.replace("/v2/models/infer", "/v2/models/churn/infer"), body))
    model = Listed("graph", "v2", server.address, "churn", chained=True)
    client.predict(model, client.describe(model), [[1.5, "gold", True, None]])
    assert [path for path, _ in server.asked] == ["/v2/models/churn", "/v2/models/infer"]


def test_picture_and_classes(serve: Serve) -> None:
    model = Listed("digit", "seldon", serve(digit).address, "digit")
    description = client.describe(model)
    assert description.picture
    assert description.classes == ("no", "yes")
    assert client.show(model, description, b"\x89PNG").rows == [[0.25, 0.75]]


def test_v2_describes_and_predicts(serve: Serve) -> None:
    server = serve(churn)
    model = Listed("churn", "v2", server.address, "churn")
    description = client.describe(model)
    assert description.fields == (
        Field("rooms", "number", "FP64", nullable=True),
        Field("plan", "text", "BYTES"),
        Field("active", "truth", "BOOL"),
        Field("calls", "whole", "INT64", optional=True, nullable=True),
    )
    assert description.example == (1.5, "gold", True, None)
    answer = client.predict(model, description, [[1.5, "gold", True, None], [None, "tin", False, 4]])
    assert (answer.names, answer.rows) == (("score",), [[3.0], [0]])
    _, sent = server.asked[-1]
    assert sent["inputs"][3] == {"name": "calls", "shape": [2, 1], "datatype": "INT64", "data": [None, 4]}


def test_v2_values_without_names_go_as_one_tensor(serve: Serve) -> None:
    def answering(path: str, body: Any) -> tuple[int, Any]:
        if body is None:
            one = {"name": "input-0", "datatype": "FP32", "shape": [-1, 3]}
            return 200, {"name": "m", "inputs": [one], "parameters": {"example": "[[1, 2, 3]]"}}
        assert body["inputs"] == [{"name": "input-0", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}]
        return 200, {"outputs": [{"name": "p", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]}

    model = Listed("m", "v2", serve(answering).address, "m")
    description = client.describe(model)
    assert [field.name for field in description.fields] == ["value 1", "value 2", "value 3"]
    assert (description.named, description.example) == (False, (1, 2, 3))
    answer = client.predict(model, description, [[1, 2, 3], [4, 5, 6]])
    assert (answer.names, answer.rows) == (("p 1", "p 2"), [[1, 2], [3, 4]])


def test_v2_tensors_with_names(serve: Serve) -> None:
    def answering(path: str, body: Any) -> tuple[int, Any]:
        if body is None:
            inputs = [
                {"name": "image", "datatype": "FP32", "shape": [-1, 2, 2]},
                {"name": "age", "datatype": "INT32", "shape": [-1]},
            ]
            return 200, {"name": "m", "inputs": inputs, "parameters": {"example": "[[[1, 2], [3, 4]], 5]"}}
        image, age = body["inputs"]
        assert (image["shape"], image["data"]) == ([1, 2, 2], [1, 2, 3, 4])
        assert (age["shape"], age["data"]) == ([1, 1], [5])
        return 200, {"outputs": [{"name": "label", "shape": [1], "datatype": "BYTES", "data": ["cat"]}]}

    model = Listed("m", "v2", serve(answering).address, "m")
    description = client.describe(model)
    assert description.fields[0] == Field("image", "list", "FP32", (2, 2))
    assert client.predict(model, description, [list(description.example)]).rows == [["cat"]]


@pytest.mark.parametrize(
    ("status", "said", "error", "sentence"),
    [
        (400, {"status": {"info": "each row needs 2 numbers"}}, RefusedError, "each row needs 2 numbers"),
        (422, {"detail": [{"msg": "no"}]}, RefusedError, '[{"msg": "no"}]'),
        (400, {"error": "a\n\nb"}, RefusedError, "a b"),
        (400, b"<html>", RefusedError, "does not say why (HTTP 400)"),
        (413, {"error": "the body is larger than 1 MiB"}, TooLargeError, "larger than 1 MiB"),
        (500, {"error": "KeyError"}, AskError, "has failed (HTTP 500); its log says why. KeyError"),
        (503, b"", AskError, "is not ready"),
        (404, b"", AskError, "no model that can be asked (HTTP 404)"),
        (302, b"http://127.0.0.1:1/elsewhere", AskError, "no model that can be asked (HTTP 302)"),
        (200, b"<html>", AskError, "its answer is not JSON"),
        (200, {"data": {"ndarray": [[1], [2]]}}, AskError, "answers 2 rows to 1"),
        (200, {"jsonData": {}}, AskError, "does not speak Seldon's protocol"),
    ],
)
def test_sentence_for_what_is_no_answer(
    serve: Serve, status: int, said: Any, error: type[AskError], sentence: str
) -> None:
    model = Listed("price", "seldon", serve(lambda *_: (status, said)).address, "price")
    with pytest.raises(AskError) as caught:
        client.predict(model, Description(), [[1, 2]])
    assert type(caught.value) is error
    assert sentence in str(caught.value)


def test_server_that_is_down_or_silent_is_told(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(prices)
    gone = Listed("gone", "seldon", server.address, "gone")
    server.stop()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        quiet = Listed("quiet", "v2", f"http://127.0.0.1:{silent.getsockname()[1]}", "quiet")
        well = Listed("well", "seldon", serve(prices).address, "well")
        monkeypatch.setattr("frontend.open_inference.HEALTH_SECONDS", 0.3)
        healths = client.healths([gone, quiet, well])
    assert "nothing listens at" in (healths[0].problem or "")
    assert "has not answered within 0.3 seconds" in (healths[1].problem or "")
    assert healths[2] == client.Health(version="7")


def test_no_proxy_and_no_endless_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    model = Listed("price", "seldon", serve(prices).address, "price")
    assert client.describe(model).version == "7"
    monkeypatch.setattr(exchange, "LARGEST_ANSWER", 10)
    with pytest.raises(AskError, match="answers more than is taken"):
        client.describe(model)
