"""Data sets: a CSV table read from wherever it lies, and its columns as numbers.

Whatever is wrong with the data is a `DataError`, whose message is meant for the user: where, what, and how to mend it.
"""

from __future__ import annotations

import hashlib
import http.client
import math
import re
import reprlib
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from modelkit import s3, tablefile
from modelkit.connecting import first_answer, noted, unreachable
from modelkit.tablefile import Cells, TableFileError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TIMEOUT_SECONDS = 30
EXACT = 2**53
"""Up to this every whole number is a float, too."""
LARGEST = 3.4e38
"""scikit-learn's trees hold features as float32, which ends there; sums of squares of such targets are floats yet."""
EXAMPLES = 5
"""How many faulty lines a message shows of each kind; it counts the others."""
HEADER_CHARACTERS = 400
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,'\u2019 \u00a0\u202f]\d{3})+([.,]\d+)?")


class DataError(ValueError):
    """The data cannot be read or used."""


@dataclass(frozen=True)
class Table:
    """A CSV table as it was read, still as text.

    Attributes:
        address: where it lies: an absolute path, or the URL it was asked for with.
        sha256: of the file's bytes, 64 hexadecimal digits.
        cells: the names of the columns, and the rows below.
        content: the file's bytes.
    """

    address: str
    sha256: str
    cells: Cells
    content: bytes


def read_table(address: str) -> Table:
    """Read a CSV table, the first line naming the columns, of any kind that `tablefile.read` knows.

    The address is recorded with the run and shown in messages, so it must hold no password or signature.

    Args:
        address: a path, `http://…`, `https://…` or `s3://bucket/key`. S3 takes its credentials and its endpoint from
            where boto3 does (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).

    Raises:
        DataError: there is no such file, it may not be read, or it is no such table.
    """
    address, content = read_bytes(address)
    try:
        return Table(address, hashlib.sha256(content).hexdigest(), tablefile.read(content), content)
    except TableFileError as error:
        raise DataError(f"{address} {error}") from error


def read_bytes(address: str) -> tuple[str, bytes]:
    """What lies at an address, as `read_table` takes it, and the address in full.

    Raises:
        DataError: there is no such file, or it may not be read.
    """
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme in ("http", "https"):
        return address, _read_http(address)
    if scheme == "s3":
        return address, _read_s3(address)
    if scheme:
        raise DataError(f"{address}: give a path, or an address that starts with https://, http:// or s3://")
    address = str(Path(address).resolve())
    return address, _read_file(address)


def numbers(
    table: Table, columns: Sequence[str], non_negative: Collection[str] = ()
) -> tuple[dict[str, list[float]], list[str]]:
    """Read columns of a table as finite numbers that a model can calculate with.

    Args:
        table: the table; it may have other columns too, which are not looked at.
        columns: the names of the columns to read.
        non_negative: those of them that must not be below zero.

    Returns:
        The columns, each with one number per row, an `int` where it is written as a whole number: a frame of them has
        the types that pandas gives the file's columns. And everything that is wrong with them, a sentence each. Only if
        nothing is wrong are the columns complete.
    """
    problems, names = [], table.cells.names
    if missing := [name for name in columns if name not in names]:
        problems.append(f"missing columns: {', '.join(missing)}{_unknown(names, columns)}")
    if twice := tablefile.repeated(names):
        problems.append(f"columns that appear twice: {', '.join(map(repr, twice))}")
    if unnamed := tablefile.unnamed(names):
        problems.append(f"more than one column without a name: {unnamed}")

    width, cells = len(names), table.cells
    if ragged := [f"line {line} has {len(row)}" for line, row in cells.rows if len(row) != width]:
        problems.append(f"not as many cells as the header's {width}: {_some(ragged)}")
    try:
        cells = tablefile.with_points(cells, columns)
    except TableFileError as error:
        problems.append(f"it {error}")
    whole = [(line, row) for line, row in cells.rows if len(row) == width]

    values: dict[str, list[float]] = {}
    for name in columns:
        if name in missing:
            continue
        index = names.index(name)
        values[name] = []
        flaws: dict[str, list[str]] = {}
        for line, row in whole:
            number, flaw = number_of(row[index])
            if not flaw and number < 0 and name in non_negative:
                flaw = "negative"
            if flaw:
                flaws.setdefault(flaw, []).append(
                    f"line {line}" if flaw == "empty" else f"line {line} {reprlib.repr(row[index])}"
                )
            values[name].append(number)
        problems += [f"{name} is {flaw}: {_some(lines)}" for flaw, lines in flaws.items()]
    return values, problems


def _unknown(names: list[str], columns: Sequence[str]) -> str:
    """What stands in the header instead of a column that is missing; "" if there is nothing."""
    if len(names) == 1 < len(columns):
        return f": no comma, semicolon, tab or | is between the names of its first line, {reprlib.repr(names[0])}"
    others = ", ".join(name for name in tablefile.called(names) if name not in columns)
    return f" (unknown: {others[:HEADER_CHARACTERS]})" if others else ""


def is_plain(text: str) -> bool:
    """Whether `float()` takes a text for what it is: it also knows literals of Python, and the digits of any script."""
    return "_" not in text and text.isascii()


def number_of(cell: str) -> tuple[float, str]:
    """A cell's number, and what is wrong with it ("" if nothing is)."""
    text = cell.strip()
    if not text:
        return math.nan, "empty"
    try:
        number = float(text if is_plain(text) else "?")
    except ValueError:
        grouped = _THOUSANDS.fullmatch(text)
        return math.nan, "not a number, since thousands are separated" if grouped else "not a number"
    # As the float it is another number before it is compared; of too many digits int() makes none.
    if text.lstrip("+-").isdecimal() and abs(number) <= EXACT and abs(whole := int(cell)) <= EXACT:
        return whole, ""
    if not math.isfinite(number):
        return number, "not finite"
    return number, "" if abs(number) <= LARGEST else f"too large (above {LARGEST:g})"


def _some(examples: Sequence[str]) -> str:
    more = len(examples) - EXAMPLES
    return ", ".join(examples[:EXAMPLES]) + (f" and {more:,} more" if more > 0 else "")


def _read_file(path: str) -> bytes:
    if Path(path).exists() and not Path(path).is_file():
        what = "a folder" if Path(path).is_dir() else "a pipe or a device, which may never end"
        raise DataError(f"{path}: is {what}; name a file")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; check the path") from error


def _read_http(address: str) -> bytes:
    parts = urlsplit(address)
    if parts.username or parts.password:
        # The address is shown in messages and recorded with the run.
        raise DataError(f"{parts.scheme}://…@{parts.hostname}{parts.path}: leave user name and password out of it")

    def fetch() -> bytes:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 http(s), see above
            content: bytes = response.read()
            return content

    try:
        return first_answer(fetch, address, unreachable)
    except urllib.error.HTTPError as error:
        raise DataError(f"{address}: the server answered {error.code} {error.reason}; check the address") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        told = DataError(f"{address}: cannot be fetched: {reason}; check the address and the network")
        raise noted(told, error) from error


def _read_s3(address: str) -> bytes:
    def fetch(client: S3Client) -> bytes:
        content: bytes = client.get_object(Bucket=at.bucket, Key=at.key)["Body"].read()
        return content

    try:
        at = s3.Address(address)
        return at.ask(fetch)
    except s3.S3Error as error:
        raise noted(DataError(str(error)), error) from error
