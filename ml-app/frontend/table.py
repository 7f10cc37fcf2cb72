"""Tables that people bring and take away: CSV, within bounds, and without cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from frontend.signature import MOST_CHARACTERS, Description, UnfitError, read_row
from modelkit import tablefile
from modelkit.tablefile import Cells, TableFileError

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 10_000
MOST_COLUMNS = 1_000
# The last four are the first ones in full width, as in Japanese.
_NUMBERS = ("number", "whole")
_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_SEAMS = re.compile(r"([;\t\r\n])")
"""Where a spreadsheet may split a cell that is not between quotes for it."""

csv.field_size_limit(4 * MOST_CHARACTERS)


class TableError(ValueError):
    """A file is no table that can be asked; the message says why."""


@dataclass
class Asked:
    """Rows as a model takes them, by the lines of the file; and why others cannot be sent."""

    values: dict[int, list[Any]] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


def read_table(content: bytes) -> Cells:
    """Read a CSV file, with names in its first line, of any kind that `tablefile.read` knows.

    Raises:
        TableError: it is none, or larger than can be asked.
    """
    if len(content) > MOST_BYTES:
        raise TableError(f"The file is larger than {MOST_BYTES >> 20} MiB.")
    try:
        cells = tablefile.read(content, MOST_BYTES)
    except TableFileError as error:
        raise TableError(f"The file {error}.") from error
    names = cells.names
    if len(cells.rows) > MOST_ROWS:
        raise TableError(f"The file has more than {MOST_ROWS:,} rows.")
    if not any(names) or not cells.rows:
        raise TableError("The file has no rows: names in the first line, and a row in each of the lines below.")
    if len(names) > MOST_COLUMNS:
        raise TableError(f"The file has more than {MOST_COLUMNS:,} columns.")
    if twice := tablefile.repeated(names):
        raise TableError(f"The first line has the name “{twice[0]}” twice.")
    if unnamed := tablefile.unnamed(names):
        raise TableError(f"In the first line {unnamed} have no name: give each one.")
    return cells


def rows_for(table: Cells, description: Description, model: str) -> Asked:
    """The rows of a table as a model takes them: by the names of its columns, or by their order if it knows no names.

    Args:
        table: the rows.
        description: of the model.
        model: its name.

    Raises:
        TableError: the model takes what the table does not have.
    """
    fields = description.fields
    if description.named:
        missing = [one.name for one in fields if one.name not in table.names and not one.optional]
        if missing:
            raise TableError(f"The rows lack what {model} takes: {_some(missing)}.")
        places = [table.names.index(one.name) if one.name in table.names else None for one in fields]
        taken = {one.name for one in fields}
        called = zip(table.names, tablefile.called(table.names), strict=True)
        unused = [shown for name, shown in called if name not in taken]
    else:
        if len(table.names) != len(fields):
            raise TableError(f"The rows have {len(table.names)} columns, and {model} takes {len(fields)} values.")
        places, unused = [*range(len(fields))], []
    try:
        numbers = [
            table.names[at] for at, one in zip(places, fields, strict=True) if at is not None and one.kind in _NUMBERS
        ]
        table = tablefile.with_points(table, numbers)
    except TableFileError as error:
        raise TableError(f"The file {error}.") from error
    asked = Asked(unused=unused)
    for line, cells in table.rows:
        if len(cells) != len(table.names):
            asked.rejected[line] = f"has {len(cells)} cells, where the first line has {len(table.names)}"
            continue
        try:
            asked.values[line] = read_row(fields, ["" if at is None else cells[at] for at in places])
        except UnfitError as error:
            asked.rejected[line] = str(error)
    return asked


def written(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file for whoever takes it away, which can be read again: no name is there twice.

    Spreadsheets know by its first bytes that it is in UTF-8.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(beside([], map(_harmless, names), "again"))
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def beside(taken: Sequence[str], names: Iterable[str], mark: str) -> list[str]:
    """Names for columns beside others: each as it is, or with a mark where another column has it.

    Args:
        taken: names of the others.
        names: what the columns would be called.
        mark: what tells them from the others, such as `predicted`.
    """
    used, found = {*taken}, []
    for name in names:
        new, number = name.strip(), 0
        while new in used:
            number += 1
            new = f"{name.strip()} ({mark})" if number == 1 else f"{name.strip()} ({mark} {number})"
        used.add(new)
        found.append(new)
    return found


def _harmless(cell: Any) -> Any:
    """A cell that a spreadsheet takes for what it is: of a text that it would take for a formula, the text.

    One that takes other separators than this file's sees several cells in it.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not isinstance(cell, str) or _is_number(cell):
        return cell
    text = "".join(f"'{part}" if _is_formula(part) else part for part in _SEAMS.split(cell))
    return f"'{text}" if text.lstrip(" ").startswith(("\t", "\r", "\n")) else text


def _is_formula(text: str) -> bool:
    return text.lstrip(' "').startswith(_FORMULAS) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""  # noqa: PLR2004
    return f"{', '.join(names[:20])}{more}"
