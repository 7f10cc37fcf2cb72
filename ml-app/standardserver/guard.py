"""What MLServer 1.7.1 has no setting for: it answers what a request asks, or says what is wrong with the request.

MLServer loads this file itself, with these variables beside its own:

    MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION=standardserver.guard.Repository
    PYTHONPATH=the folder above this one

- A row that is too wide, a text, a NaN, names that the model does not know: MLServer lets the model's library raise,
  which is a 500, or answer, which is a wrong number (https://github.com/SeldonIO/MLServer/issues/735). Here it is a 400
  with the reason.
- Any size of body is read, and unpacked if it is packed. Here it is bounded.
- Whoever reaches the port may unload the model. Here nobody can.
- `model-settings.json` among a model's files may name any code. It is not read: the one model is that of
  MLSERVER_MODEL_NAME, _URI and _IMPLEMENTATION.
- A connection that is idle for 5 seconds is closed, which meets requests on their way. Here it may be idle for longer
  than the pools of clients keep theirs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any

import mlserver.rest.server as rest
import numpy as np
import pandas as pd
from mlserver.errors import InferenceError
from mlserver.repository import ModelRepository
from mlserver.settings import ModelParameters, ModelSettings
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor, RequestInput

LARGEST_BODY = 1024 * 1024
IDLE_SECONDS = 620
CONNECTIONS = 500
LARGEST = 3.4e38
"""What float32 holds: trees compare in it."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_module, _, _class = os.environ["MLSERVER_MODEL_IMPLEMENTATION"].rpartition(".")
_Runtime: Any = getattr(import_module(_module), _class)


class Model(_Runtime):  # type: ignore[misc]
    """A runtime of MLServer's that looks at a request before the model does.

    What the model takes is known from the record of its training, `recorded.json`. Where there is none, what the
    model's library finds wrong with a request is still told as a 400.
    """

    async def load(self) -> bool:
        """Load the model, and tell the names of its inputs to whoever asks."""
        loaded: bool = await super().load()
        record = Path(self._settings.parameters.uri) / "recorded.json"
        self._names: list[str] = json.loads(record.read_text())["names"] if record.is_file() else []
        if self._names:
            self.inputs = [MetadataTensor(name=name, datatype="FP64", shape=[-1, 1]) for name in self._names]
        return loaded

    def decode_request(self, inference_request: InferenceRequest, default_codec: Any = None) -> Any:
        """The rows of a request in the order of the model's names, as the runtime likes them best."""
        if not self._names:
            return super().decode_request(inference_request, default_codec)
        matrix = rows(inference_request.inputs, self._names)
        if _class == "XGBoostModel":
            # Its names are checked, and XGBoost takes 3 ms to look at a frame of a row that it answers in 0.3 ms.
            return matrix
        frame = pd.DataFrame(matrix, columns=self._names)
        schema = getattr(self, "_input_schema", None)
        # MLflow's runtime compares types with the model's signature: no float64 for whole numbers.
        return frame if schema is None else _typed(frame, dict(zip(self._names, schema.pandas_types(), strict=True)))

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a request."""
        for output in payload.outputs or []:
            # What is asked for is a method of the model's: of a regressor not "transform".
            if not hasattr(getattr(self, "_model", None), output.name):
                raise InferenceError(f"the model has no output {output.name!r}")
            output.parameters = None
        try:
            return await super().predict(payload)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            if self._names:
                raise
            raise InferenceError(f"the model does not take this: {error}") from error


def rows(inputs: list[RequestInput], names: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The rows of a request: one input with all columns in their order, or one for each column, under its name.

    Returns:
        Shape (rows, columns), the columns in the order of `names`.

    Raises:
        InferenceError: the inputs are not those of the model; says which, and why.
    """
    given = [one.name for one in inputs]
    if len(given) == 1 and given[0] not in names:
        matrix = _values(inputs[0])
        if matrix.shape[1] != len(names):
            raise InferenceError(
                f"a row of {given[0]!r} has {matrix.shape[1]} values; the model takes {len(names)}: {', '.join(names)}"
            )
        return matrix
    problems = [
        f"{what}: {', '.join(map(repr, found))}"
        for what, found in (
            ("unknown", [name for name in given if name not in names]),
            ("missing", [name for name in names if name not in given]),
            ("there twice", [name for name in names if given.count(name) > 1]),
        )
        if found
    ]
    if problems:
        raise InferenceError(f"these are not the model's inputs; {'; '.join(problems)}")
    columns = {one.name: _values(one) for one in inputs}
    if wide := [name for name, values in columns.items() if values.shape[1] != 1]:
        raise InferenceError(f"{wide[0]!r} must have a single value in each row, shape [rows, 1]")
    if len({len(values) for values in columns.values()}) > 1:
        raise InferenceError("the inputs differ in their number of rows")
    return np.column_stack([columns[name] for name in names])


def _typed(frame: pd.DataFrame, types: dict[str, Any]) -> pd.DataFrame:
    """The frame with these types of columns.

    Raises:
        InferenceError: a column is of whole numbers, and holds another.
    """
    for name, kind in types.items():
        if np.issubdtype(kind, np.integer) and (odd := frame[name][frame[name] % 1 != 0]).size:
            raise InferenceError(f"{name!r} holds {odd.iloc[0]:g}; the model takes whole numbers there")
    return frame.astype(types)


def _values(one: RequestInput) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The values of an input, shape (rows, columns).

    Raises:
        InferenceError: they are no finite numbers, or not as many as its shape says.
    """
    name, kind, shape = repr(one.name), one.datatype, list(one.shape)
    if not kind.startswith(("FP", "INT", "UINT")):
        raise InferenceError(f"{name} is of {kind}; the model takes numbers, such as FP64")
    if len(shape) == 1:
        shape.append(1)
    if len(shape) != 2 or min(shape) < 1:  # noqa: PLR2004
        raise InferenceError(f"{name} has the shape {list(one.shape)}; it must be [rows, columns], each at least 1")
    flat = _flat(one.data.root if hasattr(one.data, "root") else one.data)
    if wrong := [value for value in flat if type(value) not in (int, float)]:
        raise InferenceError(f"{name} holds {str(wrong[0])[:40]!r}, which is no number")
    if shape[0] * shape[1] != len(flat):
        raise InferenceError(f"{name} has the shape {list(one.shape)}, and {len(flat)} values")
    if wrong := [value for value in flat if not -LARGEST <= value <= LARGEST]:
        raise InferenceError(f"{name} holds {str(wrong[0])[:40]}; the model takes finite numbers up to {LARGEST:g}")
    if not kind.startswith("FP") and (wrong := [value for value in flat if value != int(value)]):
        raise InferenceError(f"{name} is of {kind}, and holds {wrong[0]}")
    return np.array(flat, dtype=np.float64).reshape(shape)


def _flat(data: Any) -> list[Any]:
    """The values of data, which may come as a list of rows."""
    if isinstance(data, np.ndarray):
        data = data.tolist()
    if not isinstance(data, list | tuple):
        data = [data]
    if any(type(value) is list for value in data):
        return [value for row in data for value in (row if type(row) is list else [row])]
    return list(data)


class Repository(ModelRepository):  # type: ignore[misc]
    """The one model that the variables name."""

    def __init__(self, root: str) -> None:
        del root  # MLServer would look for settings there

    async def list(self) -> list[ModelSettings]:
        """Its settings."""
        settings = ModelSettings()
        settings.parameters = ModelParameters()
        settings.implementation_ = f"{__name__}.{Model.__name__}"
        return [settings]

    async def find(self, name: str) -> Any:
        """Asked for by the API that is closed."""
        return []


class Bounded:
    """An ASGI application in front of MLServer's: refuses what that would read without an end, or obey."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on with its body read."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if refusal := _refusal(scope):
            return await _refuse(send, *refusal)
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > LARGEST_BODY:
                return await _refuse(send, 413, f"the body has more than {LARGEST_BODY} bytes: send fewer rows")
            more = message.get("more_body", False)
        parts = iter([{"type": "http.request", "body": body}])

        async def again() -> Message:
            return next(parts, None) or await receive()

        return await self._app(scope, again, send)


def _refusal(scope: Message) -> tuple[int, str] | None:
    """Why a request is refused before its body is read: status and reason; None if it is not."""
    headers = dict(scope["headers"])
    if scope["path"].startswith("/v2/repository"):
        return 404, "models are loaded and unloaded by the platform alone"
    if not scope["path"].startswith("/v2"):
        # MLflow's runtime adds ways to the model that are not looked at here.
        return 404, "this server speaks the Open Inference Protocol, below /v2"
    if scope["method"] != "POST":
        return None
    if headers.get(b"content-encoding", b"identity") != b"identity":
        return 415, "send the body unpacked, without Content-Encoding"
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        return 415, "send JSON, with Content-Type: application/json"
    return None


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_create_app = rest.create_app


def _create_bounded_app(settings: Any, **handlers: Any) -> Any:
    # MLServer hands these to uvicorn, and has no variable for them.
    settings._custom_rest_server_settings = {"timeout_keep_alive": IDLE_SECONDS, "limit_concurrency": CONNECTIONS}
    app = _create_app(settings, **handlers)
    app.add_middleware(Bounded)
    return app


rest.create_app = _create_bounded_app
