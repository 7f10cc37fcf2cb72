"""What MLflow's signature says that a model takes, made of a request: a table of columns, or tensors.

A value that the signature does not have is refused, with the name of its input and what is wanted there. What is
missing is null: of numbers with a fraction and of texts always, of others where the signature says that they are
optional.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from mlserver.errors import InferenceError
from mlserver.types import RequestInput

from standardserver.rows import some, told
from standardserver.values import READERS, Reader, flat

MATRIX = 2
"""Dimensions of what has rows and columns."""

Reading = Callable[[list[RequestInput]], Any]

KINDS = {
    **dict.fromkeys("f", "double"),
    **dict.fromkeys("iu", "long"),
    **dict.fromkeys("b", "boolean"),
    **dict.fromkeys("UO", "string"),
    **dict.fromkeys("S", "binary"),
    **dict.fromkeys("M", "datetime"),
}
"""Types of a signature's columns, by what NumPy calls kinds of a tensor's."""


def reading(schema: list[dict[str, Any]]) -> Reading | None:
    """What reads requests for a model whose signature has these inputs, as MLflow writes them.

    Returns:
        Makes what MLflow's model takes of a request's inputs; None where the signature holds what is not read here,
        such as lists in a column.
    """
    tensors = [one for one in schema if one["type"] == "tensor"]
    names = [one.get("name") for one in schema]
    if not schema or len(set(names)) < len(names):
        return None
    if not tensors:
        known = all(one["type"] in READERS for one in schema)
        if known and names == [None]:
            return _Values(schema[0]).read
        return _Table(schema).read if known and None not in names else None
    if len(tensors) < len(schema) or any(np.dtype(one["tensor-spec"]["dtype"]).kind not in KINDS for one in tensors):
        return None
    if names == [None]:
        return _Tensor(schema[0]).read
    return None if None in names else _Tensors(schema).read


class _Table:
    """Columns by name: an input for each, or, where all are of numbers, one with all of them."""

    def __init__(self, schema: list[dict[str, Any]]) -> None:
        self._columns = {one["name"]: READERS[one["type"]] for one in schema}
        self._optional = {one["name"] for one in schema if not one.get("required", True)}
        self._alike = len({reader.wanted for reader in self._columns.values()}) == 1
        self._numbers = all(reader.is_number for reader in self._columns.values())

    def read(self, inputs: list[RequestInput]) -> pd.DataFrame:
        names = list(self._columns)
        if len(inputs) == 1 and inputs[0].name not in names and (self._numbers or self._alike):
            given = self._split(inputs[0])
        else:
            _compare([one.name for one in inputs], names, self._optional)
            given = {one.name: _single(one) for one in inputs}
            # Of whole numbers and truths MLflow takes none that is missing, but a column that is not there.
            empty = [name for name, (values, _) in given.items() if values.count(None) == len(values)]
            for name in self._optional.intersection(empty):
                if not self._columns[name].gaps:
                    del given[name]
        if len({len(values) for values, _ in given.values()}) > 1:
            raise InferenceError("the inputs differ in their number of rows")
        return pd.DataFrame(
            {
                name: reader.column(name, *given[name], name in self._optional)
                for name, reader in self._columns.items()
                if name in given
            }
        )

    def _split(self, one: RequestInput) -> dict[str, tuple[list[Any], str]]:
        """The columns of a matrix."""
        values, shape = flat(one)
        width = shape[1] if len(shape) > 1 else 1
        if len(shape) > MATRIX or width != len(self._columns):
            raise InferenceError(
                f"a row of {told(one.name)} has {width} values; the model takes {len(self._columns)}: "
                f"{some(self._columns)}"
            )
        return {name: (values[at::width], one.datatype) for at, name in enumerate(self._columns)}


class _Values:
    """One column without a name, under whatever name: a list of values, as a function with type hints takes it."""

    def __init__(self, one: dict[str, Any]) -> None:
        self._reader = READERS[one["type"]]

    def read(self, inputs: list[RequestInput]) -> list[Any]:
        one = _only(inputs)
        values: list[Any] = self._reader.column(one.name, *_single(one), False).tolist()
        return values


class _Tensor:
    """One tensor, under whatever name."""

    def __init__(self, one: dict[str, Any]) -> None:
        spec = one["tensor-spec"]
        self._type = np.dtype(spec["dtype"])
        self._shape: list[int] = list(spec["shape"])
        self._reader: Reader = READERS[KINDS[self._type.kind]]

    def read(self, inputs: list[RequestInput]) -> np.ndarray[Any, Any]:
        return self.array(_only(inputs))

    def array(self, one: RequestInput) -> np.ndarray[Any, Any]:
        values, shape = flat(one)
        # A column of single values may come as the list that it is.
        wanted = self._shape
        if len(shape) == len(wanted) + 1 and shape[-1] == 1 and wanted == [-1]:
            shape = shape[:-1]
        fits = len(shape) == len(wanted) and all(want in (-1, have) for want, have in zip(wanted, shape, strict=True))
        if not fits:
            raise InferenceError(f"{told(one.name)} has the shape {shape}; the model takes {wanted}, any length for -1")
        column = self._reader.column(one.name, values, one.datatype, False, self._type)
        texts = self._type.kind == "U" and None not in values
        return np.asarray(column, dtype="U" if texts else self._type.char.replace("U", "O")).reshape(shape)


class _Tensors:
    """Several tensors, each by its name."""

    def __init__(self, schema: list[dict[str, Any]]) -> None:
        self._tensors = {one["name"]: _Tensor(one) for one in schema}
        self._optional = {one["name"] for one in schema if not one.get("required", True)}

    def read(self, inputs: list[RequestInput]) -> dict[str, np.ndarray[Any, Any]]:
        _compare([one.name for one in inputs], list(self._tensors), self._optional)
        return {one.name: self._tensors[one.name].array(one) for one in inputs}


def _only(inputs: list[RequestInput]) -> RequestInput:
    if len(inputs) != 1:
        raise InferenceError(f"the model takes one input, and there are {len(inputs)}")
    return inputs[0]


def _single(one: RequestInput) -> tuple[list[Any], str]:
    """The values of a column, one for each row."""
    values, shape = flat(one)
    if len(shape) > MATRIX or shape[1:] not in ([], [1]):
        raise InferenceError(f"{told(one.name)} must have a single value in each row, shape [rows, 1]")
    return values, one.datatype


def _compare(given: list[str], names: list[str], optional: set[str]) -> None:
    """Compare the names of a request's inputs with those of the model.

    Raises:
        InferenceError: says which are not the model's, are missing, or there twice.
    """
    problems = [
        f"{what}: {some(found)}"
        for what, found in (
            ("unknown", [name for name in given if name not in names]),
            ("missing", [name for name in names if name not in given and name not in optional]),
            ("there twice", [name for name in names if given.count(name) > 1]),
        )
        if found
    ]
    if problems:
        raise InferenceError(f"these are not the model's inputs; {'; '.join(problems)}")
