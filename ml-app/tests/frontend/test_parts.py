"""What the page decides without asking anybody: what is shown how, what a value is, what a table holds."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from frontend.exchange import AskError, RefusedError
from frontend.listed import VARIABLE, NotListedError, listed
from frontend.plain import number, plain
from frontend.scoring import BATCH_ROWS, MOST_REFUSALS, score
from frontend.signature import Answer, Description, Field, UnfitError, read, read_row
from frontend.table import MOST_ROWS, TableError, read_table, rows_for, written


def test_text_from_elsewhere_is_shown_as_it_is() -> None:
    shown = plain("<b>**x**</b> [a](http://b) `c` $d$ #e\n\n- f :red[g] :smile:")
    assert "\\<b\\>\\*\\*x" in shown
    assert "\\[a\\](http" in shown
    assert "\n" not in shown
    # Streamlit looks for emoji and colours where the backslash is gone already.
    assert ":smile:" not in shown.replace("\\", "")
    assert ":red[" not in shown.replace("\\", "")
    assert "-->" not in plain("a --> b").replace("\\", "")
    for text in ("see http://b.c/d", "www.b.c", "me@b.c"):
        assert text not in plain(text).replace("\\", ""), "it would be a link"
    # Marks in a name are read aloud.
    assert plain("sqft_living-1.5 (m²), %: a/b") == "sqft_living-1.5 (m²), %: a/b"
    assert plain("_a_ __b__ c__d") == "\\_a\\_ \\_\\_b\\_\\_ c\\_\\_d"
    assert [plain(text) for text in ("- a", "1. a", "# a", "+ a")] == ["\\- a", "1\\. a", "\\# a", "\\+ a"]
    assert len(plain("x" * 10_000)) < 400


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (330616.9268, "330,616.93"),
        (3, "3"),
        (0.12345, "0.1235"),
        (1e-9, "1e-09"),
        (float("nan"), "nan"),
        (2e6, "2,000,000"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", " 1.5 ", 1.5),
        ("number", "98178", 98178),
        ("number", "1e3", 1000.0),
        ("whole", "3.0", 3),
        ("truth", "TRUE", True),
        ("text", " as is ", " as is "),
        ("any", "2", 2),
        ("any", "two", "two"),
    ],
)
def test_value(kind: str, text: str, value: object) -> None:
    found = read(Field("x", kind), text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        (Field("x", "number"), "two", "is “two”, which is no number"),
        (Field("x", "number"), "1_000", "no number"),
        (Field("x", "number"), "nan", "no number"),
        (Field("x", "number"), "1e999", "too large"),
        (Field("x", "number"), " ", "is empty"),
        (Field("x", "whole", "INT64"), "1.5", "no whole number"),
        (Field("x", "whole", "UINT8"), "-1", "must not be negative"),
        (Field("x", "truth"), "perhaps", "neither true nor false"),
        (Field("x", "text"), "y" * 3000, "longer than"),
        (Field("x", "list", "FP32", (2, 2)), "[[1, 2], [3]]", "a list of 2 by 2 values"),
        (Field("x", "list", "FP32", (2,)), "{", "no list in JSON"),
    ],
)
def test_value_that_does_not_fit(field: Field, text: str, reason: str) -> None:
    with pytest.raises(UnfitError, match=reason):
        read(field, text)


def test_what_may_be_missing_is_none_and_all_that_is_wrong_is_told_at_once() -> None:
    assert read(Field("x", "number", nullable=True), "") is None
    fields = [Field("rooms", "number"), Field("area", "number"), Field("plan", "text")]
    with pytest.raises(UnfitError, match="rooms is “a”, which is no number; plan is empty"):
        read_row(fields, ["a", "1", ""])


FIELDS = Description(fields=(Field("rooms", "number"), Field("area", "number")))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_table_with_columns_in_another_order_and_more_of_them(separator: str) -> None:
    text = "\ufeffarea;id;rooms\n80,5;x;3\n\n;y;2\n".replace("80,5", "80.5").replace(";", separator)
    asked = rows_for(read_table(text.encode()), FIELDS, "it")
    assert asked.values == {2: [3, 80.5]}
    assert asked.rejected == {4: "area is empty"}
    assert asked.unused == ["id"]


def test_decimal_commas_are_read_where_they_cannot_be_anything_else() -> None:
    fields = Description(fields=(Field("rooms", "number"), Field("where", "text")))
    assert rows_for(read_table(b"rooms;where\n1,5;2,5\n"), fields, "it").values == {2: [1.5, "2,5"]}
    for text in (b"rooms;where\n1,500;x\n", b"rooms;where\n1,5;x\n2.5;x\n"):
        with pytest.raises(TableError, match=r"^The file has .*line 2 '1,5"):
            rows_for(read_table(text), fields, "it")


def test_row_of_another_width_is_rejected_and_the_others_are_not() -> None:
    asked = rows_for(read_table(b"rooms,area\n1,2\n1,2,3\n4,5\n"), FIELDS, "it")
    assert list(asked.values) == [2, 4]
    assert "has 3 cells" in asked.rejected[3]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "is not a text in UTF-8"),
        (b"", "is empty"),
        (b"rooms,area\n", "no rows"),
        (b"rooms,rooms\n1,2\n", "twice"),
        (b"rooms,,\n1,2,3\n", "In the first line columns 2 and 3 have no name"),
        (b'rooms,area\n"1,2\n', "is not a CSV file"),
        (b"rooms,area\n" + b"x" * 20_000, "line 2"),
        (b"rooms,area\n" + b"1,2\n" * (MOST_ROWS + 1), "more than 10,000 rows"),
        (",".join(f"c{at}" for at in range(1001)).encode() + b"\n1\n", "more than 1,000 columns"),
        (b"0" * (5 * 1024 * 1024 + 1), "larger than 5 MiB"),
        (gzip.compress(b"0" * (5 * 1024 * 1024 + 1)), "larger than 5 MiB when it is unpacked"),
        (b"PAR1\x15", r"^The file is a Parquet file: write it as CSV, .*\.$"),
    ],
)
def test_file_that_is_no_table(content: bytes, reason: str) -> None:
    with pytest.raises(TableError, match=reason):
        read_table(content)


def test_table_without_a_column_is_not_asked() -> None:
    with pytest.raises(TableError, match="lack what it takes: area"):
        rows_for(read_table(b"rooms,size\n1,2\n"), FIELDS, "it")
    optional = Description(fields=(Field("rooms", "number"), Field("area", "number", optional=True, nullable=True)))
    assert rows_for(read_table(b"rooms\n1\n"), optional, "it").values == {2: [1, None]}


def test_model_without_names_takes_columns_by_their_order() -> None:
    unnamed = Description(fields=FIELDS.fields, named=False)
    assert rows_for(read_table(b"x,y\n1,2\n"), unnamed, "it").values == {2: [1, 2]}
    with pytest.raises(TableError, match="3 columns, and it takes 2 values"):
        rows_for(read_table(b"x,y,z\n1,2,3\n"), unnamed, "it")


def test_what_is_taken_away_holds_no_formula() -> None:
    cells = ["=1+1", " =1", "+1", "-2.5", "@x", "\tx", "-x", "a=b", 3, -4.5, None, "\uff1d1"]
    rows = [*csv.reader(io.StringIO(written(["=name"], [cells]).decode("utf-8-sig")))]
    assert rows[0] == ["'=name"]
    # A number stays a number.
    assert rows[1] == ["'=1+1", "' =1", "+1", "-2.5", "'@x", "'\tx", "'-x", "a=b", "3", "-4.5", "", "'\uff1d1"]


def test_rows_go_in_batches_and_past_those_that_are_refused() -> None:
    sizes = []

    def ask(rows: Sequence[Sequence[Any]]) -> Answer:
        sizes.append(len(rows))
        for at, [value] in enumerate(rows):
            if value in (13, 700):
                raise RefusedError(f"row {at}, column 0 is {value}")
        return Answer(("twice",), [[value * 2] for [value] in rows])

    shares: list[float] = []
    scored = score(ask, {number: [number] for number in range(1200)}, shares.append)
    assert sorted(scored.answers) == [number for number in range(1200) if number not in (13, 700)]
    assert scored.answers[800] == [1600]
    assert scored.rejected == {13: "column 0 is 13", 700: "column 0 is 700"}
    assert max(sizes) == BATCH_ROWS
    assert len(sizes) < 50
    assert shares[-1] == 1
    assert shares == sorted(shares)


def test_refusals_are_looked_into_for_a_bounded_time() -> None:
    calls = 0

    def ask(_: Sequence[Sequence[Any]]) -> Answer:
        nonlocal calls
        calls += 1
        raise RefusedError("never")

    scored = score(ask, {number: [number] for number in range(5000)})
    assert len(scored.rejected) == 5000
    assert calls < MOST_REFUSALS + 100
    assert scored.rejected[4999] == "never (said of 500 rows together)"


def test_model_that_does_not_answer_ends_the_asking() -> None:
    def ask(_: Sequence[Sequence[Any]]) -> Answer:
        raise AskError("gone")

    with pytest.raises(AskError, match="gone"):
        score(ask, {1: [1]})


def test_wide_rows_go_in_smaller_batches() -> None:
    sizes = []

    def ask(rows: Sequence[Sequence[Any]]) -> Answer:
        sizes.append(len(json.dumps(rows)))
        return Answer(("x",), [[0] for _ in rows])

    score(ask, {number: ["y" * 2000] for number in range(1000)})
    assert max(sizes) < 500_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        ("[]", "no list of models"),
        ('{"models": [{"name": "a", "protocol": "v3", "address": "http://b:1"}]}', "protocol v3"),
        ('{"models": [{"name": "a", "protocol": "v2", "address": "file:///etc/passwd"}]}', "no address of a server"),
        ('{"models": [{"name": "a", "protocol": "v2", "address": "http://u:p@b:1"}]}', "no address of a server"),
        ('{"models": [{"name": "", "protocol": "v2", "address": "http://b:1"}]}', "no name"),
        (
            '{"models": [%s, %s]}' % ((json.dumps({"name": "a", "protocol": "v2", "address": "http://b:1"}),) * 2),
            "twice",
        ),
    ],
)
def test_list_of_models_that_is_none(
    content: str | None, reason: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(VARIABLE, str(file))
    with pytest.raises(NotListedError, match=reason):
        listed()
