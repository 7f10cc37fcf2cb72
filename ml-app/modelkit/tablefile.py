"""Files of tables as people have them: CSV of several kinds, packed or not, or what they are instead.

Nothing is guessed that could be otherwise: 1.234 is read as a number with a fraction only where it cannot be one of
thousands. A training reads its data by this file, the front end what is uploaded; `cli/tableFile.ts` does the same in
TypeScript, and `tests/table_files.json` holds both to it. It needs nothing but Python's standard library.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

SEPARATORS = ",;\t|"
FIRST_CHARACTERS = 65_536
"""Of a file, in which its first line is looked for."""

SPREADSHEET = "save its sheet as CSV"
_PACKED = "unpack it"
_AS_CSV = "write it as CSV, such as by to_csv(…, index=False) of pandas"
_KINDS = (
    (b"PAR1", "a Parquet file", _AS_CSV),
    (b"ARROW1\0", "an Arrow or Feather file", _AS_CSV),
    (b"ORC", "an ORC file", _AS_CSV),
    (b"\x89HDF", "an HDF5 file", _AS_CSV),
    (b"\x93NUMPY", "an array of NumPy's", _AS_CSV),
    (b"SQLite format 3\0", "a database of SQLite's", "write the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", SPREADSHEET),
    (b"%PDF-", "a PDF", "give the table itself, as CSV"),
    (b"BZh", "packed by bzip2", _PACKED),
    (b"\xfd7zXZ", "packed by xz", _PACKED),
    (b"\x28\xb5\x2f\xfd", "packed by Zstandard", _PACKED),
    (b"7z\xbc\xaf", "packed by 7-Zip", _PACKED),
    (b"Rar!\x1a", "packed by RAR", _PACKED),
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file that it stands for: git lfs pull"),
)
"""How files of other kinds begin, what they are, and what to do about it.

What is of letters alone may begin a column's name as well, which bytes that no text has never follow.
"""
_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1f]")
_PAGE = re.compile(r"\s*<(!--|(!doctype|html|table|\?xml)[\s>])", re.IGNORECASE)

_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_POINT = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""What may be a number of thousands as well as one with a fraction of three digits."""


class TableFileError(ValueError):
    """The file is no table that can be read for certain; the message goes on after its name: "is empty: …"."""


@dataclass(frozen=True)
class Cells:
    """What a file holds, as text.

    Attributes:
        names: the first line, without blanks around the names.
        rows: each of the others that is not blank: its line's number in the file, and its cells.
        separator: what stands between cells.
    """

    names: list[str]
    rows: list[tuple[int, list[str]]]
    separator: str = ","


def read(content: bytes, most: int | None = None) -> Cells:
    """Read a file: UTF-8, or UTF-16 with its mark; `, ; |` or tabs between cells; plain, or packed by gzip or as zip.

    Args:
        content: the file's bytes.
        most: how many bytes it may have when it is unpacked; any number, if it is not said.

    Raises:
        TableFileError: it is something else, or damaged.
    """
    text = _text(_unpacked(content, most))
    said = told_separator(text)
    separator = said or separator_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if not _is_blank(cells)][bool(said) :]
    except csv.Error as error:
        raise TableFileError(f"is not a CSV file: line {reader.line_num}: {error}") from error
    if not rows:
        raise TableFileError("is empty: its first line must name the columns")
    return Cells([name.strip() for name in rows[0][1]], rows[1:], separator)


def repeated(names: list[str]) -> list[str]:
    """The names that are there more than once: of such columns nobody knows which is meant."""
    return [name for name, times in Counter(names).items() if name and times > 1]


def unnamed(names: list[str]) -> str:
    """Which columns have no name, as "columns 2 and 4", where there are several; "" otherwise."""
    *places, last = [str(place) for place, name in enumerate(names, 1) if not name] or [""]
    return f"columns {', '.join(places)} and {last}" if places else ""


def called(names: list[str]) -> list[str]:
    """The names, as messages call the columns: by its place the one without."""
    return [name or f"column {place} without a name" for place, name in enumerate(names, 1)]


def with_points(cells: Cells, columns: Collection[str]) -> Cells:
    """The same with points in place of decimal commas, in columns of numbers.

    Raises:
        TableFileError: whether a comma or a point stands before fractions or between thousands cannot be known.
    """
    places = [place for place, name in enumerate(cells.names) if name in columns]
    found = [(line, row[place].strip()) for line, row in cells.rows for place in places if place < len(row)]
    commas = [(line, cell) for line, cell in found if _COMMA.fullmatch(cell)]
    points = [(line, cell) for line, cell in found if _POINT.fullmatch(cell)]
    if commas and points:
        raise TableFileError(
            f"has numbers with a comma ({_told(commas[0])}) and numbers with a point ({_told(points[0])}): "
            "write all of them with a decimal point, and thousands without separators"
        )
    # Where commas stand between cells, points are decimal points.
    doubtful = commas or (points if cells.separator != "," else [])
    if doubtful and all(_THOUSANDS.fullmatch(cell) for _, cell in doubtful):
        cell = doubtful[0][1]
        whole, fraction = re.sub("[.,]", "", cell), float(cell.replace(",", "."))
        raise TableFileError(
            f"has {_told(doubtful[0])}, which may be {whole} or {fraction:g}: write thousands without separators, and "
            "fractions with a decimal point and commas between the cells"
        )
    if not commas:
        return cells
    return replace(cells, rows=[(line, _pointed(row, places)) for line, row in cells.rows])


def _told(place: tuple[int, str]) -> str:
    return f"line {place[0]} '{place[1]}'"


def _pointed(row: list[str], places: list[int]) -> list[str]:
    changed = list(row)
    for place in places:
        if place < len(row) and _COMMA.fullmatch(row[place].strip()):
            changed[place] = row[place].replace(",", ".")
    return changed


def _unpacked(content: bytes, most: int | None) -> bytes:
    if other := other_kind(content):
        raise TableFileError(f"is {other}")
    if content.startswith(b"\x1f\x8b"):
        return _bounded(lambda: gzip.GzipFile(fileobj=io.BytesIO(content)), "gzip", most)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _from_zip(content, most)
    return content


def other_kind(content: bytes) -> str:
    """What a file that begins so is instead of a table, and what to do about it; "" if it may be one."""
    for begin, what, mend in _KINDS:
        if content.startswith(begin) and (not begin.isalnum() or _NO_TEXT.search(content[:4096])):
            return f"{what}: {mend}"
    return ""


def _is_blank(cells: list[str]) -> bool:
    # A quoted cell with nothing in it is one that is empty.
    return not cells or (len(cells) == 1 and cells[0].isspace())


def _from_zip(content: bytes, most: int | None) -> bytes:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as error:  # zipfile has many kinds of them for bytes that are not what they should be
        raise TableFileError(f"is a damaged zip archive: {error}") from error
    names = archive.namelist()
    if "[Content_Types].xml" in names:
        raise TableFileError(f"is an Excel workbook (.xlsx) or another document of Office: {SPREADSHEET}")
    if "mimetype" in names:
        raise TableFileError(f"is an OpenDocument file: {SPREADSHEET}")
    files = [name for name in names if not name.endswith("/") and not re.search(r"(^|/)(__MACOSX/|\.[^/]*$)", name)]
    if len(files) != 1:
        some = ", ".join(files[:5]) + (", …" if len(files) > 5 else "")  # noqa: PLR2004
        raise TableFileError(
            f"is a zip archive of {len(files)} files{some and f', {some}'}: unpack it, and give one of them"
        )
    inner = _bounded(lambda: archive.open(files[0]), "zip", most)
    if other := other_kind(inner):
        raise TableFileError(f"is a zip archive, in which {files[0]} is {other}")
    return inner


def _bounded(opened: Callable[[], Any], packer: str, most: int | None) -> bytes:
    try:
        with opened() as file:
            unpacked: bytes = file.read(-1 if most is None else most + 1)
    except Exception as error:  # each way of packing has its own
        told = str(error) or type(error).__name__
        raise TableFileError(f"is packed by {packer} and cannot be unpacked: {told}") from error
    if most is not None and len(unpacked) > most:
        raise TableFileError(f"is larger than {most >> 20} MiB when it is unpacked")
    return unpacked


def _text(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff")) and not content.startswith(b"\xff\xfe\0\0")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        coding = "UTF-16" if wide else "UTF-8"
        raise TableFileError(
            f"is not a text in {coding} ({error.reason} at byte {error.start}): save it as CSV in UTF-8"
        ) from error
    text = text.lstrip("\ufeff")
    if "\0" in text:
        raise TableFileError(
            "holds zero bytes, as a text in UTF-16 or UTF-32 without its mark: save it as CSV in UTF-8"
        )
    if _PAGE.match(text[:FIRST_CHARACTERS]):
        raise TableFileError("is a page in HTML or XML: give the table itself, as CSV")
    if re.match(r'\s*(\{\s*"|\[\s*[\[{])', text[:FIRST_CHARACTERS]):
        raise TableFileError("is JSON: write it as CSV")
    return text


def told_separator(text: str) -> str:
    """What a line before that of the names says that it is, in Excel's way; "" if there is none."""
    said = re.match(r'"?sep=(.)"?\r?\n', text)
    return said[1] if said else ""


def separator_of(text: str) -> str:
    """What the first line that is not blank has most of, outside of quotes."""
    begin = re.sub(r"^([ \t]*[\r\n])+", "", text[:FIRST_CHARACTERS])
    first = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", begin), maxsplit=1)[0]
    return max(SEPARATORS, key=first.count)
