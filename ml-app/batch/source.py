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


class SourceError(ValueError):
    """The table cannot be scored; the message says why, and what to do."""


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


class Source(Protocol):
    """A table.

    Attributes:
        shown: what people call it.
        names: of all columns, in their order.
        counted: what the numbers of its rows count, "line" or "row".
        form: how it is read, beside what is in it.
        sha256: of the file's bytes, 64 hexadecimal digits.
        size: of the file, in bytes.
        read: how much of it the pieces so far are, from 0 to 1.
    """

    shown: str
    names: list[str]
    counted: str
    form: str
    sha256: str
    size: int
    read: float

    def pieces(self, size: int) -> Iterator[Any]:
        """All rows, in pieces of about so many bytes of numbers.

        Raises:
            SourceError: the file is damaged, or is another than before when all of it has been read.
        """

    def parsed(self, piece: Any) -> Parsed:
        """The rows of a piece, those of the columns that the model takes.

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
    with path.open("rb") as file:
        return status.st_size, hashlib.file_digest(file, "sha256").hexdigest()


def changed(shown: str) -> SourceError:
    """What is said of a table that is another one at the end."""
    return SourceError(f"{shown} has changed while it was read: score it again")
