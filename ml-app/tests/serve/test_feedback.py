"""Feedback to an answer is taken over REST and gRPC as Seldon's own clients send it, and counted."""

from __future__ import annotations

import json
import math
from typing import Any

import grpc
import pytest
import requests
from seldon_core.proto import prediction_pb2
from seldon_core.seldon_client import SeldonClient

from model_process import HERE, ModelProcess, Rows
from modelserver.rest import FEEDBACK_PATHS
from test_rest_refusals import assert_refused

COUNT, REWARD = "seldon_api_model_feedback_total", "seldon_api_model_feedback_reward_total"


def counted(server: ModelProcess) -> tuple[float, float]:
    samples = server.samples()
    return samples.get(COUNT, 0), samples.get(REWARD, 0)


def told(row: Rows, reward: float = 0.5) -> dict[str, Any]:
    asked = {"data": {"ndarray": row.tolist()}}
    return {"request": asked, "response": {"data": {"ndarray": [1.0]}, "meta": {"tags": {"a": 1}}}, "reward": reward}


@pytest.mark.parametrize("path", FEEDBACK_PATHS)
def test_over_rest(server: ModelProcess, row: Rows, path: str) -> None:
    count, reward = counted(server)
    for how in ({"json": told(row)}, {"data": {"json": json.dumps(told(row))}}):
        answer = requests.post(f"{server.url}{path}", timeout=10, **how)
        assert answer.status_code == 200, answer.text
    now = counted(server)
    assert now[0] == count + 2
    assert now[1] == pytest.approx(reward + 1)


def test_of_more_than_it_takes_is_refused(server: ModelProcess, row: Rows) -> None:
    body = {"request": {"data": {"ndarray": [[1.0] * 10] * 17_000}}, "reward": 1.0}
    answer = requests.post(f"{server.url}/send-feedback", json=body, timeout=10)
    assert_refused(answer, "the body is larger than 65536 bytes", 413)
    assert len(server.prices(row)) == 1


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_of_seldons_own_client(server: ModelProcess, row: Rows, transport: str) -> None:
    count, _ = counted(server)
    port = server.rest if transport == "rest" else server.grpc
    client = SeldonClient(microservice_endpoint=f"{HERE}:{port}")
    request = prediction_pb2.SeldonMessage(strData="a")
    sent = client.microservice_feedback(request, request, reward=1.0, transport=transport)
    assert sent.success, sent.msg
    assert counted(server)[0] == count + 1


@pytest.mark.parametrize("service", ["Model", "Seldon", "Generic"])
def test_over_grpc(server: ModelProcess, service: str) -> None:
    count, _ = counted(server)
    server.call(service, "SendFeedback", prediction_pb2.Feedback(reward=1.0))
    assert counted(server)[0] == count + 1
    for reward in (1e308, math.inf, math.nan):
        with pytest.raises(grpc.RpcError) as refused:
            server.call(service, "SendFeedback", prediction_pb2.Feedback(reward=reward))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert counted(server)[0] == count + 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"reward": 1e12}, "the reward must be a number from -1e+09 to 1e+09"),
        ({"reward": "much"}, "the body is no feedback: "),
        ({"rewrd": 1}, "the body is no feedback: "),
        ({"request": {"data": {"ndarray": [[1], [2, 3]]}}, "reward": 1}, ""),
        ([1], "the body is not a Seldon message"),
    ],
)
def test_what_is_none_is_refused(server: ModelProcess, body: Any, reason: str) -> None:
    before = counted(server)
    assert_refused(requests.post(f"{server.url}/send-feedback", json=body, timeout=10), reason, 400)
    assert counted(server) == before
