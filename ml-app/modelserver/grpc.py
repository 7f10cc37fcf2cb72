"""Seldon's gRPC services of a model."""

import logging
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NoReturn

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection
from seldon_core import seldon_methods
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc
from seldon_core.wrapper import SeldonModelGRPC

from modelserver.errors import BadRequest
from modelserver.messages import MAX_BODY_BYTES, to_array, to_tensor
from modelserver.metrics import InProcessMetrics

logger = logging.getLogger(__name__)

THREADS = 4
"""Calls under way at once; the model releases the interpreter's lock while it computes."""


class _Servicer(SeldonModelGRPC):  # type: ignore[misc]
    """Seldon's servicer, with bad input answered as `INVALID_ARGUMENT` where the original says `UNKNOWN`."""

    def Predict(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        try:
            _check(request)
            return seldon_methods.predict(self.user_model, request, self.seldon_metrics)
        except SeldonMicroserviceException as error:
            refused = error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT if refused else grpc.StatusCode.INTERNAL, error.message)
        except Exception as error:
            logger.exception("the model failed")
            _abort(context, grpc.StatusCode.INTERNAL, f"the model failed: {type(error).__name__}; see the server's log")


def _check(request: Any) -> None:
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


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")


def start_server(model: Any, metrics: InProcessMetrics, host: str, port: int) -> grpc.Server:
    """Serve `model`, a loaded Seldon class, over gRPC from threads of its own.

    Answers the services `seldon.protos.Model` (called by the executor) and `seldon.protos.Seldon`, and reflection.

    Raises:
        OSError: the port is in use.
    """
    servicer = _Servicer(model, metrics)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="grpc"),
        # Without so_reuseport=0 two servers would share the port, and answer in turn.
        options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MAX_BODY_BYTES)],
    )
    prediction_pb2_grpc.add_ModelServicer_to_server(servicer, server)
    prediction_pb2_grpc.add_SeldonServicer_to_server(servicer, server)
    services = prediction_pb2.DESCRIPTOR.services_by_name
    reflection.enable_server_reflection(
        (services["Model"].full_name, services["Seldon"].full_name, reflection.SERVICE_NAME), server
    )
    try:
        server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(f"gRPC port {port} on {host} is not to be had: {error}") from error
    server.start()
    return server
