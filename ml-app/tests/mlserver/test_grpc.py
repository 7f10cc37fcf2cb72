"""What MLServer answers over gRPC: a number as at training, or INVALID_ARGUMENT and what is wrong with the message."""

from __future__ import annotations

import struct
from typing import Any

import grpc
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from standard_server import Server
from test_requests import ROW

RAW = struct.pack("<11d", *ROW)


def message(shape: tuple[int, ...] = (1, 11), datatype: str = "FP64", *raw: bytes, **contents: Any) -> Any:
    typed = pb.InferTensorContents(**contents)
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=shape, contents=typed)
    return pb.ModelInferRequest(model_name="wine", inputs=[tensor], raw_input_contents=raw)


def parameter(**value: Any) -> Any:
    asked = message(fp64_contents=ROW)
    asked.parameters["content_type"].MergeFrom(pb.InferParameter(**value))
    return asked


@pytest.fixture
def stub(server: Server) -> Any:
    return GRPCInferenceServiceStub(grpc.insecure_channel(f"127.0.0.1:{server.grpc}"))


WRONG = {
    "raw, short": message((1, 11), "FP64", RAW[:40]),
    "raw, no number": message((1, 11), "FP64", b"abc"),
    "raw, a huge shape": message((10**12, 11), "FP64", RAW),
    "raw, a negative shape": message((-1, 11), "FP64", RAW),
    "raw, an unknown type": message((1, 11), "ZZ", RAW),
    "raw, texts": message((1, 11), "BYTES", b"\xff"),
    "raw, too many": message((1, 11), "FP64", RAW, RAW),
    "raw and typed": message((1, 11), "FP64", RAW, fp64_contents=ROW),
    "two types": message(fp64_contents=ROW, int_contents=[1] * 11),
    "an unknown type": message(datatype="FP7", fp64_contents=ROW),
    "no contents": message(),
    "NaN": message(fp64_contents=[float("nan")] * 11),
    "a content type that is no text": parameter(int64_param=5),
    "no inputs": pb.ModelInferRequest(model_name="wine"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_message_is_an_invalid_argument(stub: Any, case: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(WRONG[case], timeout=20)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT, refused.value.details()
    assert 10 < len(refused.value.details()) < 1_000


def test_nobody_unloads_the_model_and_it_answers_typed_and_raw(stub: Any) -> None:
    for call, asked in (
        (stub.RepositoryModelLoad, pb.RepositoryModelLoadRequest(model_name="wine")),
        (stub.RepositoryModelUnload, pb.RepositoryModelUnloadRequest(model_name="wine")),
    ):
        with pytest.raises(grpc.RpcError, match="by the platform alone") as refused:
            call(asked, timeout=20)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as stream:
        list(stub.ModelStreamInfer(iter([]), timeout=20))
    assert stream.value.code() == grpc.StatusCode.UNIMPLEMENTED
    output = stub.ModelInfer(message(fp64_contents=ROW), timeout=20).outputs[0]
    (typed,) = output.contents.fp64_contents or output.contents.fp32_contents
    (raw,) = stub.ModelInfer(message((1, 11), "FP64", RAW), timeout=20).raw_output_contents
    assert struct.unpack("<d" if len(raw) == 8 else "<f", raw) == (typed,)
