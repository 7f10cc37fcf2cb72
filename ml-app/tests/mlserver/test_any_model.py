"""Models that others have logged with plain MLflow answer through the server as MLflow's own `predict` does."""

from __future__ import annotations

import math
from typing import Any

import grpc
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from others import NAMES, Others

CONTENTS = {"FP64": "fp64", "FP32": "fp32", "INT64": "int64", "INT32": "int", "BOOL": "bool", "BYTES": "bytes"}


def alike(answered: list[Any], expected: list[Any]) -> bool:
    """Whether an output has the values that were predicted."""
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in expected]
    return len(answered) == len(expected) and all(
        math.isclose(one, other, rel_tol=1e-6) if number else one == other
        for one, other, number in zip(answered, expected, numbers, strict=True)
    )


def test_none_is_left_out(others: Others) -> None:
    assert sorted(others.servers) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_example_is_answered_as_mlflow_answers_it(others: Others, name: str) -> None:
    server, expected = others.servers[name], others.expected[name]
    started = server.startup(MLPLATFORM_ANSWERS="required")
    said = "of its input example answered as by its own libraries"
    assert (started.returncode, said in started.stdout) == (0, True), started.stdout
    reply = server.ask("/v2/models/wine/infer", others.request(name))
    assert reply.status == 200, reply.text
    answered = [one["data"] for one in reply.content["outputs"]]
    assert len(answered) == len(expected), reply.text
    for one, other in zip(answered, expected, strict=True):
        assert alike(one, other), (one, other)


def message(request: Any) -> Any:
    """The same request over gRPC, which has NaN for a number that is missing."""
    inputs = []
    for one in request["inputs"]:
        data = [
            value.encode() if isinstance(value, str) else math.nan if value is None else value for value in one["data"]
        ]
        typed = pb.InferTensorContents(**{f"{CONTENTS[one['datatype']]}_contents": data})
        about = {"name": one["name"], "shape": one["shape"], "datatype": one["datatype"]}
        inputs.append(pb.ModelInferRequest.InferInputTensor(contents=typed, **about))
    return pb.ModelInferRequest(model_name="wine", inputs=inputs)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "missing"])
def test_its_example_is_answered_over_grpc(others: Others, name: str) -> None:
    stub = GRPCInferenceServiceStub(grpc.insecure_channel(f"127.0.0.1:{others.servers[name].grpc}"))
    answer = stub.ModelInfer(message(others.request(name)), timeout=30)
    for one, other in zip(answer.outputs, others.expected[name], strict=True):
        data = list(getattr(one.contents, f"{CONTENTS[one.datatype]}_contents"))
        texts = ["" if value is None else value for value in other]
        assert alike([value.decode() if isinstance(value, bytes) else value for value in data], texts), (one, other)
