"""Files of tables: what is read, and what they are instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelkit.tablefile import TableFileError, read, with_points

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "table_files.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_file(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode()
    if "refused" in case:
        with pytest.raises(TableFileError) as caught:
            with_points(cells := read(content), cells.names)
        assert str(caught.value).startswith(case["refused"])
    else:
        cells = with_points(read(content), case["names"])
        assert cells.names == case["names"]
        assert [[float(cell) for cell in row] for _, row in cells.rows] == case["rows"]


def test_what_is_unpacked_is_bounded() -> None:
    (packed,) = (bytes.fromhex(case["hex"]) for case in CASES if case["what"] == "gzip")
    assert read(packed, 10).names == ["a", "b"]
    with pytest.raises(TableFileError, match="is larger than 0 MiB when it is unpacked"):
        read(packed, 9)


def test_texts_beside_numbers_keep_their_commas() -> None:
    cells = with_points(read(b"size;where\n1,5;2,5 km\n2;3,5\n"), ["size"])
    assert [row for _, row in cells.rows] == [["1.5", "2,5 km"], ["2", "3,5"]]
