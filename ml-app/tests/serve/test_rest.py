"""What the server answers over REST."""

from __future__ import annotations

import http.client
import json
from typing import Any

import numpy as np
import pytest
import requests
from sklearn.ensemble import RandomForestRegressor

from house_price.features import FEATURES
from model_folder import RUN_ID
from model_process import HERE, ModelProcess, Rows
from modelserver.rest import INLINE_BYTES, PREDICT_PATHS


@pytest.mark.parametrize("path", PREDICT_PATHS)
@pytest.mark.parametrize("count", [1, 400, 2000])
def test_answers_as_scikit_learn(
    server: ModelProcess, rows: Rows, forest: RandomForestRegressor, path: str, count: int
) -> None:
    asked = rows[-count:]
    expected = forest.predict(asked)
    body = json.dumps({"data": {"ndarray": asked.tolist()}}).encode()
    assert (len(body) > INLINE_BYTES) == (count == 2000), "larger ones are answered in a thread"
    np.testing.assert_allclose(server.post(body, path).json()["data"]["ndarray"], expected, rtol=1e-6)

    message = {"data": {"tensor": {"shape": asked.shape, "values": asked.ravel().tolist()}}}
    tensor = server.post(message, path).json()["data"]["tensor"]
    assert tensor["shape"] == [count]
    np.testing.assert_allclose(tensor["values"], expected, rtol=1e-6)


def test_answers_each_row_by_itself(server: ModelProcess, rows: Rows, forest: RandomForestRegressor) -> None:
    answered = [server.prices(rows[index : index + 1])[0] for index in range(50)]
    np.testing.assert_allclose(answered, forest.predict(rows[:50]), rtol=1e-6)


def test_answer_says_which_model_it_is_and_what_it_measured(server: ModelProcess, rows: Rows) -> None:
    answer = server.post({"data": {"ndarray": rows[:3].tolist()}, "meta": {"puid": "p", "tags": {"mine": 1}}}).json()
    prices = answer["data"].pop("ndarray")
    timer = answer["meta"]["metrics"].pop()
    assert answer == {
        "data": {"names": []},
        "meta": {
            "puid": "p",
            "requestPath": {"forest": "house-price-serve:1.2"},
            "tags": {"mine": 1, "model_name": "house-price", "model_version": "7", "run_id": RUN_ID},
            "metrics": [
                {"type": "COUNTER", "key": "house_price_predictions", "value": 3},
                {"type": "GAUGE", "key": "house_price_last_prediction", "value": prices[2]},
            ],
        },
    }
    assert (timer["type"], timer["key"]) == ("TIMER", "house_price_inference")
    assert 0 < timer["value"] < 1000


def test_whole_numbers_are_numbers(server: ModelProcess, row: Rows) -> None:
    house = [3, 1, 1560, 1560, 8, 2, 0, 3423, 1, 98112]
    expected = server.prices(np.array([house], dtype=float))
    assert server.post({"data": {"ndarray": [house]}}).json()["data"]["ndarray"] == expected


def test_columns_are_matched_by_name(server: ModelProcess, rows: Rows) -> None:
    expected = server.prices(rows[:20])
    for order in (range(10), reversed(range(10)), [3, 0, 9, 1, 8, 2, 7, 4, 6, 5]):
        positions = list(order)
        names = [FEATURES[position] for position in positions]
        answer = server.post({"data": {"names": names, "ndarray": rows[:20, positions].tolist()}}).json()
        assert answer["data"]["ndarray"] == expected


def test_parts_that_are_null_are_not_there(server: ModelProcess, row: Rows) -> None:
    data = {"names": None, "ndarray": row.tolist(), "tensor": None}
    meta = {"puid": None, "tags": None, "routing": None, "requestPath": None, "metrics": None}
    for rest in ({"strData": None, "jsonData": None, "meta": None}, {"meta": meta}):
        answer = server.post({"data": data, **rest})
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["ndarray"] == server.prices(row)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/x-www-form-urlencoded"}], ids=["none", "form"])
def test_content_type_is_not_needed(server: ModelProcess, row: Rows, headers: dict[str, str]) -> None:
    body = json.dumps({"data": {"ndarray": row.tolist()}}).encode()
    answer = requests.post(f"{server.url}/predict", body, headers=headers, timeout=5)
    assert answer.json()["data"]["ndarray"] == server.prices(row)


def test_chunks_make_one_body(server: ModelProcess, row: Rows) -> None:
    body = json.dumps({"data": {"ndarray": row.tolist()}}).encode()
    answer = requests.post(f"{server.url}/predict", (body[at : at + 9] for at in range(0, len(body), 9)), timeout=5)
    assert answer.json()["data"]["ndarray"] == server.prices(row)


def test_connections_are_kept(server: ModelProcess, row: Rows) -> None:
    connection = http.client.HTTPConnection(HERE, int(server.rest), timeout=5)
    connection.connect()
    socket = connection.sock
    for body, status in ((json.dumps({"data": {"ndarray": row.tolist()}}), 200), ("{}", 400), ("", 400)) * 3:
        connection.request("POST", "/predict", body)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        assert connection.sock is socket
    connection.close()


def test_health(server: ModelProcess) -> None:
    before = server.samples()["house_price_predictions_total"]
    assert requests.get(f"{server.url}/health/ping", timeout=5).text == "pong"
    for path in ("/health/status", "/api/v1.0/health/status"):
        answer = requests.get(f"{server.url}{path}", timeout=5)
        tags = {"model_name": "house-price", "model_version": "7", "run_id": RUN_ID}
        assert answer.json()["jsonData"] == {"status": "healthy", **tags}
        assert "metrics" not in answer.json()["meta"]
    assert server.samples()["house_price_predictions_total"] == before


@pytest.mark.parametrize("path", ["/metadata", "/api/v1.0/metadata"])
def test_metadata(server: ModelProcess, path: str) -> None:
    answer: dict[str, Any] = requests.get(f"{server.url}{path}", timeout=5).json()
    example = json.loads(answer["custom"].pop("example"))
    assert server.post({"data": {"ndarray": [example]}}).status_code == 200
    assert answer == {
        "name": "house-price",
        "versions": ["7"],
        "platform": "seldon",
        "inputs": [{"messagetype": "ndarray", "schema": {"names": list(FEATURES), "shape": [-1, 10]}}],
        "outputs": [{"messagetype": "ndarray", "schema": {"names": ["price"], "shape": [-1]}}],
        "custom": {"run_id": RUN_ID},
    }
