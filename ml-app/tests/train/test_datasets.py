"""Reading and checking data: every fault is one clear message."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from house_price.train.recipe import RECIPE
from modelkit import fetching, tables
from modelkit.datasets import DataError, numbers, read_table
from modelkit.sufficiency import LEAST_ROWS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Rows = list[dict[str, str]]
Store = Callable[[Rows], str]


def refusal(address: str, test_size: float = 0.3, least: float = LEAST_ROWS) -> str:
    with pytest.raises(DataError) as caught:
        tables.read(RECIPE, address, test_size, least)
    return str(caught.value)


def test_quoted_numbers_and_other_columns_are_fine(sales: Rows, stored: Store) -> None:
    houses = tables.read(RECIPE, stored([{"date": "20141013T000000"} | row for row in sales]), 0.3)
    assert houses.rows == 20
    assert houses.columns["price"][0] == float(sales[0]["price"])
    assert set(houses.columns) == set(RECIPE.columns)


def test_byte_order_mark_and_blank_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbfa, b\r\n\r\n1,2\r\n\r\n3,4\r\n")
    table = read_table(str(path))
    assert table.cells.names == ["a", "b"]
    assert table.cells.rows == [(3, ["1", "2"]), (5, ["3", "4"])]
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_decimal_commas_are_read_where_they_cannot_be_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "wines.csv"
    path.write_text('"a";"b"\n"1,5";2\n')
    assert numbers(read_table(str(path)), ["a", "b"]) == ({"a": [1.5], "b": [2]}, [])
    path.write_text("a;b\n1,5;1.234\n")
    problems = numbers(read_table(str(path)), ["a", "b"])[1]
    assert problems[0].startswith(
        "it has numbers with a comma (line 2 '1,5') and numbers with a point (line 2 '1.234')"
    )


def test_relative_path_is_recorded_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    assert read_table("a.csv").address == str(tmp_path / "a.csv")


CELLS = [
    ("price", "cheap", "price is not a number: line 4 'cheap'"),
    ("price", "1,234,567", "price is not a number, since thousands are separated: line 4 '1,234,567'"),
    ("price", "1_000", "price is not a number: line 4 '1_000'"),
    ("price", "３", "price is not a number: line 4 '３'"),  # noqa: RUF001
    ("price", "-1", "price is negative: line 4 '-1'"),
    ("bedrooms", "", "bedrooms is empty: line 4"),
    ("bedrooms", "  ", "bedrooms is empty: line 4"),
    ("bedrooms", "-2", "bedrooms is negative: line 4 '-2'"),
    ("sqft_lot", "-0.5", "sqft_lot is negative: line 4 '-0.5'"),
    ("grade", "nan", "grade is not finite: line 4 'nan'"),
    ("grade", "inf", "grade is not finite: line 4 'inf'"),
    ("grade", "1e39", "grade is too large (above 3.4e+38): line 4 '1e39'"),
    ("grade", "9" * 39, f"grade is too large (above 3.4e+38): line 4 '{'9' * 12}...{'9' * 13}'"),
    ("price", "1e200", "price is too large (above 3.4e+38): line 4 '1e200'"),
    ("grade", "1e999", "grade is not finite: line 4 '1e999'"),
]


@pytest.mark.parametrize(("column", "cell", "expected"), CELLS)
def test_faulty_cell_is_named_with_its_line(sales: Rows, stored: Store, column: str, cell: str, expected: str) -> None:
    sales[2][column] = cell
    path = stored(sales)
    assert refusal(path) == f"{path} cannot be used:\n  {expected}"


def test_all_faults_are_told_at_once_and_many_are_counted(sales: Rows, stored: Store) -> None:
    for row in sales:
        row["sqft_living"] = "big"
        del row["zipcode"]
    sales[0]["price"] = ""
    sales[1]["price"] = "-5"
    message = refusal(stored(sales))
    assert "missing columns: zipcode\n" in message
    lines = ", ".join(f"line {line} 'big'" for line in range(2, 7))
    assert f"sqft_living is not a number: {lines} and 15 more" in message
    assert "price is empty: line 2" in message
    assert "price is negative: line 3 '-5'" in message


FILES = [
    (b"", "is empty: its first line must name the columns"),
    (b"PAR1\x15\x04", "is a Parquet file: write it as CSV, such as by to_csv(…, index=False) of pandas"),
    (b'a,b\n1,"2\n', "is not a CSV file: line 2: unexpected end of data"),
]


@pytest.mark.parametrize(("content", "expected"), FILES)
def test_file_that_is_no_table(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    assert refusal(str(path)) == f"{path} {expected}"


def test_ragged_rows_and_columns_that_appear_twice(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    lines = RECIPE.sample.read_text().splitlines()[:20]
    lines[0] += ",price"
    path.write_text("\n".join(lines))
    message = refusal(str(path))
    assert "columns that appear twice: 'price'\n" in message
    assert "not as many cells as the header's 12: line 2 has 11, " in message


def test_columns_without_a_name_are_told_by_their_places(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text("a,,b,\n1,2,3,4\n")
    assert numbers(read_table(str(path)), ["a"])[1] == ["more than one column without a name: columns 2 and 4"]
    path.write_text("a,b,\n1,2,3\n")
    assert numbers(read_table(str(path)), ["c"])[1] == ["missing columns: c (unknown: a, b, column 3 without a name)"]


def test_whole_numbers_are_kept_as_such_while_floats_hold_them(tmp_path: Path) -> None:
    path = tmp_path / "whole.csv"
    path.write_text(f"a\n{2**53}\n{2**53 + 1}\n-{2**53 + 1}\n")
    found = numbers(read_table(str(path)), ["a"])[0]["a"]
    assert [type(one) for one in found] == [int, float, float]


def test_names_that_nobody_knows_are_told_with_those_that_are_missing(tmp_path: Path) -> None:
    path, (header, *lines) = tmp_path / "names.csv", RECIPE.sample.read_text().splitlines()[:20]
    path.write_text("\n".join([header.replace("zipcode", "zip code") + ",id,id", *(f"{line},1,2" for line in lines)]))
    assert refusal(str(path)).splitlines() == [
        f"{path} cannot be used:",
        "  missing columns: zipcode (unknown: zip code, id, id)",
        "  columns that appear twice: 'id'",
    ]
    path.write_text(RECIPE.sample.read_text().replace(",", "#"))
    assert "zipcode, price: no comma, semicolon, tab or | is between the names of its first line" in refusal(str(path))


@pytest.mark.parametrize(
    ("rows", "test_size", "expected"),
    [
        (0, 0.3, "0 rows leave 0 to train on and 0 to test with (test size 0.3); 5 of each are the least"),
        (8, 0.3, "8 rows leave 5 to train on and 3 to test with"),
        (20, 0.01, "20 rows leave 19 to train on and 1 to test with"),
        (20, 0.95, "20 rows leave 1 to train on and 19 to test with"),
    ],
)
def test_too_few_rows_to_split(tmp_path: Path, rows: int, test_size: float, expected: str) -> None:
    path = tmp_path / "short.csv"
    path.write_text("".join(RECIPE.sample.read_text().splitlines(keepends=True)[: rows + 1]))
    assert expected in refusal(str(path), test_size)


def test_a_file_that_may_never_end_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe: is a pipe or a device, which may never end; name a file" in refusal(str(tmp_path / "pipe"))
    assert "/dev/zero: is a pipe or a device" in refusal("/dev/zero")
    assert f"{tmp_path}: is a folder; name a file" in refusal(str(tmp_path))


def test_a_handful_of_rows_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("".join(RECIPE.sample.read_text().splitlines(keepends=True)[:15]))
    assert tables.read(RECIPE, str(path), 0.3).rows == 14
    assert "14 rows leave 9 to train on and 5 to test with (test size 0.3); 6 of each" in refusal(str(path), least=6)


def test_equal_rows_are_counted_once_and_nothing_is_learned_from_what_does_not_vary(sales: Rows, stored: Store) -> None:
    path = stored([sales[0]] * 8)
    assert refusal(path).split("\n  ") == [
        f"{path} cannot be used:",
        "8 rows, of which 1 differ, leave 0 to train on and 1 to test with (test size 0.3); 5 of each are the least",
        f"price is {float(sales[0]['price']):g} in every row: there is nothing to predict",
        "every feature is the same in every row: there is nothing to predict price from",
    ]
    assert "40 rows, of which 4 differ, leave 2" in refusal(stored(sales[:4] * 10))


def test_a_single_price_or_house_in_many_rows(sales: Rows, stored: Store) -> None:
    same_price = [row | {"price": "300000"} for row in sales]
    path = stored(same_price)
    assert refusal(path) == (f"{path} cannot be used:\n  price is 300000 in every row: there is nothing to predict")
    path = stored([row | {"price": f"{price}e-300"} for price, row in enumerate(sales)])
    assert refusal(path).endswith(":\n  price is about 0 in every row: what differs is too little to predict")
    same_house = [sales[0] | {"price": row["price"]} for row in sales]
    path = stored(same_house)
    assert refusal(path).endswith(":\n  every feature is the same in every row: there is nothing to predict price from")
    # One feature that varies is enough.
    assert tables.read(RECIPE, stored([row | {"grade": str(i)} for i, row in enumerate(same_house)]), 0.3).rows == 20


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(RECIPE.sample.parent))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_http(web: str) -> None:
    table = read_table(f"{web}/sample.csv")
    assert table.address == f"{web}/sample.csv"
    assert table.sha256 == hashlib.sha256(RECIPE.sample.read_bytes()).hexdigest()
    assert len(table.cells.rows) == 2000


def test_http_faults(web: str) -> None:
    assert refusal(f"{web}/none.csv").startswith(f"{web}/none.csv: the server answered 404 File not found; ")
    assert "cannot be fetched: [Errno 111] Connection refused; check" in refusal("http://127.0.0.1:1/a.csv")
    assert "cannot be fetched: " in refusal(f"{web}/with space.csv")
    assert "hush" not in refusal("https://me:hush@127.0.0.1/a.csv")


@pytest.fixture(scope="module")
def s3(buckets: S3Client) -> str:
    """The sample in a store."""
    buckets.put_object(Bucket="data", Key="sales/sample.csv", Body=RECIPE.sample.read_bytes())
    return "s3://data/sales/sample.csv"


def test_s3(s3: str) -> None:
    houses = tables.read(RECIPE, s3, 0.3)
    assert (houses.address, houses.rows) == (s3, 2000)


def test_s3_faults(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("s3://data/none.csv").startswith("s3://data/none.csv: bucket data has no key none.csv; check ")
    assert refusal("s3://none/a.csv").startswith("s3://none/a.csv: there is no bucket none; check ")
    assert refusal("s3://data") == "s3://data: write it as s3://bucket/key"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "cannot be reached: Could not connect to the endpoint URL" in refusal(s3)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert "no credentials for S3; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in refusal(s3)


def test_address_of_another_kind() -> None:
    assert refusal("ftp://host/a.csv").startswith("ftp://host/a.csv: give a path, or an address that starts with ")


def test_table_is_fetched_into_a_file_by_whoever_repeats_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"a,b\r\n1,2\r\n")
    fetching.main(str(file), str(tmp_path / "copy.csv"))
    assert json.loads(capsys.readouterr().out) == {"problem": None}
    assert (tmp_path / "copy.csv").read_bytes() == file.read_bytes()
    fetching.main("ftp://host/table.csv", str(tmp_path / "none.csv"))
    assert "give a path, or an address that starts with" in json.loads(capsys.readouterr().out)["problem"]
    assert not (tmp_path / "none.csv").exists()
