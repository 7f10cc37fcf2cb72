"""What a unit of a graph is asked: it stands between models, and Seldon's executor calls it by these names.

https://github.com/SeldonIO/seldon-core/blob/v1.17.1/executor/api/rest/client.go says where: in Seldon's protocol at a
path for each call, in the Open Inference Protocol at `/v2/models/<unit>/infer`, `/route` and `/aggregate`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from seldon_core import seldon_methods
from seldon_core.user_model import SeldonComponent

from modelserver import forms, messages, open_inference
from modelserver.errors import BadRequest
from modelserver.metrics import Metrics
from modelserver.predicting import takes_meta, unless_missing

OPEN = "/v2/"
"""How paths of the Open Inference Protocol begin."""

HEALTH_PATHS = (f"{OPEN}health/live", f"{OPEN}health/ready")
"""Where Kubernetes asks a unit in a graph of that protocol."""

MAX_CHILDREN = 100
"""Answers that a combiner takes at once."""

LEAST_ROUTE = -2
"""What a router may say beside the number of a child: all of them is -1, and none is -2."""


class Call(NamedTuple):
    """A call that the executor makes, by the method of the class that answers it."""

    path: str
    open_path: str
    seldon: Callable[[Any, Any, Any], Any]
    service: str
    method: str


CALLS = {
    "transform_input": Call(
        "/transform-input", "infer", seldon_methods.transform_input, "Transformer", "TransformInput"
    ),
    "transform_output": Call(
        "/transform-output", "infer", seldon_methods.transform_output, "OutputTransformer", "TransformOutput"
    ),
    "route": Call("/route", "route", seldon_methods.route, "Router", "Route"),
    "aggregate": Call("/aggregate", "aggregate", seldon_methods.aggregate, "Combiner", "Aggregate"),
}


def has(model: Any, name: str) -> bool:
    """Whether a class answers a call itself: Seldon's base class has all of them, and answers none."""
    return any(
        getattr(type(model), method, None) not in {None, getattr(SeldonComponent, method, None)}
        for method in (name, f"{name}_raw", f"{name}_rest")
    )


def calls_of(model: Any) -> dict[str, Call]:
    """The calls that a class answers."""
    return {name: call for name, call in CALLS.items() if has(model, name)}


def paths(model: Any, metrics: Metrics, name: str) -> dict[str, Callable[[bytes, str], Any]]:
    """What answers the executor, by its path, given a body and its type; nothing where a class is no unit.

    Args:
        model: the loaded class.
        metrics: where its custom metrics are counted.
        name: of the unit, as the graph has it.
    """
    unit = _Unit(model, metrics, name)
    return {
        path: partial(answer, method)
        for method, call in calls_of(model).items()
        for path, answer in (
            (call.path, unit.answer),
            (f"{OPEN}models/{name}/{call.open_path}", unit.answer_open),
        )
    }


def describe(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a unit says of itself in the Open Inference Protocol: its inputs, if it takes some of its own.

    Args:
        name: of the unit, as the graph has it.
        told: its metadata in Seldon's protocol.
    """
    example = told.get("custom", {}).get("example")
    cells = json.loads(example) if example else []
    inputs = [one["schema"]["names"] for one in told.get("inputs", []) if "names" in one.get("schema", {})]
    names: list[str] = inputs[0] if inputs else []
    kinds = ["FP64" if isinstance(cell, int | float) else "BYTES" for cell in cells]
    return {
        "name": name,
        "versions": told.get("versions", []),
        "platform": told.get("platform", ""),
        "inputs": [
            {"name": column, "datatype": kind, "shape": [-1, 1], "parameters": {"nullable": True}}
            for column, kind in zip(names, kinds, strict=False)
        ],
        "outputs": [],
        "parameters": {"example": example} if example else {},
    }


class _Unit:
    """Answers the executor's calls with the methods of one class."""

    def __init__(self, model: Any, metrics: Metrics, name: str) -> None:
        self._model, self._metrics, self.name = model, metrics, name

    def answer(self, method: str, body: bytes, content_type: str) -> Any:
        """The answer to a call in Seldon's protocol.

        Raises:
            SeldonMicroserviceException: what is sent is not right, or the class refuses it.
        """
        message: Any
        if method == "aggregate":
            message = [messages.check(one) for one in _answers(body)]
        else:
            message = forms.read(body, content_type, b"")
        told = CALLS[method].seldon(self._model, message, self._metrics)
        if method == "route":
            chosen = told["data"]
            check_route(chosen["ndarray"] if "ndarray" in chosen else chosen["tensor"]["values"])
        return told

    def answer_open(self, method: str, body: bytes, _: str) -> Any:
        """The answer to a call in the Open Inference Protocol.

        Raises:
            BadRequest: what is sent is not right.
        """
        if method == "aggregate":
            answers = [open_inference.response(one) for one in _answers(body)]
            told = self._model.aggregate([one.values for one in answers], [one.names for one in answers])
            return answers[0].told(self.name, told)
        asked = open_inference.request(body)
        ask = getattr(self._model, method)
        given = (asked.values, asked.names)
        told = ask(*given, meta={}) if takes_meta(ask) else ask(*given)
        if method == "route":
            return check_route(told)
        names = getattr(self._model, "class_names", None)
        named = unless_missing(names, None) if callable(names) else names
        return asked.told(self.name, told, list(named or []))


def answer_message(model: Any, method: str, message: Any, metrics: Metrics) -> Any:
    """The answer to a call over gRPC, in Seldon's protocol, whose data has been checked.

    Raises:
        SeldonMicroserviceException: the class refuses it.
    """
    if method == "aggregate":
        _check_count(len(message.seldonMessages))
    told = CALLS[method].seldon(model, message, metrics)
    if method == "route":
        data = told.data
        chosen = list(data.tensor.values) or [cell.number_value for cell in data.ndarray.values[0].list_value.values]
        check_route([int(cell) for cell in chosen])
    return told


def check_route(told: Any) -> list[int]:
    """The child that a router has chosen, as the executor reads it.

    Raises:
        RuntimeError: it is none. The executor would take it for an index, and end.
    """
    route = told
    while isinstance(route, list) and len(route) == 1:
        (route,) = route
    if isinstance(route, bool) or not isinstance(route, int | np.integer) or route < LEAST_ROUTE:
        raise RuntimeError(f"the router has chosen {route!r:.100}, which is neither a child's number, nor -1 or -2")
    return [int(route)]


def _answers(body: bytes) -> list[dict[str, Any]]:
    """What the children of a combiner have answered: the executor sends a bare list."""
    answers: list[dict[str, Any]] = messages.parse(body.removeprefix(forms.BOM), "the body", list[dict[str, Any]])
    _check_count(len(answers))
    return answers


def _check_count(answers: int) -> None:
    if not 0 < answers <= MAX_CHILDREN:
        raise BadRequest(f"there are {answers} answers to combine; send from 1 to {MAX_CHILDREN}")
