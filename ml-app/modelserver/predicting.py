"""Asks a Seldon class for predictions, over REST.

The same as seldon-core's `seldon_methods.predict` does with a decoded message; a test compares the answers. What does
not change between calls is found out once, and nothing is converted that is there already: seldon-core takes 140
microseconds a call for that, more than the model.
"""

from __future__ import annotations

import base64
import inspect
from typing import Any

import numpy as np
import numpy.typing as npt
from seldon_core import seldon_methods
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.metrics import PREDICT_METRIC_METHOD_TAG
from seldon_core.user_model import (
    INCLUDE_METRICS_IN_CLIENT_RESPONSE,
    SeldonNotImplementedError,
    SeldonResponse,
)
from seldon_core.utils import get_request_path

from modelserver.metrics import Metrics


class Predictor:
    """Predictions of one class.

    Args:
        model: the loaded class.
        metrics: where its custom metrics are counted.
    """

    def __init__(self, model: Any, metrics: Metrics) -> None:
        self._model = model
        self._metrics = metrics
        self._request_path = get_request_path()
        self._takes_meta = takes_meta(getattr(model, "predict", None))
        self._tags = getattr(model, "tags", None)
        self._reported = getattr(model, "metrics", None)
        # These take and give whole messages.
        self._is_raw = any(hasattr(model, name) for name in ("predict_raw", "predict_rest"))

    @property
    def predicts(self) -> bool:
        """Whether the class makes predictions."""
        return self._is_raw or hasattr(self._model, "predict")

    def answer(self, message: dict[str, Any]) -> Any:
        """The answer to a message whose arrays are made, as `messages.check` leaves it.

        Raises:
            SeldonMicroserviceException: the class refuses what it is sent, or reports what is no metric.
        """
        if self._is_raw or not hasattr(self._model, "predict"):
            return seldon_methods.predict(self._model, message, self._metrics)
        data, meta = message.get("data"), message.get("meta")
        given, names = (_given(message), []) if data is None else (_rows(data), data["names"])
        told = SeldonResponse.create(
            self._model.predict(given, names, meta=meta) if self._takes_meta else self._model.predict(given, names)
        )
        reported = self._count(told.metrics)
        return {**self._payload(told.data, data), "meta": self._meta(meta or {}, told.tags, reported)}

    def _count(self, of_the_call: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Count what the call and the class report. Returns what the answer says of it."""
        of_the_class = [] if self._reported is None else unless_missing(self._reported, [])
        if of_the_call:
            self._metrics.update(of_the_call, PREDICT_METRIC_METHOD_TAG)
        self._metrics.update(of_the_class, PREDICT_METRIC_METHOD_TAG)
        return of_the_class + of_the_call if INCLUDE_METRICS_IN_CLIENT_RESPONSE else []

    def _payload(self, told: Any, data: dict[str, Any] | None) -> dict[str, Any]:
        """The part of a message that holds what the class has told."""
        if isinstance(told, dict):
            return {"jsonData": told}
        if isinstance(told, bytes | bytearray):
            return {"binData": base64.b64encode(told).decode()}
        if isinstance(told, str):
            return {"strData": told}
        if not isinstance(told, np.ndarray | list):
            raise SeldonMicroserviceException(
                f"Unknown data type returned as payload (must be list or np array):{told!r:.400}"
            )
        array = np.asarray(told)
        if array.dtype.kind in "iufc" and (data is None or "tensor" in data):
            part: dict[str, Any] = {"tensor": {"values": array.ravel().tolist(), "shape": array.shape}}
        else:
            part = {"ndarray": array.tolist() if isinstance(told, np.ndarray) else told}
        return {"data": {**part, "names": self._names(array) if array.ndim > 1 else []}}

    def _names(self, array: npt.NDArray[Any]) -> Any:
        """What the columns of an answer are called.

        Of a list, where seldon-core expects a method, it warns at each call.
        """
        names = getattr(self._model, "class_names", None)
        told = unless_missing(names, None) if callable(names) else names
        return told if told is not None else [f"t:{column}" for column in range(array.shape[1])]

    def _meta(
        self, asked: dict[str, Any], of_the_call: dict[str, Any], reported: list[dict[str, Any]]
    ) -> dict[str, Any]:
        meta: dict[str, Any] = {}
        if tags := {**asked.get("tags", {}), **(unless_missing(self._tags, {}) or {}), **of_the_call}:
            meta["tags"] = tags
        if reported := [*asked.get("metrics", []), *reported]:
            meta["metrics"] = reported
        if asked.get("puid"):
            meta["puid"] = asked["puid"]
        if path := {**self._request_path, **asked.get("requestPath", {})}:
            meta["requestPath"] = path
        return meta


def takes_meta(predict: Any) -> bool:
    """Whether a class's `predict` takes the request's `meta`.

    seldon-core hands it over and calls again without it after any TypeError, also one that the model itself has raised.
    """
    try:
        inspect.signature(predict).bind(None, None, meta=None)
    except (TypeError, ValueError):
        return False
    return True


def unless_missing(method: Any, otherwise: Any) -> Any:
    """What a method of the class tells, or the other where the class says that it has none."""
    if method is None:
        return otherwise
    try:
        return method()
    except SeldonNotImplementedError:
        return otherwise


def _rows(data: dict[str, Any]) -> npt.NDArray[Any]:
    """The array that is made already."""
    rows: npt.NDArray[Any] = data["ndarray"] if "ndarray" in data else data["tensor"]["values"]
    return rows


def _given(message: dict[str, Any]) -> Any:
    """What the message holds in the place of rows."""
    for name in ("jsonData", "strData"):
        if name in message:
            return message[name]
    return base64.b64decode(message["binData"])
