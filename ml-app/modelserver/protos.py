"""Checks Seldon's messages as protobuf has them, before seldon-core sees them."""

from typing import Any

from google.protobuf.json_format import MessageToDict

from modelserver.errors import BadRequest
from modelserver.messages import to_array, to_tensor


def check(request: Any) -> None:
    """Raise `BadRequest` for a message whose data seldon-core cannot read, or misreads."""
    # It takes a tensor's values from the end of the message, where fields that it does not know would stand.
    request.DiscardUnknownFields()
    match request.data.WhichOneof("data_oneof"):
        case "tensor":
            to_tensor(list(request.data.tensor.shape), list(request.data.tensor.values))
        case "ndarray":
            to_array(MessageToDict(request.data.ndarray))
        case "tftensor":
            raise BadRequest("data needs either ndarray or tensor (tftensor is not supported)")
