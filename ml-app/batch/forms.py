"""The form of the scores: CSV, or Parquet where their file is called so."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from batch.places import CHUNK_BYTES, Bytes
from batch.scorer import Scored


def lines(scored: Scored) -> bytes:
    """Rows as lines of CSV: the number, and what the model answers, in as few digits as tell it exactly."""
    columns = [np.array(scored.numbers, np.int64), *scored.answers.astype(np.float64).T]
    table = pa.table(columns, [str(at) for at in range(len(columns))])
    file = io.BytesIO()
    pacsv.write_csv(table, file, pacsv.WriteOptions(include_header=False, quoting_style="none"))
    return file.getvalue()


@contextmanager
def whole(name: str, columns: Sequence[str], parts: Bytes) -> Iterator[Bytes]:
    """The file of all scores.

    Args:
        name: of the file; with `.parquet` at its end it is one.
        columns: their names; the first has whole numbers, the others floats.
        parts: the rows as lines of CSV.

    Yields:
        Its bytes.
    """
    if not name.lower().endswith(".parquet"):
        yield lambda: _csv(columns, parts)
        return
    with tempfile.TemporaryFile() as file:
        _write_parquet(file, columns, parts)

        def content() -> Iterator[bytes]:
            file.seek(0)
            while piece := file.read(CHUNK_BYTES):
                yield piece

        yield content


def _csv(columns: Sequence[str], parts: Bytes) -> Iterator[bytes]:
    yield f"{','.join(columns)}\n".encode()
    yield from parts()


def _write_parquet(file: object, columns: Sequence[str], parts: Bytes) -> None:
    schema = pa.schema([(columns[0], pa.int64()), *((name, pa.float64()) for name in columns[1:])])
    reading = pacsv.ReadOptions(column_names=list(columns))
    types = pacsv.ConvertOptions(column_types=schema)
    with pq.ParquetWriter(file, schema) as writer:
        for part in parts():
            if part:
                writer.write_table(pacsv.read_csv(io.BytesIO(part), reading, convert_options=types))
