"""Asks models over Seldon's own protocol.

https://docs.seldon.ai/seldon-core-1/reference/external-prediction

What a model takes it says as metadata: names and number of its columns as Seldon has them, and `binData` among its
inputs if it takes pictures; under `custom`, in JSON, `example` (a row) and `classes`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from frontend.exchange import HEALTH_SECONDS, AskError, ask
from frontend.listed import Listed
from frontend.signature import Answer, Description, Field

_PATH = "/api/v1.0"
_ARRAYS = ("ndarray", "tensor", "tftensor")
MOST_FIELDS = 2_000


def healthy(model: Listed) -> None:
    """Ask whether it is well. Raises: AskError: it is not."""
    ask(model, f"{_PATH}/health/status", seconds=HEALTH_SECONDS)


def describe(model: Listed) -> Description:
    """What the model says of itself. Raises: AskError: it does not answer."""
    said = ask(model, f"{_PATH}/metadata", seconds=HEALTH_SECONDS)
    # Where Seldon's executor stands in front, it tells of all units of the graph.
    if isinstance(said, dict) and isinstance(said.get("models"), dict):
        said = said["models"].get(model.unit)
    if not isinstance(said, dict):
        return Description()
    inputs = [one for one in said.get("inputs") or [] if isinstance(one, dict)]
    custom = said.get("custom") or {}
    example = _told(custom, "example")
    fields, named = _fields(inputs, example)
    versions = [version for version in said.get("versions") or [] if version]
    return Description(
        fields=fields,
        named=named,
        example=tuple(example) if len(example) == len(fields) else (),
        classes=tuple(map(str, _told(custom, "classes"))),
        outputs=tuple(map(str, _array_of(said.get("outputs")).get("names") or [])),
        picture=any(one.get("messagetype") == "binData" for one in inputs),
        version=str(versions[0]) if versions else None,
    )


def predict(model: Listed, description: Description, rows: Sequence[Sequence[Any]]) -> Answer:
    """The answers to rows of the description's fields.

    Raises:
        RefusedError: the model refuses them.
        AskError: it does not answer, or otherwise than this protocol has it.
    """
    names = {"names": [field.name for field in description.fields]} if description.named and description.fields else {}
    said = ask(model, f"{_PATH}/predictions", {"data": {**names, "ndarray": [*map(list, rows)]}})
    return _answer(said, description, model)


def show(model: Listed, description: Description, picture: bytes) -> Answer:
    """The answer to a picture. Raises: as `predict` does."""
    said = ask(model, f"{_PATH}/predictions", {"binData": base64.b64encode(picture).decode()})
    return _answer(said, description, model)


def _told(custom: dict[str, Any], key: str) -> list[Any]:
    try:
        value = json.loads(custom.get(key, "[]"))
    except (ValueError, TypeError, RecursionError):
        return []
    return value if isinstance(value, list) else []


def _array_of(messages: Any) -> dict[str, Any]:
    """What metadata says of the first array among messages; nothing if there is none."""
    arrays = [one for one in messages or [] if isinstance(one, dict) and one.get("messagetype") in _ARRAYS]
    return (arrays[0].get("schema") or {}) if arrays else {}


def _fields(inputs: list[dict[str, Any]], example: list[Any]) -> tuple[tuple[Field, ...], bool]:
    schema = _array_of(inputs)
    names, shape = schema.get("names") or [], schema.get("shape") or []
    width = len(names) or (shape[-1] if len(shape) > 1 and isinstance(shape[-1], int) else len(example))
    if not 0 < width <= MOST_FIELDS:
        return (), False
    kinds = [_kind(value) for value in example] if len(example) == width else ["any"] * width
    labels = [str(name) for name in names] or [f"value {index + 1}" for index in range(width)]
    if len(set(labels)) < width:
        return (), False
    return tuple(map(Field, labels, kinds)), bool(names)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else "any"


def _answer(said: Any, description: Description, model: Listed) -> Answer:
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, dict):
        raise AskError(f"what answers for {model.name} does not speak Seldon's protocol.")
    rows = data.get("ndarray")
    if rows is None and isinstance(tensor := data.get("tensor"), dict):
        shape, values = tensor.get("shape") or [], tensor.get("values") or []
        height, width = [*shape, 1, 1][:2]
        if len(shape) <= 2 and height * width == len(values):  # noqa: PLR2004
            rows = [values[row * width : (row + 1) * width] for row in range(height)]
    if not isinstance(rows, list):
        raise AskError(f"{model.name} answers nothing that is a table.")
    table = [row if isinstance(row, list) else [row] for row in rows]
    width = len(table[0]) if table else 0
    given = tuple(str(name) for name in data.get("names") or [])
    names = next((some for some in (given, description.outputs) if len(set(some)) == width), _numbered(width))
    return Answer(names, table)


def _numbered(width: int) -> tuple[str, ...]:
    return ("prediction",) if width == 1 else tuple(f"prediction {index + 1}" for index in range(width))
