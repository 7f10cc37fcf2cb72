"""Finds Seldon's message in a request: in its body, or in a form or query, as the protocol's own clients send it.

`SeldonClient.microservice` and `seldon-core-microservice-tester` send the message as the field `json` of a form
(https://github.com/SeldonIO/seldon-core/issues/935); the reference takes it from the query too, and the parts of a
message as those of a `multipart/form-data` body.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import multipart

from modelserver.errors import BadRequest
from modelserver.messages import PARTS, check, parse, plain_rows

MAX_FIELDS = 100
"""Fields of a form or query; a message has eight parts."""


BOM = b"\xef\xbb\xbf"
"""Windows' editors begin a text with it: https://www.rfc-editor.org/rfc/rfc8259#section-8.1"""


def read(body: bytes, content_type: str, query: bytes) -> dict[str, Any]:
    """The message of a request, decoded to the `dict` that seldon-core's methods take, arrays made and checked.

    Raises:
        BadRequest: there is no message, or none that can be answered, or more than one.
    """
    # Nearly all requests: rows of numbers as JSON, and nothing else.
    if content_type == "application/json" and not query and (rows := plain_rows(body)) is not None:
        return rows
    return check(message(body, content_type, query))


def message(body: bytes, content_type: str, query: bytes) -> dict[str, Any]:
    """The JSON object of a request, wherever it stands.

    Args:
        body: the request's; JSON if it is no form, whatever the content type says, since many clients name none.
        content_type: the request's; may be empty.
        query: of the request's address; only its field `json` is looked at.

    Raises:
        BadRequest: there is none, or more than one.
    """
    body = body.removeprefix(BOM)
    asked = _pairs(query, "the query") if b"json" in query else []
    text = _unique([pair for pair in asked if pair[0] == "json"], "the query").get("json")
    if text:
        if body.strip():
            raise BadRequest("there is a message in the query and another in the body: send one")
        return _object(text.encode(), "the field json")
    if not body.strip():
        raise BadRequest('the body is empty; send {"data": {"ndarray": [[…]]}}')
    kind, options = multipart.parse_options_header(content_type)
    if kind == "multipart/form-data":
        return _message(_unique(_parts(body, options.get("boundary", "")), "the form"))
    # curl calls JSON a form too, where it is not told what it sends; no form with a message begins so.
    if kind == "application/x-www-form-urlencoded" and not body.lstrip().startswith((b"{", b"[")):
        fields = _unique(_pairs(body, "the form"), "the form")
        if not fields.get("json"):
            raise BadRequest(f"the form has no field json with a message; it has: {', '.join(fields)}")
        _alone([name for name in fields if name == "json" or name in PARTS])
        return _object(fields["json"].encode(), "the field json")
    return _object(body, "the body")


def _object(text: bytes, what: str) -> dict[str, Any]:
    content: dict[str, Any] = parse(text, what)
    return content


def _pairs(text: bytes, what: str) -> list[tuple[str, str]]:
    """The fields of a query, or of a form encoded as one."""
    if b"=" not in text:
        return []
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise BadRequest(f"{what} cannot be read: {error}") from error


def _parts(body: bytes, boundary: str) -> Iterable[tuple[str, Any]]:
    """The fields of a multipart form, each decoded to the part of a message that it is."""
    try:
        parser = multipart.PushMultipartParser(boundary, max_segment_count=MAX_FIELDS, strict=True)
        content, name, is_file = b"", "", False
        for event in parser.parse_blocking(BytesIO(body).read):
            if event is None:
                yield name, _decoded(name, content, is_file)
            elif isinstance(event, multipart.MultipartSegment):
                content, name, is_file = b"", event.name or "", event.filename is not None
            else:
                content += event
    except multipart.MultipartError as error:
        raise BadRequest(f"the form cannot be read: {error}") from error


def _decoded(name: str, content: bytes, is_file: bool) -> Any:
    """As the reference has it: text is text, a file of bytes is encoded, and everything else is JSON."""
    if name == "strData":
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise BadRequest(f"the field strData is no text: {error}") from error
    if name == "binData" and is_file:
        return base64.b64encode(content).decode()
    return parse(content, f"the field {name}", dict[str, Any] if name == "json" else Any)


def _message(parts: dict[str, Any]) -> dict[str, Any]:
    """The message that the fields of a multipart form make: their `json`, or all of them."""
    if "json" not in parts:
        return parts
    _alone(list(parts))
    whole: dict[str, Any] = parts["json"]
    return whole


def _alone(fields: list[str]) -> None:
    """Refuse a form with a message in its field `json` whose other fields would be another."""
    if len(fields) > 1:
        raise BadRequest(f"the form has a message in json and more beside it: {', '.join(fields)}")


def _unique(pairs: Iterable[tuple[str, Any]], what: str) -> dict[str, Any]:
    """The pairs as a `dict`, which would keep only the last of those with the same name."""
    unique: dict[str, Any] = {}
    for name, value in pairs:
        if name in unique:
            raise BadRequest(f"{what} has the field {name} twice")
        unique[name] = value
    return unique
