"""What the server answers over gRPC."""

from __future__ import annotations

import json

import grpc
import numpy as np
import pytest
from google.protobuf.empty_pb2 import Empty
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from seldon_core.proto import prediction_pb2

from house_price.features import FEATURES
from model_folder import RUN_ID
from model_process import HERE, ModelProcess, Rows, ndarray, tensor

Message = prediction_pb2.SeldonMessage
Data = prediction_pb2.DefaultData


@pytest.mark.parametrize("service", ["Model", "Seldon"])
def test_answers_as_over_rest(server: ModelProcess, rows: Rows, service: str) -> None:
    expected = server.prices(rows[:300])
    answer = server.call(service, "Predict", tensor(rows[:300]))
    assert (list(answer.data.tensor.values), list(answer.data.tensor.shape)) == (expected, [300])
    answer = server.call(service, "Predict", ndarray(rows[:300].tolist()))
    assert list(answer.data.ndarray) == expected
    tags = {name: value.string_value for name, value in answer.meta.tags.items()}
    assert tags == {"model_name": "house-price", "model_version": "7", "run_id": RUN_ID}
    assert [metric.key.removeprefix("house_price_") for metric in answer.meta.metrics] == [
        "predictions", "last_prediction", "inference"
    ]  # fmt: skip
    assert answer.meta.metrics[0].value == 300


def test_columns_are_matched_by_name(server: ModelProcess, rows: Rows) -> None:
    answer = server.call("Model", "Predict", tensor(rows[:5, ::-1], *FEATURES[::-1]))
    assert list(answer.data.tensor.values) == server.prices(rows[:5])


def test_metadata(server: ModelProcess) -> None:
    asked = prediction_pb2.SeldonModelMetadataRequest()
    for metadata in (server.call("Model", "Metadata", Empty()), server.call("Seldon", "ModelMetadata", asked)):
        assert (metadata.name, list(metadata.versions)) == ("house-price", ["7"])


def test_reflection_lists_the_services(server: ModelProcess) -> None:
    with grpc.insecure_channel(f"{HERE}:{server.grpc}") as channel:
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        (answer,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(asked, timeout=5)
    assert {service.name for service in answer.list_services_response.service} == {
        *(f"seldon.protos.{name}" for name in ("Model", "Seldon", "Generic")),
        "grpc.reflection.v1alpha.ServerReflection",
    }  # fmt: skip


HOUSE = np.array([[3, 1.75, 1560, 1560, 8, 2, 0, 3423, 0, 98112]])
LONG = [str(number) * 9 for number in range(9999)]
REFUSED = {
    "empty": (Message(), "Unknown data in SeldonMessage"),
    "no array": (Message(data=Data(names=["a"])), "there are no rows"),
    "9 numbers": (tensor(HOUSE[:, :9]), "each row needs 10 numbers"),
    "text": (ndarray([["a"] * 10]), "row 0, column 0 is not a number: 'a'"),
    "NaN in a list": (ndarray([[np.nan] * 10]), "row 0, column 0 is not a number: 'NaN'"),
    "NaN in a tensor": (tensor(HOUSE * np.nan), "row 0, column 0 is not a finite number"),
    "null": (ndarray([[None] * 10]), "row 0, column 0 is not a number: None"),
    "true among numbers": (ndarray([[True, *[1.0] * 9]]), "data.ndarray has true or false among numbers"),
    "ragged": (ndarray([[1.0] * 10, [1.0] * 9]), "data.ndarray is ragged"),
    "nested deep": (ndarray(json.loads("[" * 40 + "]" * 40)), "data.ndarray is ragged"),
    "a long text among many cells": (
        ndarray([["x" * 20_000], *[[1]] * 1000]), "data.ndarray has a text of 20000 characters among 1001 cells"
    ),
    "unknown name": (tensor(HOUSE, *FEATURES[:9], "zip"), "the feature names do not fit the model (unknown: zip; "),
    "names without end": (tensor(HOUSE, *LONG), "the feature names do not fit the model (unknown: 000000000, "),
    "tftensor": (Message(data=Data(tftensor={})), "data needs either ndarray or tensor"),
    "tensor too short": (
        Message(data=Data(tensor={"shape": [1, 10], "values": HOUSE[0, :9]})), "data.tensor has 9 values, "
    ),
    "tensor too long": (
        Message(data=Data(tensor={"shape": [1, 10], "values": [9, *HOUSE[0]]})), "data.tensor has 11 values, "
    ),
    "tensor of negative sizes": (
        Message(data=Data(tensor={"shape": [-1, -10], "values": HOUSE[0]})), "data.tensor has 10 values, "
    ),
    "tensor whose size overflows": (
        Message(data=Data(tensor={"shape": [2**16] * 4, "values": []})), "data.tensor has 0 values, "
    ),
    "strData": (Message(strData="1,2"), "this model takes rows of numbers"),
    "binData": (Message(binData=b"1"), "this model takes rows of numbers"),
    "jsonData": (Message(jsonData={"string_value": "a"}), "this model takes rows of numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_malformed(server: ModelProcess, row: Rows, case: str) -> None:
    message, reason = REFUSED[case]
    log = server.log
    with pytest.raises(grpc.RpcError) as caught:
        server.call("Model", "Predict", message)
    assert (caught.value.code(), caught.value.details()[: len(reason)]) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert list(server.call("Model", "Predict", tensor(row)).data.tensor.values) == server.prices(row)
    assert server.log == log


def test_unknown_fields_are_not_taken_for_values(server: ModelProcess, row: Rows) -> None:
    values = tensor(row).data.tensor.SerializeToString() + b"\x7a\x50" + bytes(80)  # field 15 of a tensor: 80 bytes
    message = Message(data=Data(tensor=prediction_pb2.Tensor.FromString(values)))
    assert list(server.call("Model", "Predict", message).data.tensor.values) == server.prices(row)


def test_message_of_more_than_a_megabyte(server: ModelProcess, rows: Rows) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.call("Model", "Predict", tensor(np.tile(rows, (7, 1))))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "1048576" in caught.value.details()
