"""Tables as they are scored: what is read of them, whatever kind they are of."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from modelkit import tablefile

CHUNK_BYTES = 1 << 20


class SourceError(ValueError):
    """The table cannot be scored; the message says why, and what to do."""


@dataclass(frozen=True)
class Column:
    """A column that a model takes.

    Attributes:
        name: of it in the table.
        kind: what it holds, as MLflow's signatures call it: `double`, `string`.
        required: whether each row has a value there.
    """

    name: str
    kind: str = "double"
    required: bool = True


@dataclass(frozen=True)
class Wanted:
    """What of a table a model takes.

    Attributes:
        columns: by name; those that are not required need not be there.
        everything: in their place all columns that a table has, in their order.
        width: how many those have to be; None if any number will do.
        kind: what they hold.
    """

    columns: tuple[Column, ...] = ()
    everything: bool = False
    width: int | None = None
    kind: str = "double"

    @classmethod
    def of(cls, columns: Wanted | Sequence[str]) -> Wanted:
        """The same; columns of numbers may be named alone."""
        return columns if isinstance(columns, Wanted) else cls(tuple(map(Column, columns)))

    def among(self, names: list[str]) -> tuple[list[Column], list[str]]:
        """Which of a table's columns are taken, and what is wrong with them."""
        if self.everything:
            there = f"(there are: {', '.join(names)[:500]})"
            wide = self.width not in (None, len(names))
            return [Column(name, self.kind) for name in names], [
                *([f"{len(names)} columns, where the model takes {self.width}, without names {there}"] if wide else []),
                *self._repeated(names, names),
            ]
        wanted = [one.name for one in self.columns]
        missing = [one.name for one in self.columns if one.required and one.name not in names]
        there = f"(there are: {', '.join(names)[:500]})"
        taken = [one for one in self.columns if one.name in names]
        # Rows without a column are none.
        lacks = missing or ([] if taken else wanted)
        return taken, [
            *([f"missing columns: {', '.join(lacks)} {there}"] if lacks else []),
            *self._repeated(names, wanted),
        ]

    @staticmethod
    def _repeated(names: list[str], wanted: Sequence[str]) -> list[str]:
        twice = [name for name in tablefile.repeated(names) if name in wanted]
        return [f"columns that appear twice: {', '.join(twice)}"] if twice else []


@dataclass
class Piece:
    """Some rows of a table.

    Attributes:
        index: which piece it is, from 0.
        sha256: of what it holds and of its place in the table, 64 hexadecimal digits.
    """

    index: int
    sha256: str


@dataclass(frozen=True)
class Parsed:
    """Rows of a piece.

    Attributes:
        numbers: of each row in the file: that of its line, or its own.
        matrix: what the model takes, NaN where a cell holds no number; float64, shape (n, number of columns).
        cells: the same as text, of the row at some place here.
        rejected: rows that are none, by their numbers, and why.
    """

    numbers: Sequence[int]
    matrix: npt.NDArray[np.float64]
    cells: Callable[[int], list[str]]
    rejected: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Values:
    """Rows of a piece, by column.

    Attributes:
        numbers: of each row in the file.
        columns: those that the model takes and the table has: texts of a CSV file, or an array of Arrow's.
        rejected: rows that are none, by their numbers, and why.
    """

    numbers: Sequence[int]
    columns: list[tuple[Column, Any]]
    rejected: list[tuple[int, str]] = field(default_factory=list)


class Source(Protocol):
    """A table.

    Attributes:
        shown: what people call it.
        names: of all columns, in their order.
        taken: those that the model takes.
        counted: what the numbers of its rows count, "line" or "row".
        form: how it is read, beside what is in it.
        sha256: of the file's bytes, 64 hexadecimal digits.
        size: of the file, in bytes.
        read: how much of it the pieces so far are, from 0 to 1.
    """

    shown: str
    names: list[str]
    taken: list[Column]
    counted: str
    form: str
    sha256: str
    size: int
    read: float

    def pieces(self, size: int) -> Iterator[Any]:
        """All rows, in pieces of about so many bytes.

        Raises:
            SourceError: the file is damaged, or is another than before when all of it has been read.
        """

    def parsed(self, piece: Any) -> Parsed:
        """The rows of a piece, where the model takes numbers alone.

        Raises:
            SourceError: the file is damaged there.
        """

    def values(self, piece: Any) -> Values:
        """The rows of a piece, whatever they hold.

        Raises:
            SourceError: the file is damaged there.
        """


def measured(path: Path, shown: str) -> tuple[int, str]:
    """The size of a file in bytes, and its SHA-256.

    Raises:
        SourceError: it is no file.
        OSError: it cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{shown} is no file with a table")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while some := file.read(CHUNK_BYTES):
            digest.update(some)
    return status.st_size, digest.hexdigest()


def changed(shown: str) -> SourceError:
    """What is said of a table that is another one at the end."""
    return SourceError(f"{shown} has changed while it was read: score it again")
