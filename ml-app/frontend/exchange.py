"""Asks a model server, and says in a sentence what went wrong. It is the only part of the page that goes out."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections import defaultdict, deque
from statistics import median
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from frontend.form import FormError, cell
from frontend.listed import Listed

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 60.0
HEALTH_SECONDS = 2.0
LARGEST_ANSWER = 32 * 1024 * 1024
OK, UNAVAILABLE = 200, (502, 503, 504)
LONGEST_REASON = 500
REMEMBERED = 20


class _TooMuchError(Exception):
    """A server sends more than is taken."""


class _Bounded(io.RawIOBase):
    """What comes through a socket, headers too: until the time is over that it has at first, and no more than fits.

    A socket by itself waits as long anew for each part.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock, self._file, self._left = sock, sock.makefile("rb", buffering=0), LARGEST_ANSWER
        self._until = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        self._sock.settimeout(seconds)
        size = self._file.readinto(buffer)
        self._left -= size or 0
        if self._left < 0:
            raise _TooMuchError
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock))


class _Http(HTTPConnection):
    response_class = _Response


class _Https(HTTPSConnection):
    response_class = _Response


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


# No proxy that the environment names, no redirect, no second try: a request goes to the one address or nowhere.
_pool = urllib3.PoolManager(num_pools=50, maxsize=8, retries=False)
_pool.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
_lock = threading.Lock()
_times: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))


class AskError(Exception):
    """A model could not be asked; the message is a sentence for people."""


class RefusedError(AskError):
    """It has looked at what it was asked, and refuses it: the message is its reason."""


class TooLargeError(RefusedError):
    """It takes less at once."""


def ask(model: Listed, path: str, body: Any = None, seconds: float = ANSWER_SECONDS) -> Any:
    """What a server answers, JSON as Python has it; None if it answers nothing.

    Args:
        model: whose server.
        path: where, from the server's root.
        body: what is sent, as JSON; None asks without a body.
        seconds: how long it may take in all.

    Raises:
        RefusedError: it refuses the question, with its reason; or JSON has no such question.
        AskError: it does not answer, or not as a model does.
    """
    try:
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
    except ValueError as error:
        raise RefusedError("it has a value that is no number in JSON, such as NaN.") from error
    began = time.monotonic()
    try:
        response = _pool.request(
            "GET" if data is None else "POST",
            f"{model.address}{path}",
            body=data,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, total=seconds),
        )
        text = response.read()
        response.release_conn()
    except _TooMuchError as error:
        raise AskError(f"{model.name} answers more than is taken.") from error
    except (NewConnectionError, ConnectTimeoutError) as error:
        raise AskError(f"{model.name} does not answer: nothing listens at {model.address}.") from error
    except ReadTimeoutError as error:
        raise _late(model, seconds) from error
    except HTTPError as error:
        raise AskError(f"{model.name} has broken off the connection; it may be stopping.") from error
    if response.status == OK:
        if data is not None:
            with _lock:
                _times[model.name].append(time.monotonic() - began)
        return _parsed(text, model)
    raise _refusal(response.status, text, model)


def latency(model: Listed) -> float | None:
    """Seconds that the model took for an answer, the median of those that this page got last; None before the first."""
    with _lock:
        times = _times.get(model.name)
        return median(times) if times else None


def _late(model: Listed, seconds: float) -> AskError:
    return AskError(f"{model.name} has not answered within {seconds:g} seconds; it may be busy.")


def _parsed(text: bytes, model: Listed) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AskError(f"what answers for {model.name} is no model: its answer is not JSON.") from error


def _refusal(status: int, text: bytes, model: Listed) -> AskError:
    """The error for an answer that is none, with the reason that the server gives."""
    reason = _reason(text)
    if status == 413:  # noqa: PLR2004
        return TooLargeError(reason or f"it is more than {model.name} takes at once.")
    if 400 <= status < 500 and status not in (401, 403, 404, 405):  # noqa: PLR2004
        return RefusedError(reason or f"{model.name} does not say why (HTTP {status}).")
    if status in UNAVAILABLE:
        return AskError(f"{model.name} is not ready (HTTP {status}). {reason}".strip())
    if status >= 500:  # noqa: PLR2004
        return AskError(f"{model.name} has failed (HTTP {status}); its log says why. {reason}".strip())
    return AskError(f"what answers for {model.name} is no model that can be asked (HTTP {status}). {reason}".strip())


def _reason(text: bytes) -> str:
    """What a refusal says: Seldon's message, MLServer's, or that of its web framework."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    status = said.get("status")
    told = said.get("error") or said.get("detail") or (status.get("info") if isinstance(status, dict) else None)
    try:
        line = " ".join(str(cell(told) if told else "").split())
    except FormError:
        return ""
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"
