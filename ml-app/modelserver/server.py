"""The command line of the server, and its life from loading the class to draining the last request."""

import argparse
import gc
import importlib
import json
import logging
import math
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn

from modelserver import grpc, rest
from modelserver.errors import ModelError
from modelserver.http import KEEP_ALIVE_SECONDS, MAX_CONNECTIONS, Connection, Headers, Served
from modelserver.metrics import Metrics, Requests, Scraped
from modelserver.rest import REASONS, Receive, Scope, Send
from standardserver.decided import OtherFilesError, check_files

logger = logging.getLogger("modelserver")

PARAMETER_TYPES: dict[str, Callable[[str], Any]] = {
    "INT": int,
    "FLOAT": float,
    "DOUBLE": float,
    "STRING": str,
    "BOOL": lambda text: {"true": True, "false": False}[text.lower()],
}
"""The types of a graph unit's parameters, as `SeldonDeployment` knows them."""

MODEL_FOLDER = "/mnt/models"
"""Where Seldon's init container puts the model's files, unless the class is told another folder, as `model_dir`."""

BACKLOG = 2048
"""Connections that wait to be accepted; uvicorn's own."""
LINGER_SECONDS = 2
"""How long after SIGTERM clients with open connections are answered and told to come again elsewhere."""

DRAIN_SECONDS = 3
"""How long requests that are then under way may take, over REST and then again over gRPC.

All that is less than 10 seconds, which the operator's hook before SIGTERM leaves of the 20 until SIGKILL.
"""

MAX_KEEP_ALIVE_SECONDS = 24 * 3600
"""The longest time that a user may let connections be idle."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, load, serve. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="modelserver", description="Serve a Seldon Core Python class.")
    parser.add_argument("class_name", metavar="MODULE.Class", help="for example house_price.serve.HousePrice")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=os.environ.get("SELDON_LOG_LEVEL", "INFO"), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        serve(options.class_name, options.host)
    except (ModelError, OtherFilesError, OSError) as error:
        logger.error("%s", error)
        return 1
    return 0


def serve(class_name: str, host: str) -> None:
    """Load the class, then answer on its three ports until a signal comes.

    Raises:
        ModelError: the class cannot be found, or its model cannot be served.
        OtherFilesError: the model's files are not those that were decided on.
        OSError: a port is in use.
    """
    # Tried before the model is loaded, so that a port in use is known at once; REST listens only when all is ready.
    http_port, grpc_port, metrics_port = _port("HTTP", 9000), _port("GRPC", 5000), _port("METRICS", 6000)
    keep_alive, origins = _keep_alive(), _origins()
    http_socket = _bind("REST", host, http_port)
    _bind("gRPC", host, grpc_port).close()
    _bind("metrics", host, metrics_port).close()

    parameters = _parameters()
    check_files(Path(str(parameters.get("model_dir", MODEL_FOLDER))))
    model = _create(class_name, parameters)
    if hasattr(model, "load"):
        model.load()
    # Somebody else may have begun to listen there meanwhile, of which the event loop would say nothing.
    _listen("REST", http_socket, BACKLOG)

    metadata = rest.described(model)
    metrics = Metrics(metadata.get("name", ""), next(iter(metadata.get("versions", [])), ""))
    farewell = Farewell(rest.Application(model, metrics, metadata, origins), metrics.requests)
    metrics_socket = _bind("metrics", host, metrics_port)
    _listen("metrics", metrics_socket, BACKLOG)
    scraping = Scraping(_config(Scraped(metrics), keep_alive), metrics_socket)
    grpc_server = grpc.start_server(model, metrics, host, grpc_port)
    server = LingeringServer(farewell, _config(farewell, keep_alive))
    # What is there by now stays: no collection has to look at a hundred thousand objects of the libraries again.
    gc.collect()
    gc.freeze()
    logger.info("serving REST on %d, gRPC on %d, metrics on %d", http_port, grpc_port, metrics_port)
    try:
        server.run(sockets=[http_socket])
    finally:
        scraping.begin_to_stop()
        grpc_server.stop(DRAIN_SECONDS)
        scraping.wait()


class Scraping:
    """The metrics port in a loop of its own: scrapes wait for nothing that the model does, and nothing for a slow one.

    Args:
        config: of its server.
        bound: the socket that it listens on.
    """

    def __init__(self, config: uvicorn.Config, bound: socket.socket) -> None:
        self._server = uvicorn.Server(config)
        # Nothing waits for it where the server does not come up.
        self._thread = threading.Thread(target=self._server.run, args=([bound],), name="metrics", daemon=True)
        self._thread.start()

    def begin_to_stop(self) -> None:
        """Take no more scrapes; those under way have `DRAIN_SECONDS`."""
        self._server.should_exit = True

    def wait(self) -> None:
        """Until it has stopped. A timer of uvloop that fires while Python ends crashes the process."""
        self._thread.join()


class Farewell:
    """An ASGI application in front of another, which in the end has clients close their connections.

    A connection that the server closes may have a request on its way, which is then lost. One that the client closes,
    after an answer with `Connection: close`, has not.
    """

    most_connections = MAX_CONNECTIONS

    def __init__(self, app: rest.Application, requests: Requests) -> None:
        self.app = app
        self.at_once_urls = app.at_once_urls
        self.leaving = False
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the other application does."""

        async def send_farewell(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, send_farewell if self.leaving else send)

    def at_once(self, url: bytes, headers: Headers, body: bytes) -> tuple[int, Headers, bytes] | None:
        """The answer of the other application, unless there is more to say."""
        return None if self.leaving else self.app.at_once(url, headers, body)

    def refused(self, status: HTTPStatus) -> None:
        """Count what the connection has refused."""
        self._requests.refuse("rest", REASONS[status])


class LingeringServer(uvicorn.Server):
    """A server that says farewell for a while when it is told to stop, or until nobody is connected any more."""

    def __init__(self, farewell: Farewell, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._farewell = farewell
        self._until = math.inf

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave; told again, leave at once."""
        if self._farewell.leaving:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self._farewell.leaving = True
        self._until = time.monotonic() + LINGER_SECONDS

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to stop; asked ten times a second."""
        stop = await super().on_tick(counter)
        if not self._farewell.leaving:
            return stop
        return stop or not self.server_state.connections or time.monotonic() > self._until


def _config(app: Served, keep_alive: int) -> uvicorn.Config:
    return uvicorn.Config(
        # uvicorn's types describe the scope and the messages; here they are plain dictionaries.
        cast(Any, app),
        loop="uvloop",
        lifespan="off",
        http=Connection,
        ws="none",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        # Clients that heed it (Node's, Apache's) close idle connections themselves, before the server does.
        headers=[("keep-alive", f"timeout={keep_alive}")],
        timeout_keep_alive=keep_alive,
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _create(class_name: str, parameters: dict[str, Any]) -> Any:
    module_name, _, attribute = class_name.rpartition(".")
    try:
        component = getattr(importlib.import_module(module_name or attribute), attribute)
    except (ImportError, AttributeError) as error:
        raise ModelError(f"cannot find the class {class_name}: {error}") from error
    try:
        return component(**parameters)
    except TypeError as error:
        raise ModelError(f"PREDICTIVE_UNIT_PARAMETERS do not fit {class_name}: {error}") from error


def _parameters() -> dict[str, Any]:
    """The graph unit's parameters, as arguments of the class."""
    text = os.environ.get("PREDICTIVE_UNIT_PARAMETERS", "[]")
    try:
        return {item["name"]: PARAMETER_TYPES[item["type"]](item["value"]) for item in json.loads(text)}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"PREDICTIVE_UNIT_PARAMETERS is not a list of name, value and type: {text}") from error


def _port(service: str, default: int) -> int:
    variable = f"PREDICTIVE_UNIT_{service}_SERVICE_PORT"
    text = os.environ.get(variable, str(default))
    if not (text.isdecimal() and 0 < int(text) < 1 << 16):
        raise ModelError(f"{variable} is not a port: {text}")
    return int(text)


def _keep_alive() -> int:
    """Seconds that a REST connection may be idle; the variable is that of `seldon-core-microservice`."""
    text = os.environ.get("GUNICORN_KEEPALIVE", str(KEEP_ALIVE_SECONDS))
    if not (text.isdecimal() and 0 < int(text) <= MAX_KEEP_ALIVE_SECONDS):
        raise ModelError(f"GUNICORN_KEEPALIVE is no number of seconds from 1 to {MAX_KEEP_ALIVE_SECONDS}: {text}")
    return int(text)


def _origins() -> list[str]:
    """The origins of pages whose scripts may read answers; the same as a browser writes them."""
    named = [origin.strip() for origin in os.environ.get("MODELSERVER_CORS_ORIGINS", "").split(",") if origin.strip()]
    for origin in named:
        if origin != "*" and not re.fullmatch(r"https?://[^/@?#\s]+", origin):
            raise ModelError(f"MODELSERVER_CORS_ORIGINS has {origin}, which is no origin as in https://app.example.com")
    return named


def _bind(service: str, host: str, port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _not_to_be_had(service, host, port, error) from error
    return bound


def _listen(service: str, bound: socket.socket, backlog: int) -> None:
    host, port = bound.getsockname()
    try:
        bound.listen(backlog)
    except OSError as error:
        raise _not_to_be_had(service, host, port, error) from error


def _not_to_be_had(service: str, host: str, port: int, error: OSError) -> OSError:
    return OSError(f"{service} port {port} on {host} is not to be had: {error.strerror}")
