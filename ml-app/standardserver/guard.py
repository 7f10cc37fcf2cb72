"""What MLServer 1.7.1 has no setting for: it answers what a request asks, or says what is wrong with the request.

MLServer loads this file itself, and with it those beside it, with these variables beside its own:

    MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION=standardserver.guard.Repository
    PYTHONPATH=the folder above this one

- A row that is too wide, a text, a NaN, names that the model does not know: MLServer lets the model's library raise,
  which is a 500, or answer, which is a wrong number (https://github.com/SeldonIO/MLServer/issues/735). Here it is a 400
  with the reason.
- Any size of body is read, for any time, and unpacked if it is packed. Here it is bounded (`over_rest.py`).
- A message over gRPC that cannot be converted is INTERNAL. Here it is INVALID_ARGUMENT (`over_grpc.py`).
- Whoever reaches the port may unload the model. Here nobody can.
- Names of models that it does not have are kept for good, as labels of its metrics. Here none is.
- `model-settings.json` among a model's files may name any code. It is not read: the one model is that of
  MLSERVER_MODEL_NAME, _URI and _IMPLEMENTATION.
- A connection that is idle for 5 seconds is closed, which meets requests on their way. Here it may be idle for longer
  than the pools of clients keep theirs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import mlserver.grpc.server as grpc
import mlserver.rest.server as rest
import numpy as np
import pandas as pd
from fastapi.exceptions import RequestValidationError
from mlserver.errors import InferenceError, ModelNotFound
from mlserver.handlers import DataPlane, ModelRepositoryHandlers
from mlserver.repository import ModelRepository
from mlserver.settings import ModelParameters, ModelSettings
from mlserver.types import Datatype, InferenceRequest, InferenceResponse, MetadataTensor, RequestInput

from standardserver.over_grpc import Servicer, refuse
from standardserver.over_rest import SETTINGS, Bounded, tell_what_is_no_message
from standardserver.startup import recorded

LARGEST = 3.4e38
"""What float32 holds: trees compare in it."""
KINDS = [kind.value for kind in Datatype if kind.value.startswith(("FP", "INT", "UINT"))]
LONGEST_ID = 256
SHOWN = 20
SHOWN_CHARACTERS = 40

_module, _, _class = os.environ["MLSERVER_MODEL_IMPLEMENTATION"].rpartition(".")
_Runtime: Any = getattr(import_module(_module), _class)


class Model(_Runtime):  # type: ignore[misc]
    """A runtime of MLServer's that looks at a request before the model does.

    What the model takes is known from the record of its training, `recorded.json`. Where there is none, what the
    model's library finds wrong with a request is still told as a 400.
    """

    async def load(self) -> bool:
        """Load the model, and tell the names of its inputs to whoever asks."""
        # Without the record of its training nothing would be known to look for.
        record = recorded(Path(self._settings.parameters.uri))
        self._names: list[str] = record["names"] if record else []
        loaded: bool = await super().load()
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
        if payload.id and not re.fullmatch(rf"[ -~]{{1,{LONGEST_ID}}}", payload.id):
            # It comes back in a header.
            raise InferenceError(f"the id must have at most {LONGEST_ID} characters, all of printable ASCII")
        asked: set[str] = set()
        for output in payload.outputs or []:
            # What is asked for is a method of the model's: of a regressor not "transform".
            if not hasattr(getattr(self, "_model", None), output.name):
                raise InferenceError(f"the model has no output {_told(output.name)}")
            if output.name in asked:
                # Each would be computed and sent.
                raise InferenceError(f"the output {_told(output.name)} is asked for twice")
            asked.add(output.name)
            output.parameters = None
        try:
            return await super().predict(payload)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            if self._names:
                raise
            raise InferenceError(f"the model does not take this: {str(error)[:300]}") from error


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
                f"a row of {_told(given[0])} has {matrix.shape[1]} values; the model takes {len(names)}: {_some(names)}"
            )
        return matrix
    problems = [
        f"{what}: {_some(found)}"
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
        raise InferenceError(f"{_told(wide[0])} must have a single value in each row, shape [rows, 1]")
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
    name, kind, shape = _told(one.name), one.datatype, list(one.shape)
    if kind not in KINDS:
        raise InferenceError(f"{name} is of {str(kind)[:SHOWN_CHARACTERS]}; the model takes numbers, such as FP64")
    if len(shape) not in (1, 2) or min(shape) < 1:
        raise InferenceError(
            f"{name} has the shape {str(shape)[:SHOWN_CHARACTERS]}; it must be [rows, columns], each at least 1"
        )
    height, width = shape if len(shape) > 1 else (shape[0], 1)
    flat = _flat(one.data.root if hasattr(one.data, "root") else one.data, name, width)
    if wrong := [value for value in flat if type(value) not in (int, float)]:
        raise InferenceError(f"{name} holds {_told(wrong[0])}, which is no number")
    if height * width != len(flat):
        raise InferenceError(f"{name} has the shape {shape}, and {len(flat)} values")
    if wrong := [value for value in flat if not -LARGEST <= value <= LARGEST]:
        raise InferenceError(f"{name} holds {_told(wrong[0])}; the model takes finite numbers up to {LARGEST:g}")
    if not kind.startswith("FP") and (wrong := [value for value in flat if value != int(value)]):
        raise InferenceError(f"{name} is of {kind}, and holds {wrong[0]}")
    return np.array(flat, dtype=np.float64).reshape(height, width)


def _flat(data: Any, name: str, width: int) -> list[Any]:
    """The values of data, which may come as a list of rows.

    Raises:
        InferenceError: a row is of another width.
    """
    if isinstance(data, np.ndarray):
        data = data.tolist()
    if not isinstance(data, list | tuple):
        data = [data]
    if not any(type(value) is list for value in data):
        return list(data)
    widths = [len(row) if type(row) is list else 1 for row in data]
    if wrong := [found for found in widths if found != width]:
        raise InferenceError(f"{name} has a row of {wrong[0]} values, where its shape says {width}")
    return [value for row in data for value in (row if type(row) is list else [row])]


def _told(value: Any) -> str:
    """A value of a request, as JSON writes it, to a bounded length."""
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _some(names: Iterable[str]) -> str:
    """The first of these names, and how many more there are."""
    told = list(names)
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return f"{', '.join(map(_told, told[:SHOWN]))}{more}"


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


def _create_bounded_app(settings: Any, *, _create: Any = rest.create_app, **handlers: Any) -> Any:
    settings._custom_rest_server_settings = SETTINGS
    app = _create(settings, **handlers)
    app.add_middleware(Bounded)
    app.add_exception_handler(RequestValidationError, tell_what_is_no_message)
    return app


async def _infer_known(
    self: DataPlane, payload: Any, name: str, version: str | None = None, *, _infer: Any = DataPlane.infer
) -> Any:
    # MLServer counts requests by the name that they ask for, and keeps each name for good.
    try:
        await self._model_registry.get_model(name, version)
    except ModelNotFound:
        raise ModelNotFound(name[:SHOWN_CHARACTERS], version and version[:SHOWN_CHARACTERS]) from None
    return await _infer(self, payload, name, version)


rest.create_app = _create_bounded_app
grpc.InferenceServicer = Servicer
DataPlane.infer = _infer_known
ModelRepositoryHandlers.load = ModelRepositoryHandlers.unload = refuse
