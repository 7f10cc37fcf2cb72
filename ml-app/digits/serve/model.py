"""The digits model as a Seldon Core Python class."""

import base64
import binascii
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from digits.features import CLASSES, FEATURES, INK, MODEL_NAME
from digits.serve.picture import pixels
from digits.stored import read_logistic
from modelkit.skopsparts import READS, StoredFileError
from modelserver.errors import BadRequest, ModelError
from modelserver.stored import StoredModel
from modelserver.tabular import to_matrix


class Digits(StoredModel):
    """Tells which digit a picture of handwriting shows; runs under any Seldon Python server.

    Args:
        model_dir: folder of the model's files, as MLflow stores them. Seldon's init container puts them into
            the default, `/mnt/models`.
        model_name: the registered model's name, for tags and metadata.
        model_version: its version in the registry, likewise; as the files say if it is empty.
    """

    features = FEATURES
    outputs = classes = tuple(map(str, CLASSES))
    pictures = True
    reads = READS
    class_names: ClassVar = list(outputs)
    """Seldon's name for the names of the outputs."""

    def __init__(self, model_dir: str = "/mnt/models", model_name: str = MODEL_NAME, model_version: str = "") -> None:
        super().__init__(model_dir, model_name, model_version)

    def open(self, path: Path) -> None:
        """Read the logistic regression."""
        try:
            self._model = read_logistic(path)
        except StoredFileError as error:
            raise ModelError(str(error)) from error

    def predict(
        self,
        given: npt.NDArray[Any] | bytes | str,
        names: Sequence[str] | None = None,
        meta: dict[str, Any] | None = None,
    ) -> npt.NDArray[np.float64]:
        """Tell the digit of each row, or of a picture.

        Args:
            given: a picture, PNG or JPEG: its bytes (`binData`), or the same as base64, also as a `data:` URL
                (`strData`). Or a numeric array of shape (n, 64): pixels from 0 (paper) to 16 (ink), row by row.
            names: feature names of the columns; optional.
            meta: the request's metadata; not used.

        Returns:
            float64 array of shape (n, 10): the probability of each digit from 0 to 9, one row for a picture.

        Raises:
            BadRequest: it is no such picture, or the rows do not fit the model.
        """
        matrix = self._matrix(given, names)
        start = time.perf_counter()
        probabilities = self.evaluate(matrix)
        milliseconds = (time.perf_counter() - start) * 1000
        self.note(
            [
                {"type": "COUNTER", "key": "digits_predictions", "value": len(probabilities)},
                {"type": "GAUGE", "key": "digits_last_prediction", "value": int(probabilities[-1].argmax())},
                {"type": "TIMER", "key": "digits_inference", "value": milliseconds},
            ]
        )
        return probabilities

    def evaluate(self, matrix: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The probabilities of the digits."""
        return self._model.predict_proba(matrix)

    def _matrix(self, given: Any, names: Sequence[str] | None) -> npt.NDArray[Any]:
        if isinstance(given, bytes):
            return pixels(given)
        if isinstance(given, str):
            return pixels(_decoded(given))
        if not isinstance(given, np.ndarray):
            raise BadRequest("this model takes a picture (binData, strData) or rows of pixels (data)")
        matrix = to_matrix(given, names, FEATURES)
        if matrix.min() < 0 or matrix.max() > INK:
            row, column = np.argwhere((matrix < 0) | (matrix > INK))[0]
            raise BadRequest(
                f"row {row}, column {column} is {matrix[row, column]:g}: a pixel is from 0 (paper) to {INK} (ink)"
            )
        return matrix


def _decoded(text: str) -> bytes:
    """The bytes of a text in base64, also behind `data:image/png;base64,`."""
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"strData is no base64: {error}") from error
