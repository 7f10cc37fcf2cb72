"""The house-price model as a Seldon Core Python class."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from house_price.features import FEATURES, MODEL_NAME, TARGET
from house_price.stored import read_forest
from modelkit.skopsparts import READS, StoredFileError
from modelserver.errors import ModelError
from modelserver.stored import StoredModel
from modelserver.tabular import to_matrix


class HousePrice(StoredModel):
    """Predicts sale prices with the forest that training stored; runs under any Seldon Python server.

    Args:
        model_dir: folder of the model's files, as MLflow stores them. Seldon's init container puts them into
            the default, `/mnt/models`.
        model_name: the registered model's name, for tags and metadata.
        model_version: its version in the registry, likewise; as the files say if it is empty.
    """

    features = FEATURES
    outputs = (TARGET,)
    reads = READS

    def __init__(self, model_dir: str = "/mnt/models", model_name: str = MODEL_NAME, model_version: str = "") -> None:
        super().__init__(model_dir, model_name, model_version)

    def open(self, path: Path) -> None:
        """Read the forest."""
        try:
            self._forest = read_forest(path)
        except StoredFileError as error:
            raise ModelError(str(error)) from error

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
        prices = self.evaluate(matrix)
        milliseconds = (time.perf_counter() - start) * 1000
        self.note(
            [
                {"type": "COUNTER", "key": "house_price_predictions", "value": len(prices)},
                {"type": "GAUGE", "key": "house_price_last_prediction", "value": float(prices[-1])},
                {"type": "TIMER", "key": "house_price_inference", "value": milliseconds},
            ]
        )
        return prices

    def evaluate(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The prices of rows."""
        return self._forest.predict(matrix)
