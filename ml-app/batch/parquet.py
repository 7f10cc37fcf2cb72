"""A Parquet table of any size, read in batches of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from batch import kinds
from batch.source import Column, Parsed, Piece, SourceError, Values, Wanted, changed, measured

MAGIC = b"PAR1"
"""What such a file begins with."""


ENCRYPTED = b"PARE"
"""The same where nobody may know even its columns."""


class ParquetPiece(Piece):
    """Some rows of a Parquet file.

    Args:
        index: which piece it is, from 0.
        row: the number of its first row in the file, from 1.
        batch: its rows, of the columns that the model takes.
    """

    def __init__(self, index: int, row: int, batch: pa.RecordBatch) -> None:
        digest = hashlib.sha256(f"{row}\n".encode())
        for column in batch.columns:
            digest.update(kinds.content(column))
        super().__init__(index, digest.hexdigest())
        self.row, self.batch = row, batch


class ParquetTable:
    """A Parquet file.

    Args:
        path: the file.
        columns: those that the model takes.
        shown: what people call it. By default its path.

    Raises:
        SourceError: it cannot be read, or has not these columns.

    Attributes: as of `Source`.
    """

    counted = "row"
    form = "parquet"

    def __init__(self, path: Path, columns: Wanted | Sequence[str], shown: str | None = None) -> None:
        self._path, self.shown = path, shown or str(path)
        try:
            self.size, self.sha256 = measured(path, self.shown)
            with pq.ParquetFile(path) as file:
                schema, told = file.schema_arrow, file.metadata
            self._rows = told.num_rows
            stored = sum(told.row_group(group).total_byte_size for group in range(told.num_row_groups))
            self.read = 0.0
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.shown} is no Parquet file that can be read: {_said(error)}") from error
        self.names: list[str] = schema.names
        self.taken, problems = Wanted.of(columns).among(self.names)
        self._columns = [one.name for one in self.taken]
        if problems := [*problems, *_others(self.taken, schema)]:
            raise SourceError(f"{self.shown} cannot be scored: {'; '.join(problems)}")
        # Texts may be long.
        lengthy = any(one.kind not in kinds.NUMBERS for one in self.taken)
        self._row_bytes = max(1, 8 * len(self.taken), stored // max(1, self._rows) if lengthy else 0)

    def pieces(self, size: int) -> Iterator[ParquetPiece]:
        """As `Source`."""
        rows = max(1, size // self._row_bytes)
        try:
            with pq.ParquetFile(self._path) as file:
                row = 1
                for index, batch in enumerate(file.iter_batches(rows, columns=self._columns, use_threads=False)):
                    self.read = (row + batch.num_rows - 1) / self._rows
                    # They come in the order of the file.
                    yield ParquetPiece(index, row, batch.select(self._columns))
                    row += batch.num_rows
            if measured(self._path, self.shown)[1] != self.sha256:
                raise changed(self.shown)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.shown} cannot be read to its end: {_said(error)}") from error

    def parsed(self, piece: ParquetPiece) -> Parsed:
        """As `Source`."""

        def cells(at: int) -> list[str]:
            values = [column[at].as_py() for column in piece.batch.columns]
            return ["" if value is None else str(value) for value in values]

        matrix = np.column_stack([kinds.floats(column) for column in piece.batch.columns])
        return Parsed(self._numbers(piece), matrix, cells)

    def values(self, piece: ParquetPiece) -> Values:
        """As `Source`."""
        return Values(self._numbers(piece), list(zip(self.taken, piece.batch.columns, strict=True)))

    @staticmethod
    def _numbers(piece: ParquetPiece) -> range:
        return range(piece.row, piece.row + piece.batch.num_rows)


def _others(taken: list[Column], schema: pa.Schema) -> list[str]:
    """What is wrong with the types of columns, of those that are there once."""
    problems = []
    for words, names in kinds.WORDS.items():
        others = [
            f"{one.name} holds {kind}"
            for one in taken
            if one.kind in names
            and schema.names.count(one.name) == 1
            and not kinds.is_held(one.kind, kind := schema.field(one.name).type)
        ]
        problems += [f"columns without {words}: {', '.join(others)}"] if others else []
    return problems


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
