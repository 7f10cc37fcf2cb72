"""Seldon's gRPC services of a model."""

import logging
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection
from seldon_core import seldon_methods
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc
from seldon_core.wrapper import SeldonModelGRPC

from modelserver import feedback
from modelserver.messages import MAX_BODY_BYTES
from modelserver.metrics import InProcessMetrics
from modelserver.protos import check

logger = logging.getLogger(__name__)

THREADS = 4
"""Calls under way at once; the model releases the interpreter's lock while it computes."""


class _Servicer(SeldonModelGRPC):  # type: ignore[misc]
    """Seldon's servicer, with bad input answered as `INVALID_ARGUMENT` where the original says `UNKNOWN`."""

    def Predict(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        try:
            check(request)
            return seldon_methods.predict(self.user_model, request, self.seldon_metrics)
        except Exception as error:
            _refuse(context, error)

    def SendFeedback(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        return _take(self, request, context)


class _Generic(prediction_pb2_grpc.GenericServicer):  # type: ignore[misc]
    """Of the service for any node of a graph what a model does: Seldon's client sends it feedback."""

    def __init__(self, servicer: _Servicer) -> None:
        self._servicer = servicer

    def SendFeedback(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        return _take(self._servicer, request, context)


def _take(servicer: _Servicer, request: Message, context: grpc.ServicerContext) -> Message:
    try:
        answer: Message = feedback.take(servicer.user_model, request, servicer.seldon_metrics)
        return answer
    except Exception as error:
        _refuse(context, error)


def _refuse(context: grpc.ServicerContext, error: Exception) -> NoReturn:
    if isinstance(error, SeldonMicroserviceException):
        refused = error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        _abort(context, grpc.StatusCode.INVALID_ARGUMENT if refused else grpc.StatusCode.INTERNAL, error.message)
    logger.exception("the model failed")
    _abort(context, grpc.StatusCode.INTERNAL, f"the model failed: {type(error).__name__}; see the server's log")


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")


def start_server(model: Any, metrics: InProcessMetrics, host: str, port: int) -> grpc.Server:
    """Serve `model`, a loaded Seldon class, over gRPC from threads of its own.

    Answers the services `seldon.protos.Model` (called by the executor) and `seldon.protos.Seldon`, feedback of
    `seldon.protos.Generic`, and reflection.

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
    prediction_pb2_grpc.add_GenericServicer_to_server(_Generic(servicer), server)
    services = prediction_pb2.DESCRIPTOR.services_by_name
    reflection.enable_server_reflection(
        (*(services[name].full_name for name in ("Model", "Seldon", "Generic")), reflection.SERVICE_NAME), server
    )
    try:
        server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(f"gRPC port {port} on {host} is not to be had: {error}") from error
    server.start()
    return server
