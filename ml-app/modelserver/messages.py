"""Decodes and checks Seldon's JSON messages, before a model sees them.

The message is https://docs.seldon.ai/seldon-core-1/configuration/protocols-and-apis/internal-api's
`SeldonMessage`; seldon-core itself checks nothing of it and answers 500 where it is not as expected.
"""

import base64
import json
import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from modelserver.errors import BadRequest

MAX_BODY_BYTES = 1 << 20
"""Larger requests are refused, over REST with 413: they would keep others waiting. Batches have jobs of their own."""

MAX_TEXT = 16 << 20
"""Characters that an array of text may take up: numpy gives each cell the room of the longest, so that a megabyte of
short cells and a long one would fill the memory."""


MAX_EMPTY_COLUMNS = 1000
"""Columns of a tensor that has no rows."""


class _Tensor(msgspec.Struct):
    shape: list[int]
    values: list[float]


class _Data(msgspec.Struct):
    names: list[str] = []
    ndarray: list[Any] | None = None
    tensor: _Tensor | None = None


class _Meta(msgspec.Struct):
    puid: str = ""
    tags: dict[str, Any] = {}
    routing: dict[str, int] = {}
    requestPath: dict[str, str] = {}  # noqa: N815 -- the protocol's name
    metrics: list[dict[str, Any]] = []


class _Message(msgspec.Struct):
    data: _Data | None = None
    jsonData: Any = None  # noqa: N815
    strData: str | None = None  # noqa: N815
    binData: str | None = None  # noqa: N815
    meta: _Meta = msgspec.field(default_factory=_Meta)


class _PlainData(msgspec.Struct, forbid_unknown_fields=True):
    ndarray: list[list[int | float]]
    names: list[str] = []


class _Plain(msgspec.Struct, forbid_unknown_fields=True):
    data: _PlainData


_PLAIN = msgspec.json.Decoder(_Plain)

PARTS = _Message.__struct_fields__
"""What a message may have; all but the last, `meta`, hold its data, and it has one of them."""


def parse(text: bytes, what: str = "the body", kind: Any = dict[str, Any]) -> Any:
    """Decode JSON of that kind; `what` names it in errors.

    Raises:
        BadRequest: it is not JSON, or of another kind, or an object has a key twice. Decoders keep the last one;
            seldon-core over protobuf's JSON refuses it, too.
    """
    try:
        value = msgspec.json.decode(text, type=kind)
        # A key and its colon: with no more colons than keys none of them can be there twice. It spares most requests
        # the second reading, which takes as long as all the rest.
        if text.count(b":") > _keys(value):
            json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, what), parse_int=str, parse_float=str)
        return value
    except msgspec.ValidationError as error:
        raise BadRequest(f"{what} is not a Seldon message: {error}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"{what} is not JSON: {error}") from error


def plain_rows(text: bytes) -> dict[str, Any] | None:
    """What `check(parse(text))` makes of a message that is rows of numbers and perhaps names, in a quarter of the time.

    Returns:
        None for any other message, right or wrong.
    """
    try:
        data = _PLAIN.decode(text).data
        rows = np.array(data.ndarray)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
        return None
    # With a colon more, a key may be there twice; numbers that are too large make objects.
    if text.count(b":") != (3 if data.names else 2) or rows.dtype.kind not in "if":
        return None
    return {"data": {"names": data.names, "ndarray": rows}}


def _without_nulls(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if part is not None}


def _keys(value: Any) -> int:
    """How many keys an object has, and those in it that are not in lists."""
    return len(value) + sum(map(_keys, value.values())) if isinstance(value, dict) else 0


def _once(pairs: list[tuple[str, Any]], what: str) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise BadRequest(f"{what} has the key {name} twice in one object")
        seen.add(name)


def check(message: dict[str, Any]) -> dict[str, Any]:
    """Check a decoded message and make its arrays: then it is the `dict` that seldon-core's methods take.

    Raises:
        BadRequest: it is no Seldon message that holds data.
    """
    # null stands for a part that is not there, as in protobuf's JSON; seldon-core takes the key as the part.
    message = _without_nulls(message)
    for key in ("data", "meta"):
        if isinstance(message.get(key), dict):
            message[key] = _without_nulls(message[key])
    try:
        # Checked against the message's shape, but passed on as it came: what is not known here stays in it.
        checked = msgspec.convert(message, _Message)
    except msgspec.ValidationError as error:
        raise BadRequest(f"the body is not a Seldon message: {error}") from error
    given = [name for name in PARTS[:-1] if getattr(checked, name) is not None]
    if len(given) > 1:
        raise BadRequest(f"there are {', '.join(given[:-1])} and {given[-1]} in one message: send one")
    if checked.data is not None:
        message["data"] = _with_array(checked.data)
    elif checked.binData is not None:
        _check_base64(checked.binData)
    elif checked.strData is None and checked.jsonData is None:
        raise BadRequest("the body has none of data, jsonData, strData and binData")
    return message


def to_array(cells: list[Any], what: str = "data.ndarray") -> npt.NDArray[Any]:
    """The array of nested lists, with the type of numbers or text that numpy finds for it; `what` names it in errors.

    Raises:
        BadRequest: they make no array, or one in which a boolean is no longer known from a number.
    """
    try:
        objects = np.array(cells, dtype=object)
        kinds = set(map(type, objects.flat))
        longest = max((len(cell) for cell in objects.flat if isinstance(cell, str)), default=0) if str in kinds else 0
        if longest * objects.size > MAX_TEXT:
            raise BadRequest(f"{what} has a text of {longest} characters among {objects.size} cells: that is too long")
        array = np.array(cells)
    except ValueError as error:
        raise BadRequest(f"{what} is ragged: its rows differ in length, or in depth") from error
    if bool in kinds and array.dtype.kind in "iuf":
        raise BadRequest(f"{what} has true or false among numbers: send 1 or 0")
    return array


def to_tensor(shape: list[int], values: list[float]) -> npt.NDArray[np.float64]:
    """The array of that shape.

    Raises:
        BadRequest: the values do not fill it.
    """
    try:
        if min(shape, default=0) < 0:
            raise ValueError("a negative size, which numpy would replace by one that fits")
        # Without values it could have any width, and so could the answer.
        if math.prod(max(1, size) for size in shape) > max(MAX_EMPTY_COLUMNS, len(values)):
            raise ValueError("too many columns without values")
        return np.array(values, dtype=np.float64).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"data.tensor has {len(values)} values, which do not fill the shape {shape}") from error


def _with_array(data: _Data) -> dict[str, Any]:
    """The data with its array made: seldon-core's own conversion of it cannot fail after this."""
    if (data.ndarray is None) == (data.tensor is None):
        raise BadRequest("data needs either ndarray or tensor (tftensor is not supported)")
    if data.tensor is not None:
        shape = data.tensor.shape
        return {"names": data.names, "tensor": {"shape": shape, "values": to_tensor(shape, data.tensor.values)}}
    return {"names": data.names, "ndarray": to_array(data.ndarray or [])}


def _check_base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadRequest(f"binData is not base64: {error}") from error
