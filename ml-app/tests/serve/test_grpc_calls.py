"""What the server answers over gRPC."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc

from house_price.features import FEATURES
from model_folder import RUN_ID
from model_process import HERE, ModelProcess, Rows, ndarray, tensor
from modelserver.grpc import MAX_CALLS, MAX_CONNECTION_CALLS, THREADS

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


SEEN = {
    *(f"seldon.protos.{name}" for name in ("Model", "Seldon", "Generic")),
    "grpc.health.v1.Health",
    "grpc.reflection.v1alpha.ServerReflection",
}


def reflect(channel: grpc.Channel, version: str) -> Callable[..., Iterator[Any]]:
    """Reflection's stream as a client of this version opens it."""
    return channel.stream_stream(  # type: ignore[no-any-return]
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_describes_the_services(server: ModelProcess, version: str) -> None:
    asked = reflection_pb2.ServerReflectionRequest
    with grpc.insecure_channel(f"{HERE}:{server.grpc}") as channel:
        (listed,) = reflect(channel, version)(iter([asked(list_services="")]), timeout=5)
        names = {service.name for service in listed.list_services_response.service}
        questions = iter([asked(file_containing_symbol=name) for name in sorted(names)])
        files = list(reflect(channel, version)(questions, timeout=5))
    assert names == SEEN
    assert all(file.file_descriptor_response.file_descriptor_proto for file in files)


@pytest.mark.parametrize("service", ["", "seldon.protos.Model", "seldon.protos.Seldon"])
def test_health(server: ModelProcess, service: str) -> None:
    with grpc.insecure_channel(f"{HERE}:{server.grpc}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service=service)
        assert stub.Check(asked, timeout=5).status == health_pb2.HealthCheckResponse.SERVING
        watched = stub.Watch(asked, timeout=5)
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        watched.cancel()
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="other"), timeout=5)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_streams_that_wait_keep_nobody_out(server: ModelProcess, row: Rows) -> None:
    def predict(channel: grpc.Channel) -> list[float]:
        stub = prediction_pb2_grpc.ModelStub(channel)
        return list(stub.Predict(tensor(row), timeout=10).data.tensor.values)

    def watch(channel: grpc.Channel, times: int) -> None:
        stub = health_pb2_grpc.HealthStub(channel)
        streams.extend(stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(times))
        for stream in streams[-times:]:
            next(stream)

    expected, silent, streams = server.prices(row), threading.Event(), list[Any]()
    with ExitStack() as stack:
        first, second, third = (
            stack.enter_context(grpc.insecure_channel(f"{HERE}:{server.grpc}", [("grpc.use_local_subchannel_pool", 1)]))
            for _ in range(3)
        )
        idle = [reflect(first, "v1")(iter(silent.wait, True)) for _ in range(THREADS * 2)]
        watch(first, MAX_CONNECTION_CALLS - len(idle))
        assert predict(third) == expected
        watch(second, MAX_CALLS - MAX_CONNECTION_CALLS)
        with pytest.raises(grpc.RpcError) as caught:
            predict(third)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        streams[-1].cancel()
        assert wait_for(lambda: predict(third)) == expected
        silent.set()
    # The server learns of the end of the others after its clients.
    wait_for(lambda: list(server.call("Model", "Predict", tensor(row)).data.tensor.values))


def wait_for(attempt: Callable[[], list[float]]) -> list[float]:
    """The answer, as soon as the server has noticed that there is room."""
    for _ in range(50):
        try:
            return attempt()
        except grpc.RpcError:
            time.sleep(0.1)
    return attempt()


HOUSE = np.array([[3, 1.75, 1560, 1560, 8, 2, 0, 3423, 0, 98112]])
LONG = [str(number) * 9 for number in range(9999)]
REFUSED = {
    "empty": (Message(), "Unknown data in SeldonMessage"),
    "no array": (Message(data=Data(names=["a"])), "there are no rows"),
    "9 numbers": (tensor(HOUSE[:, :9]), "each row needs 10 numbers"),
    "text": (ndarray([["a"] * 10]), 'row 0, column 0 is not a number: "a"'),
    "NaN in a list": (ndarray([[np.nan] * 10]), 'row 0, column 0 is not a number: "NaN"'),
    "NaN in a tensor": (tensor(HOUSE * np.nan), "row 0, column 0 is not a finite number"),
    "null": (ndarray([[None] * 10]), "row 0, column 0 is not a number: null"),
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
