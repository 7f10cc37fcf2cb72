"""A table of any size, read in pieces of whole rows: CSV in UTF-8, plain or packed by gzip."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from modelkit import tablefile

LONGEST_ROW = 16 << 20
"""Bytes of a row. One that seems to be longer is a quote that is never closed."""

FIRST_BYTES = 64 << 10
"""In which the first line ends."""


class SourceError(ValueError):
    """The table cannot be scored; the message says why, and what to do."""


@dataclass(frozen=True)
class Piece:
    """Some rows of a table.

    Attributes:
        index: which piece it is, from 0.
        line: the number of its first line in the file, from 1.
        text: its lines.
    """

    index: int
    line: int
    text: str


class Source:
    """A file with a table.

    Args:
        path: the file.
        columns: those that have to be there.

    Raises:
        SourceError: it cannot be read, is no CSV, or has not these columns.

    Attributes:
        names: of all columns, in their order.
        separator: what stands between cells.
        sha256: of the file's bytes, 64 hexadecimal digits.
        size: of the file, in bytes.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise SourceError(f"{path} is no file with a table")
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            with self._open() as file:
                begin = file.read(FIRST_BYTES)
        except (OSError, EOFError) as error:
            raise SourceError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if kind := self._other_kind(begin):
            raise SourceError(f"{path} is {kind}")
        head = self._decoded(_records(begin, whole=len(begin) < FIRST_BYTES) or begin, 1)
        self.separator = tablefile.separator_of(head)
        first = next(self._cells(head), [])
        self.names = [name.strip() for name in first]
        if wrong := self._wrong(head, columns):
            raise SourceError(f"{path} cannot be scored: {wrong}")

    def pieces(self, size: int) -> Iterator[Piece]:
        """The rows after the first, in pieces of about so many bytes.

        Raises:
            SourceError: the file is damaged, or is another than before when all of it has been read.
        """
        digest = hashlib.sha256()
        try:
            with self.path.open("rb") as raw, self._opened(cast(IO[bytes], _Digesting(raw, digest))) as file:
                yield from self._pieces(file, size)
        except (OSError, EOFError) as error:
            raise SourceError(f"{self.path} cannot be read to its end: {error}") from error
        if digest.hexdigest() != self.sha256:
            raise SourceError(f"{self.path} has changed while it was read: score it again")

    def rows(self, piece: Piece) -> Iterator[tuple[int, list[str]]]:
        """The rows of a piece that are not blank, each with the number of its last line."""
        reader = csv.reader(io.StringIO(piece.text, newline=""), delimiter=self.separator)
        skip = piece.index == 0
        for cells in reader:
            if cells and not (len(cells) == 1 and not cells[0].strip()):
                if skip:
                    skip = False
                    continue
                yield piece.line + reader.line_num - 1, cells

    def numbers(self, piece: Piece, columns: Sequence[str]) -> tuple[range, npt.NDArray[np.float64]] | None:
        """Columns of a piece in which there are numbers alone, in a tenth of the time of `rows`.

        Returns:
            The lines, and float64 of shape (n, number of columns); None where there may be anything else.
        """
        text = piece.text.partition("\n")[2] if piece.index == 0 else piece.text
        count = text.count("\n") + (not text.endswith("\n"))
        # A line is a row, with a cell for each name.
        if not text or any(mark in text for mark in ('"', "_", "\n\n", "\n\r")) or text[0] in "\r\n":
            return None
        if text.count(self.separator) != count * (len(self.names) - 1):
            return None
        places = [self.names.index(name) for name in columns]
        try:
            table = pd.read_csv(
                io.StringIO(text),
                sep=self.separator,
                header=None,
                names=range(len(self.names)),
                usecols=places,
                dtype=np.float64,
                index_col=False,
                float_precision="round_trip",
            )
        except (ValueError, pd.errors.ParserError):
            return None
        matrix = table[places].to_numpy()
        # NaN may be a cell that is empty, or not there.
        if len(matrix) != count or not np.isfinite(matrix).all():
            return None
        begin = piece.line + (piece.index == 0)
        return range(begin, begin + count), matrix

    def _pieces(self, file: IO[bytes], size: int) -> Iterator[Piece]:
        index, line, rest = 0, 1, b""
        while True:
            data = file.read(size)
            rest += data
            whole = _records(rest, whole=not data)
            if whole:
                text = self._decoded(whole, line)
                yield Piece(index, line, text)
                index, line, rest = index + 1, line + _lines(whole), rest[len(whole) :]
            if not data:
                return
            if len(rest) > max(size, LONGEST_ROW):
                raise SourceError(f"{self.path}: the row of line {line} does not end: is a quote never closed there?")

    def _open(self) -> IO[bytes]:
        return self._opened(self.path.open("rb"))

    def _opened(self, file: IO[bytes]) -> IO[bytes]:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file

    def _other_kind(self, begin: bytes) -> str:
        if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return "a zip archive or a workbook of Excel: give the table in it, as CSV"
        if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "a text in UTF-16: save it as CSV in UTF-8"
        return tablefile.other_kind(begin)

    def _decoded(self, data: bytes, line: int) -> str:
        try:
            return data.decode("utf-8-sig" if line == 1 else "utf-8")
        except UnicodeDecodeError as error:
            place = line + data.count(b"\n", 0, error.start)
            raise SourceError(f"{self.path} is not a text in UTF-8 (line {place}): save it as CSV in UTF-8") from error

    def _cells(self, text: str) -> Iterator[list[str]]:
        return (cells for cells in csv.reader(io.StringIO(text, newline=""), delimiter=self.separator) if cells)

    def _wrong(self, head: str, columns: Sequence[str]) -> str:
        if not self.names:
            return "it is empty: its first line must name the columns"
        twice = [name for name in tablefile.repeated(self.names) if name in columns]
        missing = [name for name in columns if name not in self.names]
        problems = [
            *([f"missing columns: {', '.join(missing)} (there are: {', '.join(self.names)[:500]})"] if missing else []),
            *([f"columns that appear twice: {', '.join(twice)}"] if twice else []),
        ]
        places = [place for place, name in enumerate(self.names) if name in columns]
        cells = [row[place].strip() for row in list(self._cells(head))[1:] for place in places if place < len(row)]
        if not problems and any(re.fullmatch(r"[+-]?\d+,\d+", cell) for cell in cells):
            problems.append("its numbers have decimal commas: write them with points")
        return "; ".join(problems)


class _Digesting(io.RawIOBase):
    """A file that is read from its beginning to its end, whose digest is made on the way."""

    def __init__(self, file: IO[bytes], digest: hashlib._Hash) -> None:
        self._file, self._digest, self._told = file, digest, 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        began = self._file.tell()
        data = self._file.read(size)
        # The first bytes are read twice.
        self._digest.update(data[max(0, self._told - began) :])
        self._told = max(self._told, began + len(data))
        return data


def _records(data: bytes, *, whole: bool) -> bytes:
    """As much of the data as are whole rows; all of it where nothing comes any more.

    The data begin with a row, so that a line's end stands between rows where the quotes before it are even.
    """
    if whole:
        return data
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        before = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return data[:end]


def _lines(data: bytes) -> int:
    """Lines, as `csv` counts them."""
    return data.count(b"\n")
