"""Classes that are less than a model of this platform: a plain one, one that fails, one that cannot describe itself."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest
from seldon_core.proto import prediction_pb2

from model_process import ModelProcess, Rows, ndarray

Start = Callable[..., ModelProcess]


@pytest.mark.parametrize("kind", ["Plain", "Derived"])
def test_plain_class_is_served(start: Start, row: Rows, kind: str) -> None:
    server = start(f"seldon_classes.{kind}")
    server.wait_until_ready()
    assert server.post({"data": {"ndarray": row.tolist()}}).json()["data"]["ndarray"] == row.tolist()
    assert server.post({"data": {"ndarray": [["a", "bc"]]}}).json()["data"]["ndarray"] == [["a", "bc"]]
    assert server.call("Model", "Metadata", prediction_pb2.SeldonMessage()).name == ""


def test_failure_tells_nothing_of_the_inside(start: Start, row: Rows) -> None:
    server = start("seldon_classes.Failing")
    server.wait_until_ready()
    message = "the model failed: RuntimeError; see the server's log"
    for _ in range(2):
        answer = server.post({"data": {"ndarray": row.tolist()}})
        status = {"status": 1, "info": message, "code": -1, "reason": "MICROSERVICE_INTERNAL_ERROR"}
        assert (answer.status_code, answer.json()) == (500, {"status": status})
    with pytest.raises(grpc.RpcError) as caught:
        server.call("Model", "Predict", ndarray(row.tolist()))
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INTERNAL, message)
    assert server.log.count("RuntimeError: an inside of the server") == 3


def test_metadata_that_seldon_does_not_know(start: Start) -> None:
    server = start("seldon_classes.Undescribed")
    assert server.wait() == 1
    assert server.log.endswith("ERROR modelserver: the model's metadata is not valid: see the log above\n")


def test_a_bad_metric_does_not_make_the_model_ill(start: Start) -> None:
    server = start("seldon_classes.Odd")
    server.wait_until_ready()
    answer = server.post({"data": {"ndarray": [[1, 2]]}})
    assert (answer.status_code, answer.json()["status"]["reason"]) == (500, "MICROSERVICE_BAD_METRIC")


def test_values_of_numpy_and_numbers_that_json_lacks(start: Start) -> None:
    server = start("seldon_classes.Classes")
    server.wait_until_ready()
    assert server.post({"data": {"ndarray": [[1, 2]]}}).json()["data"] == {"names": ["x", "y"], "ndarray": [[1, 2]]}
    answer = server.post({"data": {"ndarray": [[1, -2]]}})
    assert (answer.status_code, answer.json()["status"]["info"]) == (
        500, "the model answered a number that is not finite"
    )  # fmt: skip
