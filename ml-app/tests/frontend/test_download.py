"""What is shown and taken away of a table: the answers, beside whatever the file has."""

import csv
import io
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from frontend.listed import Listed
from frontend.scoring import Scored
from frontend.signature import Description, Field
from frontend.table import read_table, rows_for, written
from frontend.views import results
from modelkit.tablefile import Cells
from stand_ins import Answering, StandIn, prices

Serve = Callable[[Answering], StandIn]


def test_cells_of_the_file_are_not_shown_as_answers(serve: Serve, list_models: Callable[..., None]) -> None:
    list_models(Listed("price", "seldon", serve(prices).address, "price"))
    app = AppTest.from_string("from frontend.views import table\ntable.show()\n", default_timeout=20).run()
    content = "rooms,area <b>m²</b>,price,price (predicted),line,rejected because\n1,2,old,older,77,no\n"
    app.file_uploader[0].upload("rows.csv", content.encode(), "text/csv").run()
    assert not app.exception
    [row] = app.dataframe[0].value.to_dict("records")
    assert row["price (predicted 2)"] == 1002
    assert (row["price"], row["price (predicted)"], row["line"]) == ("old", "older", "77")
    assert row["line (of the file)"] == 2


@pytest.mark.parametrize(
    ("names", "answers"),
    [
        (["a", "price"], ("price",)),
        (["a", "price", "price (predicted)", "rejected because"], ("price",)),
        (["a", "price"], ("price ", " price", "line")),
        (["=a", "'=a"], ("a",)),
        (["a;b;c", "d"], ("=x", "'=x")),
    ],
)
def test_download_can_be_uploaded_again(names: list[str], answers: tuple[str, ...]) -> None:
    table = Cells(names, [(2, ["1"] * len(names)), (3, ["2"] * len(names))])
    scored = Scored(answers, {2: [5] * len(answers)}, {3: "is no good"})
    content = results.taken_away(table, scored)
    again = read_table(content)
    assert len(again.names) == len(names) + len(answers) + 1
    assert again.rows[0][1] == [*["1"] * len(names), *["5"] * len(answers), ""]
    assert again.rows[1][1][-1] == "is no good"
    twice = results.taken_away(again, Scored(answers, {2: [6] * len(answers)}, {}))
    assert len(read_table(twice).names) == len(names) + 2 * len(answers) + 2


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x; =1+1", "x;' =1+1"),
        ("x\t=1+1", "x\t'=1+1"),
        ("x\n=1+1", "x\n'=1+1"),
        ("x\r@SUM(1)", "x\r'@SUM(1)"),
        (';"=1+1"', ';\'"=1+1"'),
        ("x;\uff1d1", "x;'\uff1d1"),
        ("x;-2.5;+3", "x;-2.5;+3"),
        ("a=b; c", "a=b; c"),
        ("Berlin, -, x", "Berlin, -, x"),
    ],
)
def test_cell_holds_no_formula_wherever_a_spreadsheet_splits_it(cell: str, shown: str) -> None:
    [_, row] = csv.reader(io.StringIO(written(["a"], [[cell]]).decode("utf-8-sig"), newline=""))
    assert row == [shown]


def test_rows_that_are_all_empty_are_counted() -> None:
    table = read_table(b"rooms,area\n1,2\n,\n\n , \n3,4\n")
    asked = rows_for(table, Description((Field("rooms", "number"), Field("area", "number"))), "it")
    assert list(asked.values) == [2, 6]
    assert asked.rejected == {3: "rooms is empty; area is empty", 5: "rooms is empty; area is empty"}
    nullable = Description((Field("rooms", "number", nullable=True), Field("area", "number", nullable=True)))
    assert rows_for(table, nullable, "it").values[3] == [None, None]
