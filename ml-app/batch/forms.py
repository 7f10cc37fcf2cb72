"""The form of the scores: CSV, or Parquet where their file is called so; and of the parts of which they are made."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from batch.places import CHUNK_BYTES, Bytes, PlaceError
from batch.scored import Scored, WrongAnswerError
from modelkit.datasets import EXACT


class Form(Protocol):
    """How scores are kept.

    Attributes:
        kind: what the names of parts end with.
    """

    kind: str

    def part(self, scored: Scored) -> bytes:
        """The scores of a piece."""

    def rows(self, parts: Bytes) -> int:
        """How many rows some parts have."""

    def tables(self, parts: Bytes) -> tuple[pa.Schema, Iterator[pa.Table]]:
        """What parts hold, as tables of one schema."""

    def csv(self, parts: Bytes) -> Bytes:
        """The same as CSV."""


class Numbers:
    """Scores that are numbers: lines of CSV, with as few digits as tell them exactly.

    Args:
        columns: names of them; the first has whole numbers, the others floats.
    """

    kind = "csv"

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = list(columns)

    def part(self, scored: Scored) -> bytes:
        """As `Form`."""
        columns = [np.array(scored.numbers, np.int64), *scored.answers.astype(np.float64).T]
        return _lines(pa.table(columns, [str(at) for at in range(len(columns))]), "none")

    def rows(self, parts: Bytes) -> int:
        """As `Form`."""
        return sum(part.count(b"\n") for part in parts())

    def tables(self, parts: Bytes) -> tuple[pa.Schema, Iterator[pa.Table]]:
        """As `Form`."""
        first, *others = self._columns
        schema = pa.schema([(first, pa.int64()), *((name, pa.float64()) for name in others)])
        reading = pacsv.ReadOptions(column_names=self._columns)
        types = pacsv.ConvertOptions(column_types=schema)
        return schema, (pacsv.read_csv(io.BytesIO(part), reading, convert_options=types) for part in parts() if part)

    def csv(self, parts: Bytes) -> Bytes:
        """As `Form`."""

        def content() -> Iterator[bytes]:
            yield _heads(self._columns)
            yield from parts()

        return content


class Anything:
    """Scores of any types, which are known when all are there: tables of Arrow.

    Args:
        counted: what the first column is called.
    """

    kind = "arrow"

    def __init__(self, counted: str) -> None:
        self._counted = counted

    def part(self, scored: Scored) -> bytes:
        """As `Form`."""
        answers: pa.Table = scored.answers
        table = answers.add_column(0, self._counted, pa.array(scored.numbers, pa.int64()))
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue()

    def rows(self, parts: Bytes) -> int:
        """As `Form`."""
        return sum(table.num_rows for table in _stored(parts))

    def tables(self, parts: Bytes) -> tuple[pa.Schema, Iterator[pa.Table]]:
        """As `Form`."""
        # Of no row it is not known what the model answers.
        nothing = pa.schema([(self._counted, pa.int64())])
        known = one_schema(table for table in _stored(parts) if table.num_rows) or nothing
        told = pa.schema([(one.name, pa.string() if pa.types.is_null(one.type) else one.type) for one in known])
        return told, (as_schema(table, told) for table in _stored(parts) if table.num_rows)

    def csv(self, parts: Bytes) -> Bytes:
        """As `Form`."""

        def content() -> Iterator[bytes]:
            schema, tables = self.tables(parts)
            yield _heads(schema.names)
            for table in tables:
                yield _lines(table, "needed")

        return content


@contextmanager
def whole(name: str, form: Form, parts: Bytes) -> Iterator[Bytes]:
    """The file of all scores.

    Args:
        name: of the file; with `.parquet` at its end it is one.
        form: of the parts.
        parts: the scores, one after the other.

    Yields:
        Its bytes.

    Raises:
        PlaceError: there is no room for them in the folder for temporary files.
    """
    if not name.lower().endswith(".parquet"):
        yield form.csv(parts)
        return
    with tempfile.TemporaryFile() as file:
        try:
            schema, tables = form.tables(parts)
            with pq.ParquetWriter(file, schema) as writer:
                for table in tables:
                    writer.write_table(table)
            file.flush()
        except OSError as error:
            raise PlaceError(
                f"{name} cannot be put together in {tempfile.gettempdir()}: {error.strerror or error}; "
                "make room there, or let TMPDIR name another folder"
            ) from error

        def content() -> Iterator[bytes]:
            file.seek(0)
            while piece := file.read(CHUNK_BYTES):
                yield piece

        yield content


def one_schema(tables: Iterable[pa.Table]) -> pa.Schema | None:
    """The schema that holds what some tables of the same columns do; None of no table.

    Raises:
        WrongAnswerError: they are not of the same columns.
    """
    schema: pa.Schema | None = None
    long: set[int] = set()
    for table in tables:
        if schema is None:
            schema = table.schema
        elif schema.names != table.schema.names:
            raise WrongAnswerError(
                f"the model answers {', '.join(schema.names[1:])} to some rows, and "
                f"{', '.join(table.schema.names[1:])} to others"
            )
        kinds = [_one_type(one.type, other.type) for one, other in zip(schema, table.schema, strict=True)]
        schema = pa.schema(zip(schema.names, kinds, strict=True))
        long |= {at for at, column in enumerate(table.columns) if _is_long(column)}
    if schema is None:
        return None
    # As floats they would be other numbers.
    texts = {at for at in long if pa.types.is_floating(schema.field(at).type)}
    return pa.schema([(one.name, pa.string() if at in texts else one.type) for at, one in enumerate(schema)])


def as_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with these types of columns."""
    return pa.table([column.cast(one.type) for column, one in zip(table.columns, schema, strict=True)], schema=schema)


def _one_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other))
    return pa.float64() if numbers else pa.string()


def _is_long(column: pa.ChunkedArray) -> bool:
    """Whether there are whole numbers that no float holds."""
    if not pa.types.is_integer(column.type) or not len(column):
        return False
    ends = pc.min_max(column).as_py()
    return any(end is not None and abs(end) > EXACT for end in ends.values())


def _stored(parts: Bytes) -> Iterator[pa.Table]:
    for part in parts():
        with pa.ipc.open_stream(part) as reader:
            yield reader.read_all()


def _lines(table: pa.Table, quoting: Any) -> bytes:
    file = io.BytesIO()
    pacsv.write_csv(table, file, pacsv.WriteOptions(include_header=False, quoting_style=quoting))
    return file.getvalue()


def _heads(columns: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(columns)
    return line.getvalue().encode()
