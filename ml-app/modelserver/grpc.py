"""Seldon's gRPC services of a model, with health and reflection."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2
from seldon_core import seldon_methods
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc
from seldon_core.wrapper import SeldonModelGRPC

from modelserver import feedback
from modelserver.http import CONNECTION_SECONDS, KEEP_ALIVE_SECONDS, REQUEST_SECONDS
from modelserver.messages import MAX_BODY_BYTES
from modelserver.metrics import Metrics, Outcome
from modelserver.protos import check
from modelserver.units import answer_message, calls_of

logger = logging.getLogger(__name__)

THREADS = 4
"""Predictions under way at once; the model releases the interpreter's lock while it computes."""

MAX_CALLS = 200
"""Calls at once, those that wait for a thread and streams that watch included. One more is `RESOURCE_EXHAUSTED`."""

MAX_CONNECTION_CALLS = MAX_CALLS // 2
"""Calls at once on one connection; its client lets more of them wait."""

OPTIONS = (
    # Without it two servers would share the port, and answer in turn.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_BODY_BYTES),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.absolute_max_metadata_size", 64 * 1024),
    ("grpc.max_concurrent_streams", MAX_CONNECTION_CALLS),
    # Whoever connects must begin to speak, and a connection without a call is closed; Go's clients open another one.
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", KEEP_ALIVE_SECONDS * 1000),
    # Calls that are under way are answered; the client opens another connection for the next.
    ("grpc.max_connection_age_ms", CONNECTION_SECONDS * 1000),
    ("grpc.max_connection_age_grace_ms", REQUEST_SECONDS * 1000),
)

REFLECTION = "grpc.reflection.v1.ServerReflection"
"""What newer clients ask; its messages are those of `v1alpha`, the only one that this protobuf has."""


class _Servicer(SeldonModelGRPC):  # type: ignore[misc]
    """Seldon's servicer, with bad input answered as `INVALID_ARGUMENT` where the original says `UNKNOWN`."""

    def Predict(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        def predicted() -> Message:
            check(request)
            return seldon_methods.predict(self.user_model, request, self.seldon_metrics)

        return _measured(self.seldon_metrics, predicted, request, context)

    def SendFeedback(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        def taken() -> Message:
            answer: Message = feedback.take(self.user_model, request, self.seldon_metrics)
            return answer

        return _measured(self.seldon_metrics, taken, request, context)

    def TransformInput(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        return self._called("transform_input", request, context)

    def TransformOutput(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        return self._called("transform_output", request, context)

    def Route(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        return self._called("route", request, context)

    def Aggregate(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        return self._called("aggregate", request, context)

    def _called(self, method: str, request: Any, context: grpc.ServicerContext) -> Message:
        def told() -> Message:
            for message in request.seldonMessages if method == "aggregate" else [request]:
                check(message)
            return answer_message(self.user_model, method, request, self.seldon_metrics)

        return _measured(self.seldon_metrics, told, request, context)


class _Generic(prediction_pb2_grpc.GenericServicer):  # type: ignore[misc]
    """Of the service for any node of a graph what a model does: Seldon's client sends it feedback."""

    def __init__(self, servicer: _Servicer) -> None:
        self._servicer = servicer

    def SendFeedback(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        return self._servicer.SendFeedback(request, context)


def _measured(
    metrics: Metrics, answer: Callable[[], Message], request: Message, context: grpc.ServicerContext
) -> Message:
    """The answer, measured; an error is the status that a client knows."""
    began, sent = time.perf_counter(), 0
    outcome: Outcome = "answered"
    metrics.requests.begin("grpc")
    try:
        message = answer()
        sent = message.ByteSize()
        return message
    except Exception as error:
        outcome, code, reason = _refusal(error)
    finally:
        metrics.requests.end("grpc", outcome, time.perf_counter() - began, request.ByteSize(), sent)
    if outcome == "refused":
        metrics.requests.refuse("grpc", "bad_data")
    context.abort(code, reason)
    raise AssertionError("abort raises")


def _refusal(error: Exception) -> tuple[Outcome, grpc.StatusCode, str]:
    """What an error means, for the metrics and for the client."""
    if not isinstance(error, SeldonMicroserviceException):
        logger.error("the model failed", exc_info=error)
        return "failed", grpc.StatusCode.INTERNAL, f"the model failed: {type(error).__name__}; see the server's log"
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "failed", grpc.StatusCode.INTERNAL, error.message
    return "refused", grpc.StatusCode.INVALID_ARGUMENT, error.message


class Server:
    """Answers calls in an event loop of its own, which a thread runs until `stop`.

    A call that only waits, such as one that watches the health, keeps no thread; the model's calls have `THREADS`.
    """

    def __init__(self, model: Any, metrics: Metrics, host: str, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="grpc")
        self._health = health.aio.HealthServicer()
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc-loop", daemon=True)
        self._thread.start()
        self._run(self._start(_Servicer(model, metrics), f"{host}:{port}")).result()

    def stop(self, seconds: float) -> None:
        """Take no more calls, and wait that long for those under way; health is `NOT_SERVING` from then on."""

        async def stop() -> None:
            await self._health.enter_graceful_shutdown()
            await self._server.stop(seconds)

        self._run(stop()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._pool.shutdown(wait=False)

    def _run(self, coroutine: Any) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _start(self, servicer: _Servicer, address: str) -> None:
        self._server = grpc.aio.server(self._pool, options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
        prediction_pb2_grpc.add_ModelServicer_to_server(servicer, self._server)
        prediction_pb2_grpc.add_SeldonServicer_to_server(servicer, self._server)
        prediction_pb2_grpc.add_GenericServicer_to_server(_Generic(servicer), self._server)
        called = [call.service for call in calls_of(servicer.user_model).values()]
        for service in called:
            getattr(prediction_pb2_grpc, f"add_{service}Servicer_to_server")(servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        services = prediction_pb2.DESCRIPTOR.services_by_name
        names = [
            *(services[name].full_name for name in ("Model", "Seldon", "Generic", *called)),
            *(health.SERVICE_NAME, reflection.SERVICE_NAME),
        ]
        for name in names[:-2]:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        reflection.enable_server_reflection(names, self._server)
        self._server.add_generic_rpc_handlers((_reflection(names),))
        self._server.add_insecure_port(address)
        await self._server.start()


def _reflection(names: list[str]) -> grpc.GenericRpcHandler:
    """Reflection under its newer name."""
    ask = grpc.stream_stream_rpc_method_handler(
        reflection.aio.ReflectionServicer(names).ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(REFLECTION, {"ServerReflectionInfo": ask})


def start_server(model: Any, metrics: Metrics, host: str, port: int) -> Server:
    """Serve `model`, a loaded Seldon class, over gRPC.

    Answers the services `seldon.protos.Model` (called by the executor) and `seldon.protos.Seldon`, feedback of
    `seldon.protos.Generic`, `grpc.health.v1.Health`, and reflection, v1 and v1alpha.

    Raises:
        OSError: the port is in use.
    """
    try:
        return Server(model, metrics, host, port)
    except RuntimeError as error:
        raise OSError(f"gRPC port {port} on {host} is not to be had: {error}") from error
