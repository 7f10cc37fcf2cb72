"""Asks a model for the prediction of ROW by gRPC at ADDRESS, on one connection, and writes how often it answered what."""

import json
import os
from collections import Counter

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc

message = ParseDict({"data": {"ndarray": [json.loads(os.environ["ROW"])]}}, prediction_pb2.SeldonMessage())
answers: Counter[str] = Counter()
with grpc.insecure_channel(os.environ["ADDRESS"]) as channel:
    stub = prediction_pb2_grpc.SeldonStub(channel)
    for _ in range(int(os.environ["CALLS"])):
        # Policies reach a new pod a moment after its start.
        answer = stub.Predict(message, timeout=30, wait_for_ready=True)
        answers[json.dumps(MessageToDict(answer)["data"]["ndarray"])] += 1
print(json.dumps(answers))
