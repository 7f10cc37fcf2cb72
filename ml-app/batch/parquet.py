"""A Parquet table of any size, read in batches of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from batch.source import Parsed, Piece, SourceError, changed, measured
from modelkit import tablefile

MAGIC = b"PAR1"
"""What such a file begins with."""


class ParquetPiece(Piece):
    """Some rows of a Parquet file.

    Args:
        index: which piece it is, from 0.
        row: the number of its first row in the file, from 1.
        batch: its rows, of the columns that the model takes.
    """

    def __init__(self, index: int, row: int, batch: pa.RecordBatch) -> None:
        # What is missing becomes NaN; a number of more digits than a float has, the next one.
        floats = [pc.cast(column, pa.float64(), safe=False) for column in batch.columns]
        self.matrix = np.column_stack([column.to_numpy(zero_copy_only=False) for column in floats])
        digest = hashlib.sha256(f"{row}\n".encode() + self.matrix.tobytes())
        for column in batch.columns:
            digest.update(column.is_null().to_numpy(zero_copy_only=False).tobytes())
        super().__init__(index, digest.hexdigest())
        self.row, self.batch = row, batch


class ParquetTable:
    """A Parquet file.

    Args:
        path: the file.
        columns: those that have to be there, with numbers in them.
        shown: what people call it. By default its path.

    Raises:
        SourceError: it cannot be read, or has not these columns.

    Attributes: as of `Source`.
    """

    counted = "row"
    form = "parquet"

    def __init__(self, path: Path, columns: Sequence[str], shown: str | None = None) -> None:
        self._path, self._columns, self.shown = path, list(columns), shown or str(path)
        try:
            self.size, self.sha256 = measured(path, self.shown)
            with pq.ParquetFile(path) as file:
                schema, self._rows = file.schema_arrow, file.metadata.num_rows
            self.read = 0.0
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.shown} is no Parquet file that can be read: {_said(error)}") from error
        self.names: list[str] = schema.names
        if problems := self._wrong(schema):
            raise SourceError(f"{self.shown} cannot be scored: {'; '.join(problems)}")

    def pieces(self, size: int) -> Iterator[ParquetPiece]:
        """As `Source`."""
        rows = max(1, size // (8 * len(self._columns)))
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

        return Parsed(range(piece.row, piece.row + len(piece.matrix)), piece.matrix, cells)

    def _wrong(self, schema: pa.Schema) -> list[str]:
        twice = [name for name in tablefile.repeated(self.names) if name in self._columns]
        missing = [name for name in self._columns if name not in self.names]
        others = [
            f"{name} holds {kind}"
            for name in self._columns
            if name not in missing + twice and not _is_number(kind := schema.field(name).type)
        ]
        return [
            *([f"missing columns: {', '.join(missing)} (there are: {', '.join(self.names)[:500]})"] if missing else []),
            *([f"columns that appear twice: {', '.join(twice)}"] if twice else []),
            *([f"columns without numbers: {', '.join(others)}"] if others else []),
        ]


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
