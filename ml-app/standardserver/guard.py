"""What MLServer 1.7.1 has no setting for: it answers what a request asks, or says what is wrong with the request.

MLServer loads this file itself, and with it those beside it, with these variables beside its own:

    MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION=standardserver.guard.Repository
    PYTHONPATH=the folder above this one

- A row that is too wide, a text, a NaN, names that the model does not know: MLServer lets the model's library raise,
  which is a 500, or answer, which is a wrong number (https://github.com/SeldonIO/MLServer/issues/735). Here it is a 400
  with the reason (`rows.py`).
- MLServer's runtime for MLflow takes and answers what it has codecs for. Here it takes what the model's signature says
  (`by_signature.py`), and answers whatever the model does (`answers.py`).
- Any size of body is read, for any time, and unpacked if it is packed. Here it is bounded (`over_rest.py`).
- A message over gRPC that cannot be converted is INTERNAL. Here it is INVALID_ARGUMENT (`over_grpc.py`).
- Whoever reaches the port may unload the model. Here nobody can.
- Names of models that it does not have are kept for good, as labels of its metrics. Here none is.
- It loads whatever lies there. Here the files are those that were decided on, where the pod is told of them
  (`decided.py`).
- `model-settings.json` among a model's files may name any code. It is not read: the one model is that of
  MLSERVER_MODEL_NAME, _URI and _IMPLEMENTATION.
- At its end it closes connections on which requests are, or is killed. Here it sends its clients away first
  (`farewell.py`).
- What a model takes is told by names and types alone. Here an example is told, too (`described.py`).
- A connection that is idle for 5 seconds is closed, which meets requests on their way. Here it may be idle for longer
  than the pools of clients keep theirs.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import mlserver.grpc.server as grpc
import mlserver.rest.server as rest
import numpy as np
import pandas as pd
from fastapi.exceptions import RequestValidationError
from mlserver.errors import InferenceError, ModelNotFound
from mlserver.handlers import DataPlane, ModelRepositoryHandlers
from mlserver.repository import ModelRepository
from mlserver.settings import ModelParameters, ModelSettings
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor

from standardserver import farewell
from standardserver.answers import outputs
from standardserver.by_signature import reading
from standardserver.decided import OtherFilesError, check_files
from standardserver.described import Describing
from standardserver.logged import NUMBERS, signature
from standardserver.over_grpc import Servicer, refuse
from standardserver.over_rest import SETTINGS, Bounded, tell_what_is_no_message
from standardserver.rows import SHOWN_CHARACTERS, rows, told, typed
from standardserver.startup import libraries, recorded

LONGEST_ID = 256
SHOWN_OF_ERROR = 300
OUTPUTS = ("predict", "predict_proba", "transform")
"""What MLServer's runtimes call on a model; that for MLflow looks at no name, and predicts."""

_module, _, _class = os.environ["MLSERVER_MODEL_IMPLEMENTATION"].rpartition(".")
_Runtime: Any = getattr(import_module(_module), _class)
_REFUSALS: tuple[type[Exception], ...] = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What libraries raise about a request; MLflow, where it serves, has an error of its own."""
if _mlflow := sys.modules.get("mlflow.exceptions"):
    _REFUSALS += (_mlflow.MlflowException,)


class Model(Describing, _Runtime):  # type: ignore[misc]
    """A runtime of MLServer's that looks at a request before the model does.

    What the model takes is known from the record of its training, `recorded.json`, or from the signature that MLflow
    has logged with it, if all of its columns are numbers. Where there is no record, what the model's library finds
    wrong with a request is told as a 400.
    """

    async def load(self) -> bool:
        """Load the model, and tell the names of its inputs to whoever asks."""
        folder = Path(self._settings.parameters.uri)
        try:
            check_files(folder)
        except OtherFilesError as error:
            _end(str(error))
        record = recorded(folder)
        self._is_recorded = record is not None
        logged = signature(folder)
        columns = logged.numbers()
        self._names: list[str] = record["names"] if record else list(columns)
        self._types = {name: np.dtype(NUMBERS[column.kind]) for name, column in columns.items()}
        try:
            loaded: bool = await super().load()
        except Exception as error:
            # MLServer would say it in the midst of a trace, go on to start what it then stops, and end with 0.
            _end_without(self._settings.parameters.uri, error, record)
        schema = None if record else getattr(self, "_input_schema", None)
        self._read = schema and reading(schema.to_dict())
        self._outputs = [field.name for field in logged.outputs or [] if field.name is not None]
        model = getattr(self, "_model", None)
        # A signature may have the columns in another order than the model: of a frame its library compares the names.
        self._takes_arrays = _takes_arrays(model) and (self._is_recorded or _names_of(model) in (None, self._names))
        if self._names:
            self.inputs = [
                MetadataTensor(name=name, datatype="FP64" if record else columns[name].datatype, shape=[-1, 1])
                for name in self._names
            ]
        self.describe(folder, logged, record)
        return loaded

    def _sync_metadata(self) -> None:
        """Tell what the signature says. MLServer's runtime for MLflow 1.7.1 fails at one without outputs."""
        said: Any = self._signature
        if said is not None and said.outputs is None:
            self._signature: Any = SimpleNamespace(inputs=said.inputs, outputs=SimpleNamespace(inputs=[]))
        super()._sync_metadata()

    def decode_request(self, inference_request: InferenceRequest, default_codec: Any = None) -> Any:
        """The rows of a request in the order of the model's names, as the runtime likes them best."""
        if self._read:
            return self._read(inference_request.inputs)
        if not self._names:
            return super().decode_request(inference_request, default_codec)
        matrix = rows(inference_request.inputs, self._names)
        if self._takes_arrays:
            return matrix
        frame = pd.DataFrame(matrix, columns=self._names)
        # MLflow's runtime compares types with the model's signature: no float64 for whole numbers.
        compared = not self._is_recorded or getattr(self, "_input_schema", None) is not None
        return typed(frame, self._types) if compared else frame

    def encode_response(self, payload: Any, default_codec: Any = None) -> InferenceResponse:
        """An answer of the model's, as the protocol has it."""
        if not self._read:
            return super().encode_response(payload, default_codec)
        return InferenceResponse(
            model_name=self.name, model_version=self.version, outputs=outputs(payload, self._outputs)
        )

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a request."""
        if payload.id and not re.fullmatch(rf"[ -~]{{1,{LONGEST_ID}}}", payload.id):
            # It comes back in a header.
            raise InferenceError(f"the id must have at most {LONGEST_ID} characters, all of printable ASCII")
        asked: set[str] = set()
        for output in payload.outputs or []:
            # What is asked for is a method of the model's: of a regressor not "transform".
            if output.name not in OUTPUTS or not hasattr(getattr(self, "_model", None), output.name):
                raise InferenceError(f"the model has no output {told(output.name)}")
            if output.name in asked:
                # Each would be computed and sent.
                raise InferenceError(f"the output {told(output.name)} is asked for twice")
            asked.add(output.name)
            output.parameters = None
        try:
            return await super().predict(payload)
        except _REFUSALS as error:
            if self._is_recorded:
                raise
            # MLflow says the data and the whole schema first.
            cause = str(error).rpartition("'. Error: ")[2]
            raise InferenceError(f"the model does not take this: {cause[:SHOWN_OF_ERROR]}") from error


def _end_without(uri: str, error: Exception, record: Any) -> NoReturn:
    """End the process as the model cannot be loaded."""
    known = getattr(sys.modules[_Runtime.__module__], "WELLKNOWN_MODEL_FILENAMES", [])
    file = next((file for name in known if (file := Path(uri) / name).is_file()), uri)
    said = " ".join(str(error).split())[:SHOWN_OF_ERROR]
    versions = f"; {libraries(record)}" if record else ""
    _end(f"MLServer cannot load {file}: {type(error).__name__}: {said}{versions}")


def _end(said: str) -> NoReturn:
    """End the process, with the reason why there is no model as the last line."""
    sys.stderr.write(f"{said}\n")
    sys.stderr.flush()
    os._exit(1)


def _takes_arrays(model: Any) -> bool:
    """Whether a model finds the columns of an array as well as those of a frame, when their names are checked.

    A frame costs XGBoost 3 ms for a row that it answers in 0.3 ms, and scikit-learn as long as its trees. But what is
    made of parts, such as a pipeline, may hand each of them the columns of some names.
    """
    if _class == "XGBoostModel":
        return True
    if _class != "SKLearnModel" or not hasattr(model, "get_params"):
        return False
    plain = all(value is None or isinstance(value, bool | int | float | str) for value in model.get_params().values())
    return plain and type(model).__module__.startswith("sklearn.")


def _names_of(model: Any) -> list[str] | None:
    """The columns that a model was fitted on, if it knows them."""
    names = model.get_booster().feature_names if _class == "XGBoostModel" else getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


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


# Of arrays in place of frames, in each answer: the names are checked here.
warnings.filterwarnings("ignore", "X does not have valid feature names")
farewell.listen(Bounded.leave)
rest.create_app = _create_bounded_app
grpc.InferenceServicer = Servicer
DataPlane.infer = _infer_known
ModelRepositoryHandlers.load = ModelRepositoryHandlers.unload = refuse
