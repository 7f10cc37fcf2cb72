"""Asks a model for the prediction of ROW by gRPC at ADDRESS, of both of Seldon's services, and writes the answers as JSON."""

import json
import os

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc

message = ParseDict({"data": {"ndarray": [json.loads(os.environ["ROW"])]}}, prediction_pb2.SeldonMessage())
answers = []
with grpc.insecure_channel(os.environ["ADDRESS"]) as channel:
    for stub in (prediction_pb2_grpc.SeldonStub, prediction_pb2_grpc.ModelStub):
        # Policies reach a new pod a moment after its start.
        answer = stub(channel).Predict(message, timeout=30, wait_for_ready=True)
        answers.append(MessageToDict(answer)["data"]["ndarray"][0])
print(json.dumps(answers))
