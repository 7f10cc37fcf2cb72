"""What cannot be answered over REST is refused with 4xx and a reason, and leaves the server as it was."""

from __future__ import annotations

import gzip
import http.client
import json
import socket

import numpy as np
import pytest
import requests

from house_price.features import FEATURES
from model_process import HERE, ModelProcess, Rows

HOUSE = [3, 1.75, 1560, 1560, 8, 2, 0, 3423, 0, 98112]
NAMES = list(FEATURES)


def with_cell(cell: str) -> bytes:
    """Two rows, the ninth cell of the second as given."""
    return json.dumps({"data": {"ndarray": [HOUSE, [*HOUSE[:8], "CELL", HOUSE[9]]]}}).replace('"CELL"', cell).encode()


def with_rows(rows: object, **data: object) -> bytes:
    return json.dumps({"data": {"ndarray": rows, **data}}).encode()


def with_names(*names: object) -> bytes:
    return with_rows([HOUSE], names=names)


def with_tensor(shape: object, values: object) -> bytes:
    return json.dumps({"data": {"tensor": {"shape": shape, "values": values}}}).encode()


def with_meta(meta: object) -> bytes:
    return json.dumps({"data": {"ndarray": [HOUSE]}, "meta": meta}).encode()


NOT_JSON = "the body is not JSON: "
NOT_SELDON = "the body is not a Seldon message: "
NO_DATA = "the body has none of data, jsonData, strData and binData"
TWICE = "the body has the key {} twice in one object"
NOT_ROWS = "this model takes rows of numbers: send data.ndarray or data.tensor"
NO_ROWS = "there are no rows; send at least one of 10 numbers"
ONE_OF = "data needs either ndarray or tensor (tftensor is not supported)"
RAGGED = "data.ndarray is ragged: its rows differ in length, or in depth"
MISFIT = "the feature names do not fit the model "
QUOTED = "there are numbers in quotes: send them without"
WIDTH = f"each row needs 10 numbers ({', '.join(FEATURES)}), not "

REFUSED = {
    "empty": (b"", 'the body is empty; send {"data": {"ndarray": [[…]]}}'),
    "blank": (b" \r\n", "the body is empty"),
    "columns without values": (with_tensor([0, 5_000_000], []), "data.tensor has 0 values, which do not fill"),
    "binData that is none": (b'{"binData": "!!!!"}', "binData is not base64"),
    "truncated": (b'{"data": {"ndarray": [[1', NOT_JSON),
    "no JSON": (b"data=1", NOT_JSON),
    "two messages": (b"{}{}", NOT_JSON),
    "no UTF-8": (b'{"strData": "\xff"}', NOT_JSON),
    "half a surrogate pair": (b'{"strData": "\\ud800"}', NOT_JSON),
    "half a surrogate pair in a name": (b'{"data": {"names": ["\\udc00x"], "ndarray": [[1]]}}', NOT_JSON),
    "NaN": (with_cell("NaN"), NOT_JSON),
    "Infinity": (with_cell("-Infinity"), NOT_JSON),
    "nested without end": (b'{"jsonData": ' + b"[" * 100_000, NOT_JSON),
    "null": (b"null", NOT_SELDON + "Expected `object`, got `null`"),
    "list": (b"[]", NOT_SELDON + "Expected `object`, got `array`"),
    "a key twice": (b'{"data":{"ndarray":[[1]]},"data":{"ndarray":[[2]]}}', TWICE.format("data")),
    "a key twice, once escaped": (b'{"data":{"ndarray":[[1]]},"d\\u0061ta":null}', TWICE.format("data")),
    "a key of the data twice": (b'{"data":{"ndarray":[[1]],"ndarray":[[2]]}}', TWICE.format("ndarray")),
    "a key within lists twice": (b'{"jsonData":[[{"a":1,"b":2,"a":1}]]}', TWICE.format("a")),
    "a key twice, deep": (b'{"jsonData":' + b'{"a":' * 900 + b'{"b":1,"b":1}' + b"}" * 901, TWICE.format("b")),
    "number": (b"1", NOT_SELDON),
    "no part": (b"{}", NO_DATA),
    "unknown parts": (b'{"instances": [[1]]}', NO_DATA),
    "data null": (b'{"data": null}', NO_DATA),
    "data null beside text": (b'{"data": null, "strData": "a"}', NOT_ROWS),
    "data and text": (
        b'{"strData": "a", "data": {"ndarray": [[1]]}}',
        "there are data and strData in one message: send one",
    ),
    "everything": (
        b'{"strData": "", "binData": "A", "jsonData": 0, "data": {}}',
        "there are data, jsonData, strData and binData in one message: send one",
    ),
    "data empty": (b'{"data": {}}', ONE_OF),
    "data a list": (b'{"data": [[1]]}', NOT_SELDON + "Expected `object | null`, got `array` - at `$.data`"),
    "both arrays": (with_rows([HOUSE], tensor={"shape": [1], "values": [1]}), ONE_OF),
    "tftensor": (b'{"data": {"tftensor": {}}}', ONE_OF),
    "no rows": (with_rows([]), NO_ROWS),
    "an empty row": (with_rows([[]]), NO_ROWS),
    "one dimension": (with_rows(HOUSE), "the array has 1 dimension(s), not 2: send a list of rows, [[…], …]"),
    "three dimensions": (with_rows([[HOUSE]]), "the array has 3 dimension(s), not 2"),
    "no list": (with_rows(7), NOT_SELDON + "Expected `array | null`, got `int` - at `$.data.ndarray`"),
    "nested deep": (b'{"data": {"ndarray": ' + b"[" * 200 + b"]" * 200 + b"}}", RAGGED),
    "ragged": (with_rows([HOUSE, HOUSE[:9]]), RAGGED),
    "a list in a cell": (with_cell("[1]"), RAGGED),
    "9 numbers": (with_rows([HOUSE[:9]]), WIDTH + "9"),
    "11 numbers": (with_rows([[*HOUSE, 1]]), WIDTH + "11"),
    "text": (with_cell('"large"'), 'row 1, column 8 is not a number: "large"'),
    "true among numbers": (with_cell("true"), "data.ndarray has true or false among numbers: send 1 or 0"),
    "false beside null": (with_rows([[False, None, *HOUSE[2:]]]), "row 0, column 0 is not a number: false"),
    "nothing but true": (with_rows([[True] * 10]), "row 0, column 0 is not a number: true"),
    "number in quotes": (with_cell('"1"'), QUOTED),
    "NaN in quotes": (with_cell('"NaN"'), 'row 1, column 8 is not a number: "NaN"'),
    "null cell": (with_cell("null"), "row 1, column 8 is not a number: null"),
    "object in a cell": (with_cell('{"a": 1}'), 'row 1, column 8 is not a number: {"a": 1}'),
    "too large for float32": (with_cell("1e39"), "row 1, column 8 is not a finite number, or too large: 1e+39"),
    "too large for float64": (with_cell("1e400"), NOT_SELDON + "Number out of range"),
    "40 digits": (with_cell("9" * 40), "row 1, column 8 is not a finite number, or too large: 1e+40"),
    "400 digits": (with_cell("9" * 400), "a number is too large"),
    "5000 digits": (with_cell("9" * 5000), NOT_SELDON + "Integer value out of range"),
    "long text": (with_cell(json.dumps("x" * 5000)), 'row 1, column 8 is not a number: "xxx'),
    "a long text among many cells": (
        with_rows([["x" * 20_000], *[[1]] * 1000]),
        "data.ndarray has a text of 20000 characters among 1001 cells: that is too long",
    ),
    "unknown name": (with_names(*NAMES[:9], "zip"), MISFIT + "(unknown: zip; missing: zipcode)"),
    "missing name": (with_names(*NAMES[:9]), MISFIT + "(missing: zipcode)"),
    "name too many": (with_names(*NAMES, "price"), MISFIT + "(unknown: price)"),
    "name twice": (with_names(*NAMES, "zipcode"), MISFIT + "(repeated: zipcode)"),
    "names without end": (with_names(*map(str, range(9999))), MISFIT + "(unknown: 0, 1, 2, "),
    "name no text": (with_names(*NAMES[:9], 7), NOT_SELDON + "Expected `str`, got `int` - at `$.data.names[9]`"),
    "names no list": (with_rows([HOUSE], names="zipcode"), NOT_SELDON + "Expected `array`, got `str`"),
    "tensor too short": (
        with_tensor([1, 10], HOUSE[:9]),
        "data.tensor has 9 values, which do not fill the shape [1, 10]",
    ),
    "tensor too long": (with_tensor([1, 10], [*HOUSE, 1]), "data.tensor has 11 values, which do not fill"),
    "tensor of a negative size": (with_tensor([-1, 10], HOUSE), "data.tensor has 10 values, which do not fill"),
    "tensor of negative sizes": (with_tensor([-1, -10], HOUSE), "data.tensor has 10 values, which do not fill"),
    "tensor of vast size": (with_tensor([10**30, 0], []), "data.tensor has 0 values, which do not fill"),
    "tensor of many dimensions": (with_tensor([1] * 99 + [10], HOUSE), "data.tensor has 10 values, which do not fill"),
    "tensor of no dimension": (with_tensor([], [1]), "the array has 0 dimension(s), not 2"),
    "tensor without rows": (with_tensor([0, 10], []), NO_ROWS),
    "tensor without shape": (b'{"data": {"tensor": {"values": [1]}}}', NOT_SELDON),
    "tensor of text": (with_tensor([1, 10], ["1"] * 10), NOT_SELDON),
    "tensor with true": (with_tensor([1, 10], [True, *HOUSE[1:]]), NOT_SELDON),
    "tensor with null": (with_tensor([1, 10], [None, *HOUSE[1:]]), NOT_SELDON),
    "strData": (b'{"strData": "1,2,3"}', NOT_ROWS),
    "strData no text": (b'{"strData": 1}', NOT_SELDON),
    "jsonData": (json.dumps({"jsonData": [HOUSE]}).encode(), NOT_ROWS),
    "jsonData ragged": (b'{"jsonData": [[1], [1, 2]]}', NOT_ROWS),
    "binData": (b'{"binData": "AAAA"}', NOT_ROWS),
    "binData no base64": (b'{"binData": "A"}', "binData is not base64: "),
    "binData no ASCII": ('{"binData": "ä"}'.encode(), "binData is not base64: "),
    "meta no object": (with_meta([]), NOT_SELDON + "Expected `object`, got `array` - at `$.meta`"),
    "tags no object": (with_meta({"tags": "a"}), NOT_SELDON),
    "metrics no list": (with_meta({"metrics": {}}), NOT_SELDON),
    "puid no text": (with_meta({"puid": 1}), NOT_SELDON),
}


def assert_refused(answer: requests.Response, reason: str, status_code: int = 400) -> None:
    assert answer.status_code == status_code, answer.text
    assert answer.headers["content-type"] == "application/json"
    status = answer.json()["status"]
    assert (status["status"], status["code"], status["reason"]) == (1, -1, "MICROSERVICE_BAD_DATA")
    assert status["info"].startswith(reason), status["info"]
    assert len(status["info"]) <= 501


@pytest.mark.parametrize("case", REFUSED)
def test_malformed(server: ModelProcess, row: Rows, case: str) -> None:
    body, reason = REFUSED[case]
    expected, log = server.prices(row), server.log
    assert_refused(server.post(body), reason)
    assert server.prices(row) == expected
    assert server.log == log


@pytest.mark.parametrize("chunked", [False, True], ids=["by its length", "in chunks"])
def test_body_of_more_than_a_megabyte(server: ModelProcess, row: Rows, chunked: bool) -> None:
    size = (1 << 20) + 1
    body = (b" " * 4096 for _ in range(size // 4096 + 1)) if chunked else b" " * size
    answer = requests.post(f"{server.url}/predict", body, timeout=10)
    assert_refused(answer, "the body is larger than 1048576 bytes", 413)
    assert len(server.prices(row)) == 1


def test_body_of_a_megabyte(server: ModelProcess, row: Rows) -> None:
    body = json.dumps({"data": {"ndarray": row.tolist()}}).encode()
    assert server.post(body.ljust(1 << 20)).json()["data"]["ndarray"] == server.prices(row)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/predict", 405),
        ("PUT", "/predict", 405),
        ("POST", "/metadata", 405),
        ("GET", "/", 404),
        ("GET", "/send-feedback", 405),
        ("POST", "/v2/ä", 404),
    ],
)
def test_wrong_method_or_path(server: ModelProcess, method: str, path: str, status: int) -> None:
    # A Host that makes no URL: nothing of the answer may depend on it.
    for host in (HERE, "["):
        answer = requests.request(method, f"{server.url}{path}", headers={"Host": host}, timeout=5)
        assert_refused(answer, f"{method} {path}: ", status)
    assert ("POST" in answer.headers.get("allow", "")) == (path in ("/predict", "/send-feedback"))


@pytest.mark.parametrize("packing", ["gzip", "br", "zstd", "deflate, gzip"])
def test_packed_body(server: ModelProcess, row: Rows, packing: str) -> None:
    body = gzip.compress(json.dumps({"data": {"ndarray": row.tolist()}}).encode())
    answer = requests.post(f"{server.url}/predict", body, headers={"Content-Encoding": packing}, timeout=5)
    assert_refused(answer, f"the body is packed ({packing}): send it as it is", 415)


def test_client_that_leaves_in_the_middle(server: ModelProcess, row: Rows) -> None:
    log = server.log
    for _ in range(5):
        with socket.create_connection((HERE, int(server.rest))) as client:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
    server.prices(row)
    assert server.log == log


def test_request_that_is_no_http(server: ModelProcess, row: Rows) -> None:
    for head in (b"\x16\x03\x01", b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n"):
        connection = http.client.HTTPConnection(HERE, int(server.rest), timeout=5)
        connection.connect()
        connection.sock.sendall(head + b"\r\n\r\n")
        response = http.client.HTTPResponse(connection.sock)
        response.begin()
        assert response.status == 400
        connection.close()
    assert np.isfinite(server.prices(row)).all()
