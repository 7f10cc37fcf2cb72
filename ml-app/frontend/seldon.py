"""Asks models over Seldon's own protocol.

https://docs.seldon.ai/seldon-core-1/reference/external-prediction

What a model takes it says as metadata: names and number of its columns as Seldon has them, and `binData` among its
inputs if it takes pictures; under `custom`, in JSON, `example` (a row) and `classes`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from frontend.exchange import HEALTH_SECONDS, AskError, ask
from frontend.form import FormError, many, record, within
from frontend.listed import Listed
from frontend.signature import Answer, Description, Field, fitting

_PATH = "/api/v1.0"
_ARRAYS = ("ndarray", "tensor", "tftensor")
MOST_FIELDS = 2_000


def healthy(model: Listed) -> None:
    """Ask whether it is well. Raises: AskError: it is not."""
    ask(model, f"{_PATH}/health/status", seconds=HEALTH_SECONDS)


def describe(model: Listed) -> Description:
    """What the model says of itself. Raises: AskError: it does not answer; FormError: not as this protocol has it."""
    said = record(ask(model, f"{_PATH}/metadata", seconds=HEALTH_SECONDS), "the metadata")
    # Where Seldon's executor stands in front, it tells of all units of the graph.
    if "models" in said:
        said = record(record(said["models"], "models").get(model.unit), "the metadata")
    if not said:
        return Description()
    inputs = many(said.get("inputs"), "inputs", dict)
    custom = record(said.get("custom"), "custom")
    example = within(custom.get("example"))
    fields, named = _fields(inputs, example)
    return Description(
        fields=fields,
        named=named,
        example=fitting(example, fields),
        classes=tuple(map(str, many(within(custom.get("classes")), "the classes", str, int, float))),
        outputs=_names(_array_of(many(said.get("outputs"), "outputs", dict))),
        picture=any(one.get("messagetype") == "binData" for one in inputs),
        version=next(map(str, filter(None, many(said.get("versions"), "versions", str, int, type(None)))), None),
    )


def predict(model: Listed, description: Description, rows: Sequence[Sequence[Any]]) -> Answer:
    """The answers to rows of the description's fields.

    Raises:
        RefusedError: the model refuses them.
        AskError: it does not answer.
        FormError: it answers otherwise than this protocol has it.
    """
    names = {"names": [field.name for field in description.fields]} if description.named and description.fields else {}
    said = ask(model, f"{_PATH}/predictions", {"data": {**names, "ndarray": [*map(list, rows)]}})
    return _answer(said, description, model)


def show(model: Listed, description: Description, picture: bytes) -> Answer:
    """The answer to a picture. Raises: as `predict` does."""
    said = ask(model, f"{_PATH}/predictions", {"binData": base64.b64encode(picture).decode()})
    return _answer(said, description, model)


def _array_of(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What metadata says of the first array among messages; nothing if there is none."""
    return record(next((one.get("schema") for one in messages if one.get("messagetype") in _ARRAYS), None), "a schema")


def _names(data: dict[str, Any]) -> tuple[str, ...]:
    return tuple(map(str, many(data.get("names"), "names", str, int)))


def _fields(inputs: list[dict[str, Any]], example: list[Any]) -> tuple[tuple[Field, ...], bool]:
    schema = _array_of(inputs)
    names, shape = _names(schema), many(schema.get("shape"), "a shape", int)
    width = len(names) or (shape[-1] if len(shape) > 1 else len(example))
    if not 0 < width <= MOST_FIELDS:
        return (), False
    kinds = [_kind(value) for value in example] if len(example) == width else ["any"] * width
    labels = [*names] or [f"value {index + 1}" for index in range(width)]
    if len(set(labels)) < width:
        return (), False
    return tuple(map(Field, labels, kinds)), bool(names)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else "any"


def _answer(said: Any, description: Description, model: Listed) -> Answer:
    data = record(record(said, "the answer").get("data"), "data")
    if not data:
        raise AskError(f"what answers for {model.name} does not speak Seldon's protocol.")
    rows = data.get("ndarray")
    if rows is None and "tensor" in data:
        tensor = record(data["tensor"], "tensor")
        shape, values = many(tensor.get("shape"), "a shape", int), many(tensor.get("values"), "values", object)
        height, width = [*shape, 1, 1][:2]
        if len(shape) > 2 or width < 1 or height * width != len(values):  # noqa: PLR2004
            raise FormError("the shape of tensor is not that of its values")
        rows = [values[row * width : (row + 1) * width] for row in range(height)]
    if not isinstance(rows, list):
        raise AskError(f"{model.name} answers nothing that is a table.")
    table = [row if isinstance(row, list) else [row] for row in rows]
    width = len(table[0]) if table else 0
    given = _names(data)
    names = next((some for some in (given, description.outputs) if len(set(some)) == width), _numbered(width))
    return Answer(names, table)


def _numbered(width: int) -> tuple[str, ...]:
    return ("prediction",) if width == 1 else tuple(f"prediction {index + 1}" for index in range(width))
