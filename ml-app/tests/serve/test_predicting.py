"""Our way to ask a class answers as seldon-core's does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from seldon_core import seldon_methods
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.user_model import SeldonComponent, SeldonResponse

from modelserver.messages import check
from modelserver.metrics import Metrics
from modelserver.predicting import Predictor, takes_meta

ROWS = [[1, 2.5], [3, 4]]
MESSAGES: dict[str, dict[str, Any]] = {
    "ndarray": {"data": {"ndarray": ROWS}},
    "whole numbers": {"data": {"ndarray": [[1, 2]]}},
    "names": {"data": {"names": ["a", "b"], "ndarray": ROWS}},
    "tensor": {"data": {"tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}},
    "text": {"data": {"ndarray": [["a", "b"]]}},
    "one dimension": {"data": {"ndarray": [1, 2]}},
    "strData": {"strData": "text"},
    "binData": {"binData": "YWI="},
    "jsonData": {"jsonData": {"a": [1]}},
    "meta": {
        "data": {"ndarray": ROWS},
        "meta": {
            "puid": "p",
            "tags": {"tag": "theirs", "other": 1},
            "requestPath": {"before": "image"},
            "metrics": [{"type": "GAUGE", "key": "theirs", "value": 1}],
        },
    },
}


class Component(SeldonComponent):  # type: ignore[misc]
    """Seldon's base class, which says that all is missing but the one method."""

    def predict(self, rows: Any, names: Any, meta: Any = None) -> Any:
        """What it is given."""
        return rows


class Telling:
    """Tells all that a class may."""

    class_names = ("x", "y")

    def predict(self, rows: Any, names: Any, meta: Any = None) -> SeldonResponse:
        """What it is given, with tags and metrics of the call."""
        metrics = [{"type": "COUNTER", "key": "of_the_call", "value": 1, "tags": {"a": "b"}}]
        return SeldonResponse(rows, tags={"tag": "of the call", "names": list(names)}, metrics=metrics)

    def tags(self) -> dict[str, str]:
        """A tag."""
        return {"tag": "of the class", "more": "tags"}

    def metrics(self) -> list[dict[str, Any]]:
        """One of each type."""
        return [{"type": kind, "key": kind.lower(), "value": 2} for kind in ("COUNTER", "GAUGE", "TIMER")]


def returning(answer: Any) -> Callable[[], Any]:
    """A class that always answers the same, and takes no `meta`."""

    class Always:
        def predict(self, rows: Any, names: Any) -> Any:
            return answer

    return Always


class Raw:
    """Takes messages whole."""

    def predict_raw(self, message: Any) -> dict[str, Any]:
        """How many parts it has."""
        return {"jsonData": sorted(message["data"]) if "data" in message else None, "meta": {}}


CLASSES: dict[str, Callable[[], Any]] = {
    "component": Component,
    "telling": Telling,
    "a list": returning([1, 2]),
    "a list of text": returning([["a"]]),
    "a text": returning("a"),
    "bytes": returning(b"ab"),
    "a dictionary": returning({"a": 1}),
    "numbers": returning(np.ones((2, 3))),
    "booleans": returning(np.array([True])),
    "raw": Raw,
    "no predict": object,
}


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("case", MESSAGES)
def test_answers_as_seldon_core(kind: str, case: str) -> None:
    ours, theirs = CLASSES[kind](), CLASSES[kind]()
    answer = Predictor(ours, Metrics()).answer(check(copy.deepcopy(MESSAGES[case])))
    expected = seldon_methods.predict(theirs, check(copy.deepcopy(MESSAGES[case])), Metrics())
    assert json.loads(json.dumps(answer)) == json.loads(json.dumps(expected))


def test_metrics_are_counted() -> None:
    metrics = Metrics()
    for _ in range(2):
        Predictor(Telling(), metrics).answer(check({"data": {"ndarray": ROWS}}))
    samples = {sample.name: sample.value for family in metrics.collect() for sample in family.samples}
    assert (samples["of_the_call_total"], samples["counter_total"], samples["timer_count"]) == (2, 4, 2)


def test_answers_that_are_none() -> None:
    for answer in (5, None, object()):
        with pytest.raises(SeldonMicroserviceException) as caught:
            Predictor(returning(answer)(), Metrics()).answer(check({"data": {"ndarray": ROWS}}))
        assert caught.value.message.startswith("Unknown data type returned as payload")


def test_a_type_error_of_the_model_is_its_own() -> None:
    asked = []

    class Wrong:
        def predict(self, rows: Any, names: Any, meta: Any = None) -> Any:
            asked.append(rows)
            raise TypeError("of the model")

    with pytest.raises(TypeError, match="of the model"):
        Predictor(Wrong(), Metrics()).answer(check({"data": {"ndarray": ROWS}}))
    assert len(asked) == 1, "seldon-core asks it a second time"


def test_takes_meta() -> None:
    assert takes_meta(lambda rows, names, meta=None: None)
    assert takes_meta(lambda rows, names, **more: None)
    assert not takes_meta(lambda rows, names: None)
    assert not takes_meta(None)
