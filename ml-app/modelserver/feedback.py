"""Feedback: what somebody says of an answer afterwards, which Seldon's clients send over REST and gRPC.

https://docs.seldon.ai/seldon-core-1/configuration/protocols-and-apis/internal-api#feedback
"""

import math
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from seldon_core import seldon_methods
from seldon_core.env_utils import get_model_name
from seldon_core.proto import prediction_pb2

from modelserver.errors import BadRequest
from modelserver.metrics import Metrics
from modelserver.protos import check

MAX_BYTES = 64 * 1024
"""Of a message over REST: protobuf takes a second for a megabyte of JSON, in which nobody else is answered."""
LARGEST_REWARD = 1e9
"""Either way; a greater one would make the counter that it goes into infinite, and so useless, for good."""


def from_json(message: dict[str, Any]) -> Any:
    """Feedback as protobuf has it, of a decoded JSON message.

    Raises:
        BadRequest: it is no feedback.
    """
    try:
        return ParseDict(message, prediction_pb2.Feedback())
    except (ParseError, ValueError, RecursionError) as error:
        raise BadRequest(f"the body is no feedback: {error}") from error


def take(model: Any, feedback: Any, metrics: Metrics) -> Any:
    """Hand feedback to the model's class, if that takes any, and count it.

    Raises:
        BadRequest: its reward cannot be counted, or its data cannot be read.
    """
    if not (math.isfinite(feedback.reward) and abs(feedback.reward) <= LARGEST_REWARD):
        raise BadRequest(f"the reward must be a number from -{LARGEST_REWARD:g} to {LARGEST_REWARD:g}")
    for part in ("request", "response", "truth"):
        if feedback.HasField(part):
            check(getattr(feedback, part))
    return seldon_methods.send_feedback(model, feedback, get_model_name("0"), metrics)


def to_json(answer: Any) -> dict[str, Any]:
    """The answer to feedback, as REST has it."""
    content: dict[str, Any] = MessageToDict(answer)
    return content
