"""A CSV table of any size, read in pieces of whole rows: in UTF-8, plain or packed by gzip."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from batch.kinds import NUMBERS
from batch.source import Parsed, Piece, SourceError, Values, Wanted, changed, measured
from modelkit import tablefile
from modelkit.datasets import is_plain, number_of
from modelkit.tablefile import TableFileError

LONGEST_ROW = 16 << 20
"""Bytes of a row. One that seems to be longer is a quote that is never closed."""

FIRST_BYTES = 1 << 20
"""In which the first line ends, and by whose rows it is known how numbers are written."""

csv.field_size_limit(LONGEST_ROW)


class CsvPiece(Piece):
    """Some rows of a CSV file.

    Args:
        index: which piece it is, from 0.
        line: the number of its first line in the file, from 1.
        text: its lines.
    """

    def __init__(self, index: int, line: int, text: str) -> None:
        super().__init__(index, hashlib.sha256(f"{line}\n{text}".encode()).hexdigest())
        self.line, self.text = line, text


class CsvTable:
    """A CSV file.

    Args:
        path: the file.
        columns: those that the model takes.
        shown: what people call it. By default its path.

    Raises:
        SourceError: it cannot be read, is no CSV, or has not these columns.

    Attributes: as of `Source`.
        separator: what stands between cells.
    """

    counted = "line"

    def __init__(self, path: Path, columns: Wanted | Sequence[str], shown: str | None = None) -> None:
        self._path, self.shown = path, shown or str(path)
        try:
            self.size, self.sha256 = measured(path, self.shown)
            self.read = 0.0
            with self._opened(path.open("rb")) as file:
                begin = file.read(FIRST_BYTES)
            head = self._decoded(begin[: begin.rfind(b"\n") + 1] if len(begin) == FIRST_BYTES else begin, 1)
            self._check_kind(begin, head)
            told = tablefile.told_separator(head)
            separator = told or tablefile.separator_of(head)
            cells = tablefile.read(_records(head, separator, whole=len(begin) < FIRST_BYTES).encode())
            self.names, self.separator = cells.names, cells.separator
            self.form = f"csv {self.separator}"
            # Excel tells the separator in a line of its own, before that of the names.
            self._heads = 2 if told else 1
            self.taken, problems = Wanted.of(columns).among(self.names)
            if problem := "; ".join(problems) or self._commas(cells):
                raise SourceError(f"{self.shown} cannot be scored: {problem}")
            self._places = [self.names.index(one.name) for one in self.taken]
        except TableFileError as error:
            raise SourceError(f"{self.shown} {error}") from error
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{self.shown} cannot be read: {getattr(error, 'strerror', None) or error}") from error

    def pieces(self, size: int) -> Iterator[CsvPiece]:
        """The rows after the first, in pieces of about so many bytes.

        Raises:
            SourceError: the file is damaged, or is another than before when all of it has been read.
        """
        digest = hashlib.sha256()
        try:
            with self._path.open("rb") as raw, self._opened(cast(IO[bytes], _Digesting(raw, digest))) as file:
                for piece in self._pieces(file, size):
                    self.read = raw.tell() / self.size
                    yield piece
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{self.shown} cannot be read to its end: {error}") from error
        if digest.hexdigest() != self.sha256:
            raise changed(self.shown)

    def rows(self, piece: CsvPiece) -> Iterator[tuple[int, list[str]]]:
        """The rows of a piece that are not blank, each with the number of its last line.

        Raises:
            SourceError: quotes are where they cannot be.
        """
        reader = csv.reader(io.StringIO(piece.text, newline=""), delimiter=self.separator, strict=True)
        heads = self._heads if piece.index == 0 else 0
        try:
            for cells in reader:
                if cells and not (len(cells) == 1 and not cells[0].strip()):
                    if heads:
                        heads -= 1
                    else:
                        yield piece.line + reader.line_num - 1, cells
        except csv.Error as error:
            line = piece.line + reader.line_num - 1
            raise SourceError(f"{self.shown} is not a CSV file: line {line}: {error}") from error

    def parsed(self, piece: CsvPiece) -> Parsed:
        """As `Source`."""
        if (plain := self.numbers(piece)) is not None:
            lines, matrix = plain
            texts = piece.text.split("\n")
            return Parsed(lines, matrix, lambda at: self._cells(texts[lines[at] - piece.line].split(self.separator)))
        numbers, cells, rejected = self._whole(piece)
        return Parsed(numbers, _matrix(cells, len(self._places)), cells.__getitem__, rejected)

    def values(self, piece: CsvPiece) -> Values:
        """As `Source`."""
        numbers, cells, rejected = self._whole(piece)
        columns = list(zip(*cells, strict=True)) or [()] * len(self.taken)
        return Values(numbers, list(zip(self.taken, columns, strict=True)), rejected)

    def _whole(self, piece: CsvPiece) -> tuple[list[int], list[list[str]], list[tuple[int, str]]]:
        """The rows with as many cells as there are names, and what is wrong with the others."""
        numbers, cells, rejected = [], [], []
        for line, row in self.rows(piece):
            if len(row) == len(self.names):
                numbers.append(line)
                cells.append(self._cells(row))
            else:
                rejected.append((line, f"{len(row)} cells, where the first line has {len(self.names)}"))
        return numbers, cells, rejected

    def numbers(self, piece: CsvPiece) -> tuple[range, npt.NDArray[np.float64]] | None:
        """The columns of a piece in which there are numbers alone, in a tenth of the time of `rows`.

        Returns:
            The lines, and float64 of shape (n, number of columns); None where there may be anything else.
        """
        # What Arrow takes that a row of this table cannot hold, or the other way round.
        lone = piece.text.count("\r") - piece.text.count("\r\n")
        if lone or piece.text[:1].isspace() or any(mark in piece.text for mark in ('"', "_", "\0")):
            return None
        heads = self._heads if piece.index == 0 else 0
        names = [str(place) for place in range(len(self.names))]
        reading = pacsv.ReadOptions(use_threads=False, column_names=names, skip_rows=heads, block_size=2 * LONGEST_ROW)
        parsing = pacsv.ParseOptions(delimiter=self.separator, quote_char=False, ignore_empty_lines=False)
        wanted = [names[place] for place in self._places]
        types = dict.fromkeys(wanted, pa.float64())
        converting = pacsv.ConvertOptions(column_types=types, include_columns=wanted, null_values=[])
        try:
            table = pacsv.read_csv(io.BytesIO(piece.text.encode()), reading, parsing, converting)
        except pa.ArrowInvalid:
            return None
        matrix = np.column_stack([column.to_numpy() for column in table.columns])
        begin = piece.line + heads
        plain = len(matrix) > 0 and np.isfinite(matrix).all()
        return (range(begin, begin + len(matrix)), matrix) if plain else None

    def _cells(self, row: list[str]) -> list[str]:
        return [row[place] for place in self._places]

    def _pieces(self, file: IO[bytes], size: int) -> Iterator[CsvPiece]:
        index, line, rest = 0, 1, b""
        while True:
            data = file.read(size)
            rest += data
            if data and b"\n" not in rest and len(rest) > LONGEST_ROW:
                raise SourceError(f"{self.shown}: the row of line {line} does not end: lines end with a line feed")
            text = self._decoded(rest if not data else rest[: rest.rfind(b"\n") + 1], line)
            whole = _records(text, self.separator, whole=not data)
            if whole:
                yield CsvPiece(index, line, whole)
                mark = 3 if line == 1 and rest.startswith(b"\xef\xbb\xbf") else 0
                rest = rest[mark + len(whole.encode()) :]
                index, line = index + 1, line + _lines(whole)
            if not data:
                return
            if len(rest) > max(size, LONGEST_ROW):
                raise SourceError(f"{self.shown}: the row of line {line} does not end: is a quote never closed there?")

    def _opened(self, file: IO[bytes]) -> IO[bytes]:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file

    def _check_kind(self, begin: bytes, head: str) -> None:
        if len(begin) == FIRST_BYTES and b"\n" not in begin:
            what = (
                "lines that end as on old Macs: save it with line feeds"
                if b"\r" in begin
                else "a first line of a megabyte"
            )
            raise SourceError(f"{self.shown} has {what}")
        if not head.strip():
            raise SourceError(f"{self.shown} is empty: its first line must name the columns")
        if "\r" in head and "\n" not in head:
            raise SourceError(f"{self.shown} has lines that end as on old Macs: save it with line feeds")
        if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            raise SourceError(f"{self.shown} is a zip archive or a workbook of Excel: give the table in it, as CSV")

    def _decoded(self, data: bytes, line: int) -> str:
        if line == 1 and data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise SourceError(f"{self.shown} is a text in UTF-16: save it as CSV in UTF-8")
        if line == 1 and data.startswith(b"PAR1") and tablefile.other_kind(data):
            raise SourceError(f"{self.shown} is a Parquet file packed by gzip: unpack it; Parquet is packed inside")
        if line == 1 and (kind := tablefile.other_kind(data)):
            raise SourceError(f"{self.shown} is {kind}")
        try:
            return data.decode("utf-8-sig" if line == 1 else "utf-8")
        except UnicodeDecodeError as error:
            place = line + data.count(b"\n", 0, error.start)
            raise SourceError(f"{self.shown} is not a text in UTF-8 (line {place}): save it as CSV in UTF-8") from error

    def _commas(self, cells: tablefile.Cells) -> str:
        numbers = [one.name for one in self.taken if one.kind in NUMBERS]
        if tablefile.with_points(cells, numbers) is cells:
            return ""
        return "its numbers have decimal commas: write them with points, and thousands without separators"


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


def _records(text: str, separator: str, *, whole: bool) -> str:
    """As much of whole lines as are whole rows; all of it where nothing comes any more.

    Only a quote at the beginning of a cell lets it go on over lines, so that where there are quotes, `csv` has to tell.
    """
    if whole or '"' not in text:
        return text
    ends = [0]

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            ends.append(ends[-1] + len(line))
            yield line

    reader = csv.reader(lines(), delimiter=separator)
    begin = at = 0
    for _ in reader:
        begin, at = at, reader.line_num
    # The last row may have been cut within a cell.
    return text[: ends[begin]]


def _matrix(cells: list[list[str]], width: int) -> npt.NDArray[np.float64]:
    """The numbers of cells, NaN for what is none; float64, shape (n, width)."""
    try:
        numbers = [list(map(float, row)) for row in cells]
        if all(is_plain(cell) for row in cells for cell in row):
            return np.array(numbers, np.float64).reshape(len(cells), width)
    except ValueError:
        pass
    return np.array([[number_of(cell)[0] for cell in row] for row in cells], np.float64).reshape(len(cells), width)


def _lines(text: str) -> int:
    """Lines, as `csv` counts them."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")
