"""The Open Inference Protocol, version 2, as far as units of a graph speak it.

https://github.com/open-inference/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from modelserver import forms, messages
from modelserver.errors import BadRequest

TABLE = 2
"""Dimensions of a table: rows and columns."""

NUMBERS = {
    **dict.fromkeys(("FP64", "FP32", "FP16"), "iuf"),
    **{f"{sign}INT{size}": "iu" for sign in ("", "U") for size in (8, 16, 32, 64)},
}
"""The datatypes of numbers, and the kinds that numpy finds for them in JSON."""

TEXT = "BYTES"


class _Tensor(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


class _Request(msgspec.Struct):
    inputs: list[_Tensor]
    id: str = ""


class _Response(msgspec.Struct):
    outputs: list[_Tensor]
    id: str = ""


class Table(NamedTuple):
    """What a message holds: rows and what their columns are called.

    Attributes:
        values: shape (n,) or (n, columns); numbers, or objects where there is text or nothing in a cell.
        names: of the columns, where each is a tensor of its own; of a single tensor that one's.
        id: of the request.
        columns: whether each column is a tensor of its own.
        parameters: of the first tensor.
    """

    values: npt.NDArray[Any]
    names: list[str]
    id: str
    columns: bool
    parameters: dict[str, Any]

    def told(self, unit: str, values: Any, names: list[str] | None = None) -> dict[str, Any]:
        """What a unit has made of it, as a response: columns where it has come as columns, else one tensor.

        Args:
            unit: the name of the unit.
            values: an array of one or two dimensions.
            names: of its columns.
        """
        array = np.asarray(values)
        table = array.reshape(len(array), -1)
        if self.columns and names and len(names) == table.shape[1]:
            outputs = [_tensor(name, table[:, [index]]) for index, name in enumerate(names)]
        else:
            outputs = [_tensor(self.names[0] if len(self.names) == 1 else unit, array)]
        if self.parameters:
            outputs = [{**output, "parameters": self.parameters} for output in outputs]
        return {"model_name": unit, **({"id": self.id} if self.id else {}), "outputs": outputs}


def request(body: bytes) -> Table:
    """The table of a request.

    Raises:
        BadRequest: it is no request, or its tensors make no table.
    """
    text = body.removeprefix(forms.BOM)
    if not text.strip():
        raise BadRequest('the body is empty; send {"inputs": [{"name": …, "shape": …, "datatype": …, "data": …}]}')
    asked = _converted(messages.parse(text), _Request, "the body is no inference request")
    return _table(asked.inputs, asked.id, "inputs")


def response(content: dict[str, Any]) -> Table:
    """The table of a response, as a child of a combiner has sent it.

    Raises:
        BadRequest: it is no response, or its tensors make no table.
    """
    told = _converted(content, _Response, "an answer to combine is no inference response")
    return _table(told.outputs, told.id, "outputs")


def _converted(content: dict[str, Any], kind: Any, problem: str) -> Any:
    try:
        # null stands for what is not there: servers write what they do not know so.
        return msgspec.convert(_without_nulls(content), kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{problem}: {error}") from error


def _without_nulls(content: dict[str, Any]) -> dict[str, Any]:
    def clean(value: Any) -> Any:
        return {key: part for key, part in value.items() if part is not None} if isinstance(value, dict) else value

    return {
        key: [clean(one) for one in value] if isinstance(value, list) else value
        for key, value in clean(content).items()
    }


def _table(tensors: list[_Tensor], id_: str, what: str) -> Table:
    if not tensors:
        raise BadRequest(f"{what} is empty: send at least one tensor")
    names = [tensor.name for tensor in tensors]
    if len(set(names)) < len(names):
        raise BadRequest(f"{what} has a name twice: {', '.join(names):.200}")
    arrays = [_array(tensor) for tensor in tensors]
    first = tensors[0].parameters
    if len(arrays) == 1:
        is_table = arrays[0].ndim == TABLE and arrays[0].shape[1] != 1
        return Table(arrays[0], [] if is_table and what == "inputs" else names, id_, False, first)
    lengths = {len(array) for array in arrays}
    if any(array.size != len(array) for array in arrays) or len(lengths) > 1:
        raise BadRequest(f"{what} has several tensors, and not each is a column of as many rows")
    columns = [array.reshape(-1) for array in arrays]
    kinds = {column.dtype.kind for column in columns}
    if kinds <= set("iuf"):
        return Table(np.stack(columns, axis=1), names, id_, True, first)
    return Table(np.stack([column.astype(object) for column in columns], axis=1), names, id_, True, first)


def _array(tensor: _Tensor) -> npt.NDArray[Any]:
    """The array of a tensor, whose data may be nested.

    Raises:
        BadRequest: its data is not of its datatype, or does not fill its shape.
    """
    name, shape = f"{tensor.name:.100}", tensor.shape
    if not 1 <= len(shape) <= TABLE:
        raise BadRequest(f"tensor {name} has the shape {shape!s:.100}: one dimension, or two")
    if tensor.datatype not in NUMBERS and tensor.datatype != TEXT:
        raise BadRequest(f"tensor {name} is of {tensor.datatype:.20}; known are {', '.join(NUMBERS)} and {TEXT}")
    values = messages.to_array(tensor.data, f"tensor {name}").reshape(-1)
    if min(shape) < 0 or int(np.prod(shape, dtype=object)) != values.size or values.size == 0:
        raise BadRequest(f"tensor {name} has {values.size} values, which do not fill the shape {shape!s:.100}")
    kind = values.dtype.kind
    is_hole = kind == "O" and all(cell is None or isinstance(cell, int | float | str) for cell in values)
    if kind not in NUMBERS.get(tensor.datatype, "UO") and not is_hole:
        raise BadRequest(f"tensor {name} holds what is not of {tensor.datatype}")
    return values.reshape(shape)


def _tensor(name: str, array: npt.NDArray[Any]) -> dict[str, Any]:
    datatype = {"f": "FP64", "i": "INT64", "u": "INT64"}.get(array.dtype.kind, TEXT)
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": array.ravel().tolist()}
