"""Asks models over the Open Inference Protocol, v2.

https://github.com/open-inference/open-inference-protocol

What a model takes it says as metadata: its inputs, and, as a parameter `example`, a value for each of them in JSON. An
input with the parameter `optional` may be left out, one with `nullable` may lack values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from frontend.exchange import HEALTH_SECONDS, AskError, ask
from frontend.listed import Listed
from frontend.signature import Answer, Description, Field

WIDEST = 200
"""Values of a single tensor that are asked for one by one; of more, as a list."""


def healthy(model: Listed) -> None:
    """Ask whether it is well. Raises: AskError: it is not."""
    ask(model, f"{_path(model)}/ready", seconds=HEALTH_SECONDS)


def describe(model: Listed) -> Description:
    """What the model says of itself. Raises: AskError: it does not answer."""
    said = ask(model, _path(model), seconds=HEALTH_SECONDS)
    if not isinstance(said, dict):
        return Description()
    inputs = [one for one in said.get("inputs") or [] if isinstance(one, dict) and isinstance(one.get("name"), str)]
    example = _told((said.get("parameters") or {}).get("example"))
    versions = [version for version in said.get("versions") or [] if version]
    version = str(versions[0]) if versions else None
    if len(inputs) == 1 and 1 < _width(inputs[0]) <= WIDEST and len(_shape(inputs[0])) == 1:
        kind = _kind(inputs[0]["datatype"])
        fields = tuple(Field(f"value {index + 1}", kind, inputs[0]["datatype"]) for index in range(_width(inputs[0])))
        example = example[0] if example and isinstance(example[0], list) else []
        return Description(fields, False, _fitting(example, fields), version=version)
    fields = tuple(map(_field, inputs))
    return Description(fields, True, _fitting(example, fields), version=version)


def predict(model: Listed, description: Description, rows: Sequence[Sequence[Any]]) -> Answer:
    """The answers to rows of the description's fields.

    Raises:
        RefusedError: the model refuses them.
        AskError: it does not answer, or otherwise than this protocol has it.
    """
    fields, count = description.fields, len(rows)
    if description.named and fields:
        inputs = [_tensor(field, [row[at] for row in rows]) for at, field in enumerate(fields)]
        parameters = {} if any(field.shape for field in fields) else {"parameters": {"content_type": "pd"}}
    else:
        datatype = fields[0].datatype if fields else "FP64"
        values = [value for row in rows for value in row]
        name = "input-0" if fields else "predict"
        inputs = [{"name": name, "shape": [count, len(rows[0])], "datatype": datatype, "data": values}]
        parameters = {}
    return _answer(ask(model, f"{_path(model)}/infer", {**parameters, "inputs": inputs}), count, model)


def _path(model: Listed) -> str:
    return f"/v2/models/{quote(model.unit, safe='')}"


def _told(text: Any) -> list[Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else []
    except (ValueError, RecursionError):
        return []
    return value if isinstance(value, list) else []


def _fitting(example: list[Any], fields: tuple[Field, ...]) -> tuple[Any, ...]:
    return tuple(example) if len(example) == len(fields) else ()


def _shape(one: dict[str, Any]) -> tuple[int, ...]:
    """The lengths of what it holds for a row; none of a single value."""
    shape = tuple(length for length in one.get("shape") or [] if isinstance(length, int))[1:]
    return () if shape in ((), (1,)) else shape


def _width(one: dict[str, Any]) -> int:
    return math.prod(_shape(one))


def _kind(datatype: str) -> str:
    if datatype == "BOOL":
        return "truth"
    return "number" if datatype.startswith(("FP", "BF")) else "whole" if "INT" in datatype else "text"


def _field(one: dict[str, Any]) -> Field:
    datatype, shape = str(one.get("datatype", "")), _shape(one)
    said = one.get("parameters") or {}
    optional, nullable = bool(said.get("optional")), bool(said.get("optional") or said.get("nullable"))
    return Field(one["name"], "list" if shape else _kind(datatype), datatype, shape, optional, nullable)


def _tensor(field: Field, values: list[Any]) -> dict[str, Any]:
    if not field.shape:
        return {"name": field.name, "shape": [len(values), 1], "datatype": field.datatype, "data": values}
    lengths, flat, level = [len(values)], values, values
    while level and isinstance(level[0], list):
        lengths.append(len(level[0]))
        level = flat = [inner for one in level for inner in one]
    return {"name": field.name, "shape": lengths, "datatype": field.datatype, "data": flat}


def _answer(said: Any, count: int, model: Listed) -> Answer:
    """The outputs side by side, a row for each row asked."""
    outputs = said.get("outputs") if isinstance(said, dict) else None
    names: list[str] = []
    columns: list[list[Any]] = []
    for one in outputs if isinstance(outputs, list) else []:
        flat = _flat(one.get("data"))
        width, rest = divmod(len(flat), count)
        if rest or not width:
            raise AskError(f"{model.name} answers {len(flat)} values to {count} rows.")
        name = str(one.get("name", "prediction"))
        names += [name] if width == 1 else [f"{name} {index + 1}" for index in range(width)]
        columns += [flat[index::width] for index in range(width)]
    if not columns:
        raise AskError(f"what answers for {model.name} does not speak the Open Inference Protocol.")
    unique = names if len(set(names)) == len(names) else [f"{name} ({at + 1})" for at, name in enumerate(names)]
    return Answer(tuple(unique), [list(row) for row in zip(*columns, strict=True)])


def _flat(data: Any) -> list[Any]:
    if not isinstance(data, list):
        return [data]
    return [value for one in data for value in (_flat(one) if isinstance(one, list) else [one])]
