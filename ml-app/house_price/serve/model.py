"""The house-price model as a Seldon Core Python class."""

import threading
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import treelite

from house_price.features import FEATURES, MODEL_NAME, TARGET
from house_price.serve.forest import load_forest
from modelkit.mlmodel import ModelFolder, ModelFolderError, Registered
from modelserver.errors import BadRequest, ModelError
from modelserver.tabular import to_matrix


class HousePrice:
    """Predicts sale prices with the forest that training stored; runs under any Seldon Python server.

    Args:
        model_dir: folder of the model's files, as MLflow stores them. Seldon's init container puts them into
            the default, `/mnt/models`.
        model_name: the registered model's name, for tags and metadata.
        model_version: its version in the registry, likewise. If it is empty, name and version are those that the
            folder's `registered_model_meta` says, and the version is unknown if there is no such file.
    """

    def __init__(self, model_dir: str = "/mnt/models", model_name: str = MODEL_NAME, model_version: str = "") -> None:
        self._model_dir = Path(model_dir)
        self._given = Registered(model_name, model_version)
        # A call's figures are asked for right after it, by the thread that made it; calls run side by side.
        self._last_call = threading.local()

    def load(self) -> None:
        """Load the forest and compare its answers with those recorded at training.

        Raises:
            ModelError: the folder holds no house-price model, it was made with other libraries, or it answers
                otherwise than at training.
        """
        try:
            folder = self._folder
            path = folder.file("sklearn", "pickled_model")
            matrix = to_matrix(np.array(folder.record.rows), None, FEATURES)
        except (ModelFolderError, BadRequest) as error:
            raise ModelError(str(error)) from error
        if tuple(folder.record.names) != FEATURES:
            raise ModelError(f"the model in {folder.path} takes {folder.record.names}, this class sends {FEATURES}")
        self._forest = load_forest(path)
        mismatches = folder.record.mismatches(self._evaluate(matrix).tolist())
        if mismatches:
            raise ModelError(
                f"the model in {folder.path} does not answer as it did at training: {'; '.join(mismatches)}"
            )

    def predict(
        self, rows: npt.NDArray[Any], names: Sequence[str] | None = None, meta: dict[str, Any] | None = None
    ) -> npt.NDArray[np.float64]:
        """Predict the price of each row.

        Args:
            rows: numeric array of shape (n, 10): `FEATURES`, in that order unless `names` says otherwise.
            names: feature names of the columns; optional.
            meta: the request's metadata; not used.

        Returns:
            float64 array of shape (n,): prices in US dollars.

        Raises:
            BadRequest: the rows do not fit the model.
        """
        matrix = to_matrix(rows, names, FEATURES)
        start = time.perf_counter()
        prices = self._evaluate(matrix)
        milliseconds = (time.perf_counter() - start) * 1000
        self._last_call.metrics = [
            {"type": "COUNTER", "key": "house_price_predictions", "value": len(prices)},
            {"type": "GAUGE", "key": "house_price_last_prediction", "value": float(prices[-1])},
            {"type": "TIMER", "key": "house_price_inference", "value": milliseconds},
        ]
        return prices

    def metrics(self) -> list[dict[str, Any]]:
        """What the last `predict` of this thread measured: rows (COUNTER), last price (GAUGE), milliseconds (TIMER).

        Handed out once: Seldon also asks after health checks, which would otherwise count a prediction again.
        """
        metrics: list[dict[str, Any]] = self._last_call.__dict__.pop("metrics", [])
        return metrics

    def tags(self) -> dict[str, str]:
        """Which model answered: its name, version and MLflow run."""
        return {
            "model_name": self._registered.name,
            "model_version": self._registered.version,
            "run_id": self._folder.run_id,
        }

    def init_metadata(self) -> dict[str, Any]:
        """The model's description, answered at `/metadata`."""
        return {
            "name": self._registered.name,
            "versions": [self._registered.version],
            "platform": "seldon",
            "inputs": [{"messagetype": "ndarray", "schema": {"names": list(FEATURES), "shape": [-1, len(FEATURES)]}}],
            "outputs": [{"messagetype": "ndarray", "schema": {"names": [TARGET], "shape": [-1]}}],
            "custom": {"run_id": self._folder.run_id},
        }

    def health_status(self) -> dict[str, str]:
        """Healthy means that `load` has compared the model's answers; Seldon asks no earlier."""
        return {"status": "healthy", **self.tags()}

    @cached_property
    def _folder(self) -> ModelFolder:
        # Opened by whoever asks first: seldon-core's own server asks for the metadata before it loads the model.
        return ModelFolder.open(self._model_dir)

    @property
    def _registered(self) -> Registered:
        return self._given if self._given.version else self._folder.registered or self._given

    def _evaluate(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        # One thread: a single row gains nothing from more, and the pod has a share of a core.
        return treelite.gtil.predict(self._forest, matrix, nthread=1).reshape(len(matrix))  # type: ignore[no-any-return]
