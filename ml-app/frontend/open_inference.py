"""Asks models over the Open Inference Protocol, v2.

https://github.com/open-inference/open-inference-protocol

What a model takes it says as metadata: its inputs, and, as a parameter `example`, a value for each of them in JSON. An
input with the parameter `optional` may be left out, one with `nullable` may lack values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from frontend.exchange import HEALTH_SECONDS, AskError, RefusedError, ask
from frontend.form import DEEPEST, FormError, flat, many, record, text, within
from frontend.listed import Listed
from frontend.signature import Answer, Description, Field, fitting

WIDEST = 200
"""Values of a single tensor that are asked for one by one; of more, as a list."""


def healthy(model: Listed) -> None:
    """Ask whether it is well. Raises: AskError: it is not."""
    ask(model, f"{_path(model)}/ready", seconds=HEALTH_SECONDS)


def describe(model: Listed) -> Description:
    """What the model says of itself. Raises: AskError: it does not answer; FormError: not as this protocol has it."""
    said = record(ask(model, _path(model), seconds=HEALTH_SECONDS), "the metadata")
    inputs = many(said.get("inputs"), "inputs", dict)
    names = [text(one.get("name"), "the name of an input") for one in inputs]
    if twice := [name for at, name in enumerate(names) if name in names[:at]]:
        raise FormError(f"the input {twice[0]} is there twice")
    example = within(record(said.get("parameters"), "parameters").get("example"))
    version = next(map(str, filter(None, many(said.get("versions"), "versions", str, int, type(None)))), None)
    if len(inputs) == 1 and 1 < _width(inputs[0]) <= WIDEST and len(_shape(inputs[0])) == 1:
        datatype = _datatype(inputs[0])
        kind = _kind(datatype)
        fields = tuple(Field(f"value {index + 1}", kind, datatype) for index in range(_width(inputs[0])))
        example = example[0] if example and isinstance(example[0], list) else []
        return Description(fields, False, fitting(example, fields), version=version)
    fields = tuple(map(_field, inputs))
    return Description(fields, True, fitting(example, fields), version=version)


def predict(model: Listed, description: Description, rows: Sequence[Sequence[Any]]) -> Answer:
    """The answers to rows of the description's fields.

    Raises:
        RefusedError: the model refuses them.
        AskError: it does not answer, or no such number of rows.
        FormError: it answers otherwise than this protocol has it.
    """
    fields, count = description.fields, len(rows)
    if description.named and fields:
        columns = [(field, [row[at] for row in rows]) for at, field in enumerate(fields)]
        inputs = [_tensor(field, column) for field, column in columns if not _is_left_out(field, column)]
        parameters = {} if any(field.shape for field in fields) else {"parameters": {"content_type": "pd"}}
    else:
        datatype = fields[0].datatype if fields else "FP64"
        values = [value for row in rows for value in row]
        name = "input-0" if fields else "predict"
        inputs = [{"name": name, "shape": [count, len(rows[0])], "datatype": datatype, "data": values}]
        parameters = {}
    return _answer(ask(model, _asked(model), {**parameters, "inputs": inputs}), count, model)


def _asked(model: Listed) -> str:
    # Seldon's executor takes a name in the path for that of every node.
    return "/v2/models/infer" if model.chained else f"{_path(model)}/infer"


def _path(model: Listed) -> str:
    return f"/v2/models/{quote(model.unit, safe='')}"


def _shape(one: dict[str, Any]) -> tuple[int, ...]:
    """The lengths of what it holds for a row; none of a single value."""
    shape = tuple(many(one.get("shape"), "the shape of an input", int)[1:])
    if len(shape) > DEEPEST:
        raise FormError(f"the shape of an input has more than {DEEPEST} lengths")
    return () if shape in ((), (1,)) else shape


def _datatype(one: dict[str, Any]) -> str:
    return text(one.get("datatype"), "the datatype of an input")


def _width(one: dict[str, Any]) -> int:
    return math.prod(_shape(one))


def _kind(datatype: str) -> str:
    if datatype == "BOOL":
        return "truth"
    return "number" if datatype.startswith(("FP", "BF")) else "whole" if "INT" in datatype else "text"


def _field(one: dict[str, Any]) -> Field:
    datatype, shape = _datatype(one), _shape(one)
    said = record(one.get("parameters"), "the parameters of an input")
    optional, nullable = bool(said.get("optional")), bool(said.get("optional") or said.get("nullable"))
    return Field(one["name"], "list" if shape else _kind(datatype), datatype, shape, optional, nullable)


def _is_left_out(field: Field, values: list[Any]) -> bool:
    """Whether nothing of an input is sent: of lists none may be missing beside others."""
    missing = sum(value is None for value in values) if field.shape else 0
    if 0 < missing < len(values):
        raise RefusedError(f"{field.name} is empty in {missing} of {len(values)} rows.")
    return missing > 0


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
    outputs = many(record(said, "the answer").get("outputs"), "outputs", dict)
    names: list[str] = []
    columns: list[list[Any]] = []
    for one in outputs:
        values = flat(one.get("data"), "the data of an output")
        width, rest = divmod(len(values), count)
        if rest or not width:
            raise AskError(f"{model.name} answers {len(values)} values to {count} rows.")
        name = text(one.get("name", "prediction"), "the name of an output")
        names += [name] if width == 1 else [f"{name} {index + 1}" for index in range(width)]
        columns += [values[index::width] for index in range(width)]
    if not columns:
        raise AskError(f"what answers for {model.name} does not speak the Open Inference Protocol.")
    unique = names if len(set(names)) == len(names) else [f"{name} ({at + 1})" for at, name in enumerate(names)]
    return Answer(tuple(unique), [list(row) for row in zip(*columns, strict=True)])
