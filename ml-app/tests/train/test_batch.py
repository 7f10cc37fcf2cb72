"""Tables of any size are scored row by row as the model answers, or refused; whoever is killed goes on where it was."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skops.io
import yaml
from sklearn.ensemble import RandomForestRegressor

from batch.__main__ import main
from batch.csvtable import CsvTable
from batch.forms import Form, Numbers
from batch.job import MANIFEST, Job
from batch.naming import NamingError, dated
from batch.places import Bucket, Folder, OutputError, PlaceError, place_of
from batch.scored import Scored
from batch.scorer import Scorer
from batch.source import Parsed, Source, SourceError
from batch.tables import opened
from house_price.features import FEATURES
from house_price.train.recipe import RECIPE
from modelkit.parity import Record
from modelkit.training import installed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HEAD = ",".join(FEATURES)
ROW = "3,1.5,1340,1340,7,1,0,5650,0,98178"
MODEL = {"name": "house-price", "version": "7"}


class Adding:
    """In the place of a model: answers the sum of two columns, and counts how often it is asked."""

    features = ("a", "b")
    files = "0" * 64

    def __init__(self) -> None:
        self.outputs = ["sum"]
        self.pieces = 0

    def form(self, counted: str) -> Form:
        """As `Scorer.form`."""
        return Numbers([counted, "sum"])

    def rows(self, source: Source, piece: Any) -> Parsed:
        """As `Scorer.rows`."""
        return source.parsed(piece)

    def score(self, parsed: Parsed) -> Scored:
        """As `Scorer.score`."""
        self.pieces += 1
        return Scored(list(parsed.numbers), parsed.matrix.sum(axis=1, keepdims=True), parsed.rejected)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "".join(f"{row},{row / 8}\n" for row in range(200)))
    return path


def job(
    table: Path, scorer: Any = None, *, share: tuple[int, int] = (0, 1), name: str = "scores.csv", piece: int = 100
) -> Job:
    """A job of many small pieces."""
    scorer = scorer or Adding()
    with opened(str(table), scorer.features) as source:
        return Job(source, scorer, Folder(table.parent), name, MODEL, share, piece_bytes=piece)


def run(one: Job) -> dict[str, Any] | None:
    return one.run(lambda _rows, _read: None)


def left(table: Path) -> dict[str, bytes]:
    """The files beside a table, and what is in them."""
    return {path.name: path.read_bytes() for path in table.parent.iterdir() if path != table}


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> tuple[RandomForestRegressor, Path]:
    """A forest, and the folder in which training has stored it."""
    folder = tmp_path_factory.mktemp("model")
    table = np.loadtxt(RECIPE.sample, delimiter=",", skiprows=1)
    rows, prices = pd.DataFrame(table[:, : len(FEATURES)], columns=list(FEATURES)), table[:, len(FEATURES)]
    model = RandomForestRegressor(n_estimators=20, max_depth=6, random_state=3).fit(rows, prices)
    libraries = installed(("scikit-learn", "numpy", "skops"))
    record = Record(list(FEATURES), rows[:5].to_numpy().tolist(), model.predict(rows[:5]).tolist(), libraries)
    skops.io.dump(model, folder / "model.skops")
    content = {"flavors": {"sklearn": {"pickled_model": "model.skops"}}, "metadata": record.to_metadata()}
    (folder / "MLmodel").write_text(yaml.safe_dump(content))
    return model, folder


class KilledError(BaseException):
    """In the place of a kill, which nothing catches."""


def killing(monkeypatch: pytest.MonkeyPatch, place: type[Bucket | Folder]) -> Callable[[int], None]:
    """Has a kind of place kill whoever writes there more often than what is returned has allowed last."""
    write, left_over = place.write, 0

    def until_killed(*arguments: Any, **options: Any) -> bool:
        nonlocal left_over
        left_over -= 1
        if left_over < 0:
            raise KilledError
        return write(*arguments, **options)

    def allow(writes: int) -> None:
        nonlocal left_over
        left_over = writes

    monkeypatch.setattr(place, "write", until_killed)
    return allow


def test_scores_are_the_models(forest: tuple[RandomForestRegressor, Path], tmp_path: Path) -> None:
    model, folder = forest
    output = tmp_path / "scores.csv"
    words = ["house_price", "--files", str(folder), "--name", "house-price", "--version", "7"]
    assert main([*words, "--input", str(RECIPE.sample), "--output", str(output)]) == 0
    scores = np.loadtxt(output, delimiter=",", skiprows=1)
    rows = pd.read_csv(RECIPE.sample)[list(FEATURES)]
    assert output.read_text().startswith("line,price\n2,")
    assert scores[:, 0].tolist() == list(range(2, len(rows) + 2))
    np.testing.assert_allclose(scores[:, 1], model.predict(rows), rtol=1e-9)
    manifest = json.loads((tmp_path / f"scores.csv{MANIFEST}").read_text())
    assert manifest["model"].items() >= MODEL.items()
    assert (manifest["scored"]["rows"], manifest["rejected"]["rows"]) == (len(rows), 0)
    assert manifest["unused_columns"] == ["price"]


def test_rows_that_do_not_fit_are_rejected_by_line_with_all_reasons(
    forest: tuple[RandomForestRegressor, Path], tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    wrong = {
        f"x{ROW[1:]}": "bedrooms is not a number: x",
        f"{ROW[:-5]}": "zipcode is empty",
        f"-3,-1{ROW[5:]}": "bedrooms is negative: -3; bathrooms is negative: -1",
        f"nan{ROW[1:]}": "bedrooms is not finite: nan",
        f"1_0{ROW[1:]}": "bedrooms is not a number: 1_0",
        f"1e39{ROW[1:]}": "bedrooms is too large (above 3.4e+38): 1e39",
        f"{ROW},1": "11 cells, where the first line has 10",
        "1": "1 cells, where the first line has 10",
    }
    table.write_text("\n".join([HEAD, ROW, "", *wrong, ROW]) + "\n")
    scorer = Scorer("house_price", forest[1])
    manifest = run(job(table, scorer))
    assert manifest is not None
    rejected = [json.loads(line) for line in (tmp_path / "scores.csv.rejected.jsonl").read_text().splitlines()]
    assert rejected == [{"line": line, "reason": reason} for line, reason in enumerate(wrong.values(), 4)]
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "2", str(4 + len(wrong))]


@pytest.mark.parametrize(
    "content",
    [
        b'b,note,a\n1,"two\nlines, and ""quotes""",2\n\n3,,4\n',
        b"\xef\xbb\xbfb;note;a\r\n1;x;2\r\n3;y;4",
        gzip.compress(b"a\tb\n2\t1\n4\t3\n"),
        b"sep=;\r\na;b\r\n1;2\r\n3;4\r\n",
        b'\na,b,n\n1,2,5" pipe\n3,4,"two\nlines"',
        b"a,b,c\n1,2," + b'"' + b"x" * 140_000 + b'"\n3,4,\n',
        b"sep=x,a,b\n0,1,2\n0,3,4\n",
    ],
)
def test_tables_of_other_forms(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    run(job(table))
    assert [line.split(",")[1] for line in (tmp_path / "scores.csv").read_text().splitlines()] == ["sum", "3", "7"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"a,c\n1,2\n", "missing columns: b (there are: a, c)"),
        (b"a,b,a\n1,2,3\n", "columns that appear twice: a"),
        (b"a;b\n1,5;2\n", "decimal commas: write them with points"),
        (b"a,b\n1,\xff\n", "is not a text in UTF-8 (line 2)"),
        ("a,b\n1,2\n".encode("utf-16"), "is a text in UTF-16"),
        (b"PK\x03\x04...", "is a zip archive"),
        (b"PAR1\x00\x00", "is no Parquet file that can be read"),
        (gzip.compress(b"PAR1\x15\x04\x15\x00PAR1"), "is a Parquet file packed by gzip: unpack it"),
        (b"PARE\x15\x04\x00", "is an encrypted Parquet file, whose key nobody knows"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 10_000)[:-9], "cannot be read"),
        (b'a,b\n1,"2\n' + b"3,4\n" * 1000, "is not a CSV file: line 1002: unexpected end of data"),
        (b"a,b\n" + b"1,2\n" * 300_000 + b'1,"2\n' + b"3,4\n" * 50_000, "line 300002 does not end: is a quote never"),
        (b"a,b\r1,2\r", "has lines that end as on old Macs"),
        (b'{"a": 1, "b": 2}', "is JSON"),
        (b"a,b\n1,2\0\n", "holds zero bytes"),
        (b"a;b\n1.560;2\n", "which may be 1560 or 1.56"),
        (b"\n", "is empty"),
        (b"a,b\r" + b"1,2\r" * 300_000, "has lines that end as on old Macs"),
        (b"a," * 600_000, "has a first line of a megabyte"),
        (gzip.compress(bytes(range(256)) * 1000)[:200] + b"\0" * 99, "cannot be read"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, reason: str) -> None:
    monkeypatch.setattr("batch.csvtable.LONGEST_ROW", 2000)
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        run(job(table, piece=1 << 16))
    assert str(caught.value).startswith(str(table))
    assert reason in str(caught.value)
    assert not (tmp_path / "scores.csv").exists()


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "is no file with a table"), (tmp_path / "absent", "No such file or directory")):
        with pytest.raises(SourceError, match=reason):
            opened(str(path), ["a"]).__enter__()


def test_table_that_changes_while_it_is_read(table: Path) -> None:
    one = job(table)
    table.write_text(table.read_text().replace("199", "198"))
    with pytest.raises(SourceError, match="has changed while it was read"):
        run(one)
    assert not table.with_name("scores.csv").exists()


def test_whoever_is_killed_goes_on_and_the_result_is_the_same(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(job(table))
    expected = left(table)
    for path in expected:
        table.with_name(path).unlink()

    allow, kills, pieces = killing(monkeypatch, Folder), 0, 0
    for _ in range(1000):
        # From nothing to some pieces, or all steps of the end.
        scorer = Adding()
        allow(kills % 8)
        try:
            run(job(table, scorer))
            break
        except KilledError:
            kills += 1
            assert not table.with_name(f"scores.csv{MANIFEST}").exists()
        finally:
            pieces += scorer.pieces
    assert kills > 10
    assert left(table) == expected
    # A piece that was done is not scored again; one that was not, by whoever comes next.
    assert pieces <= kills + table.stat().st_size // 100 + 2


def test_what_a_kill_may_leave_half_written_is_among_the_parts(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda _: beside.extend(table.parent.glob("*.tmp")))
    manifest = run(job(table))
    assert manifest is not None
    assert beside == []


def test_several_share_the_work_whatever_their_order(table: Path) -> None:
    run(job(table))
    expected = left(table)
    for path in expected:
        table.with_name(path).unlink()
    scorers = [Adding() for _ in range(3)]
    ends = [run(job(table, scorers[worker], share=(worker, 3))) for worker in (2, 0, 1)]
    assert [end is not None for end in ends] == [False, False, True]
    assert left(table) == expected
    assert max(scorer.pieces for scorer in scorers) - min(scorer.pieces for scorer in scorers) <= 1


def test_done_is_done(table: Path) -> None:
    assert job(table).done() is None
    manifest = run(job(table))
    assert job(table).done() == manifest
    table.with_name("scores.csv").unlink()
    assert job(table).done() is None


def test_rows_of_other_widths_do_not_make_up_for_each_other(
    forest: tuple[RandomForestRegressor, Path], tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"{HEAD},note\n{ROW}\n9,{ROW},x\n{ROW},true\n{ROW.replace(',0,', ',True,')},\n")
    run(job(table, Scorer("house_price", forest[1])))
    assert [line.split(",")[0] for line in (tmp_path / "scores.csv").read_text().splitlines()] == ["line", "4"]


def test_parts_of_what_a_table_was_meanwhile_are_not_used(table: Path) -> None:
    run(job(table))
    expected, before = left(table), table.read_text()
    for path in expected:
        table.with_name(path).unlink()
    one = job(table)
    table.write_text(before.replace("199", "198"))
    with pytest.raises(SourceError, match="has changed while it was read"):
        run(one)
    table.write_text(before)
    run(job(table))
    assert left(table) == expected


def test_what_comes_between_is_kept_too(table: Path) -> None:
    job(table, share=(0, 2)).run(lambda _rows, _read: None)
    table.with_name("scores.csv").write_text("precious")
    with pytest.raises(OutputError, match="is there already, of something else"):
        job(table)
    table.with_name("scores.csv").unlink()
    one, other = job(table), job(table)
    run(one)
    assert run(other) == run(job(table))
    table.with_name("scores.csv").write_text("edited")
    with pytest.raises(OutputError, match="is there already, of something else"):
        job(table)


def test_output_that_is_something_else_is_kept(table: Path) -> None:
    table.with_name("scores.csv").write_text("mine")
    with pytest.raises(OutputError, match="is there already, of something else"):
        job(table)
    with pytest.raises(OutputError, match="is the table itself"):
        job(table, name=table.name)
    for address, reason in (
        (table.parent / "absent" / "scores.csv", "there is no folder .*absent for scores.csv: make it"),
        (table.parent, "is a folder: name a file"),
        ("gs://bucket/scores.csv", "give a path, or an address that starts with s3://"),
        ("s3://bucket//scores.csv", "write it as s3://bucket/key"),
        ("s3://bucket/scores/", "write it as s3://bucket/key"),
    ):
        with pytest.raises(OutputError, match=reason):
            place_of(str(address))
    assert table.with_name("scores.csv").read_text() == "mine"


def test_what_is_no_file_is_not_waited_for(table: Path) -> None:
    for address in ("/dev/full", "/dev/zero", table.with_name("pipe")):
        if address == table.with_name("pipe"):
            os.mkfifo(address)
        with pytest.raises(OutputError, match="is a pipe or a device: name a file"):
            place_of(str(address))
    with pytest.raises(OutputError, match="cannot be written: File name too long"):
        place_of(str(table.with_name("x" * 300)))
    with pytest.raises(PlaceError, match="cannot be read: File name too long"):
        job(table, name="x" * 250)
    table.with_name("pipe").rename(table.with_name(f"scores.csv{MANIFEST}"))
    with pytest.raises(PlaceError, match="cannot be read: it is no file"):
        job(table)


def test_manifest_of_somebody_else_is_read_no_further_than_needed(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batch.job.MAX_SAID_BYTES", 10)
    table.with_name(f"scores.csv{MANIFEST}").write_text("x" * 100)
    monkeypatch.setattr("batch.places.CHUNK_BYTES", 20)
    one = table.with_name("scores.csv")
    one.write_text("mine")
    with pytest.raises(OutputError, match=r"scores.csv is there already, of something else"):
        job(table)
    one.unlink()
    with pytest.raises(OutputError, match=r"scores.csv.manifest.json is there already, of something else"):
        job(table)


def test_no_room_for_the_whole_of_parquet(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: Path("/dev/full").open("r+b", 0))  # noqa: SIM115
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/small")
    with pytest.raises(PlaceError, match=r"scores.parquet cannot be put together in /small: No space left on device;"):
        run(job(table, name="scores.parquet"))
    assert not table.with_name("scores.parquet").exists()


@pytest.mark.parametrize(
    ("rows", "plain"),
    [
        ("1,x,2\n-3.5,,4e2\n", True),
        ("1,x,2\r\n3,y,4\r\n", True),
        ("1,x,2\n\n3,y,4\n", False),
        ("1,x,\n", False),
        ("1,x\n1,x,2,3\n", False),
        ("1,x,2,3\n", False),
        ('1,"x",2\n', False),
        ("1_0,x,2\n", False),
        ("３,x,2\n", False),  # noqa: RUF001
        ("nan,x,2\n", False),
        ("1e999,x,2\n", False),
        ("0x10,x,2\n", False),
    ],
)
def test_numbers_are_read_fast_only_where_they_are_read_alike(tmp_path: Path, rows: str, plain: bool) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"a,c,b\n{rows}")
    source = CsvTable(table, ["b", "a"])
    piece = next(source.pieces(1000))
    found = source.numbers(piece)
    assert (found is not None) == plain
    if found is not None:
        slowly = [(line, [float(cells[2]), float(cells[0])]) for line, cells in source.rows(piece)]
        assert list(zip(found[0], found[1].tolist(), strict=True)) == slowly


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=64)
    return path


def test_parquet_is_scored_as_csv_is(table: Path, tmp_path: Path) -> None:
    run(job(table))
    rows = np.loadtxt(tmp_path / "scores.csv", delimiter=",", skiprows=1)
    same = parquet(tmp_path / "table.parquet", b=[row / 8 for row in range(200)], note=["x"] * 200, a=range(200))
    scorer = Adding()
    manifest = run(job(same, scorer, name="scores.parquet"))
    assert manifest is not None
    assert scorer.pieces > 10
    assert (manifest["scored"]["rows"], manifest["unused_columns"]) == (200, ["note"])
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert scores.column("row").to_pylist() == list(range(1, 201))
    assert scores.column("sum").to_pylist() == rows[:, 1].tolist()
    before = (tmp_path / "scores.parquet").read_bytes()
    for path in tmp_path.glob("scores.parquet*"):
        path.unlink()
    run(job(same, name="scores.parquet"))
    assert (tmp_path / "scores.parquet").read_bytes() == before


def test_rows_of_parquet_that_do_not_fit_are_rejected(
    forest: tuple[RandomForestRegressor, Path], tmp_path: Path
) -> None:
    columns: dict[str, list[Any]] = {
        name: [float(cell)] * 4 for name, cell in zip(FEATURES, ROW.split(","), strict=True)
    }
    columns |= {"bedrooms": [3, None, -3, 3], "floors": [Decimal("1.5"), Decimal("1.5"), Decimal("1.5"), None]}
    columns |= {"zipcode": [98178.0, 98178.0, float("nan"), 98178.0]}
    run(job(parquet(tmp_path / "table.parquet", **columns), Scorer("house_price", forest[1])))
    rejected = [json.loads(line) for line in (tmp_path / "scores.csv.rejected.jsonl").read_text().splitlines()]
    assert [(one["row"], one["reason"]) for one in rejected] == [
        (2, "bedrooms is empty"),
        (3, "bedrooms is negative: -3; zipcode is not finite: nan"),
        (4, "floors is empty"),
    ]
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 2


def test_parquet_that_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "table.parquet", a=["1", "2"], c=[1, 2])
    with pytest.raises(SourceError, match=r"missing columns: b \(there are: a, c\); columns without numbers: a "):
        run(job(path))
    parquet(path, a=range(1000), b=range(1000))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"x" * 200 + content[len(content) // 2 + 200 :])
    with pytest.raises(SourceError, match="cannot be read to its end"):
        run(job(path))
    path.write_bytes(content[:-100])
    with pytest.raises(SourceError, match="is no Parquet file that can be read"):
        run(job(path))
    assert not (tmp_path / "scores.csv").exists()


class InBucket:
    """A job from a bucket to it, of small pieces, as several pods have it."""

    def __init__(self, buckets: S3Client, table: Path, folder: str) -> None:
        self.place, self.name = place_of(f"s3://data/{folder}/scores.csv")
        self.buckets, self.folder, self.address = buckets, folder, f"s3://data/{folder}/table.csv"
        buckets.upload_file(str(table), "data", f"{folder}/table.csv")

    def run(self, scorer: Any = None, worker: int = 0, workers: int = 1) -> dict[str, Any] | None:
        """As `run`, by one of the workers."""
        scorer = scorer or Adding()
        with opened(self.address, scorer.features) as source:
            share = (worker, workers)
            return run(Job(source, scorer, self.place, self.name, MODEL, share, "now", piece_bytes=500))

    def left(self) -> dict[str, bytes]:
        """The scores, and what is beside them."""
        listed = self.buckets.list_objects_v2(Bucket="data", Prefix=f"{self.folder}/scores")
        keys = [one["Key"] for one in listed.get("Contents", [])]
        return {key.rpartition("/")[2]: self.buckets.get_object(Bucket="data", Key=key)["Body"].read() for key in keys}


def test_from_bucket_to_bucket(buckets: S3Client, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(job(table, piece=500))
    expected = left(table)
    assert InBucket(buckets, table, "one").run() is not None

    several, scorers = InBucket(buckets, table, "several"), [Adding() for _ in range(3)]
    ends = [several.run(scorers[worker], worker, 3) for worker in (2, 0, 1)]
    assert [end is not None for end in ends] == [False, False, True]
    assert several.left() == InBucket(buckets, table, "one").left() == expected

    allow, kills = killing(monkeypatch, Bucket), 0
    killed = InBucket(buckets, table, "killed")
    while killed.left().keys() != expected.keys():
        allow(kills % 7)
        try:
            killed.run()
        except KilledError:
            kills += 1
        assert kills < 1000
    assert kills >= 5
    assert killed.left() == expected


def test_workers_notice_that_they_read_different_tables(buckets: S3Client, table: Path) -> None:
    shared = InBucket(buckets, table, "changing")
    assert shared.run(worker=0, workers=2) is None
    buckets.put_object(Bucket="data", Key="changing/table.csv", Body=table.read_bytes().replace(b"199", b"198"))
    with pytest.raises(SourceError, match=r"s3://data/changing/table.csv has changed while it was read"):
        shared.run(worker=1, workers=2)
    assert "scores.csv" not in shared.left()
    # The next run is of the table as it is now.
    assert [shared.run(worker=worker, workers=2) is not None for worker in (0, 1)] == [False, True]


def test_address_has_the_time_at_which_a_schedule_began_its_run() -> None:
    assert dated("s3://a/{date}/{time}.csv", "nightly-29933400") == "s3://a/2026-11-30/2026-11-30T0200Z.csv"
    assert dated("s3://a/b.csv", "by-hand") == "s3://a/b.csv"
    assert dated("{date}.csv", None) == "{date}.csv"
    with pytest.raises(NamingError, match="and by-hand has not: call it NAME-"):
        dated("{date}.csv", "by-hand")


def test_line_breaks_in_quotes_are_no_rows_wherever_the_first_megabyte_ends(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    for length in range(3):
        table.write_text("a;b;note\n" + f'1;2;"one\ntwo{"x" * length}"\n' * 80_000)
        assert CsvTable(table, ["a", "b"]).separator == ";"


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_of_two_jobs_with_one_output_one_gets_it(
    buckets: S3Client, table: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    buckets.put_object(Bucket="data", Key="two/here", Body=b"")
    place, name = place_of("s3://data/two/scores.csv" if where == "bucket" else str(table.with_name("scores.csv")))
    other = table.with_name("other.csv")
    other.write_text("a,b\n7,8\n")
    adding = cast(Scorer, Adding())
    with opened(str(table), "ab") as source, opened(str(other), "ab") as second:
        jobs = [Job(one, adding, place, name, MODEL) for one in (source, second)]
        look = Job._refuse_others

        def while_the_other_comes(one: Job) -> None:
            look(one)
            monkeypatch.setattr(Job, "_refuse_others", look)
            with pytest.raises(OutputError, match="is what another job is writing, as scores"):
                run(jobs[1])

        monkeypatch.setattr(Job, "_refuse_others", while_the_other_comes)
        assert run(jobs[0])
        with pytest.raises(OutputError, match="is there already, of something else"):
            run(jobs[1])
        assert run(jobs[0])
    assert not place.is_there(f"{name}.claim")


def test_another_process_with_the_same_job_may_be_faster(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = job(table), job(table)
    write = Folder.write

    def late(place: Folder, name: str, *arguments: Any, **options: Any) -> bool:
        if name.endswith(".claim"):
            monkeypatch.setattr(Folder, "write", write)
            run(other)
        return write(place, name, *arguments, **options)

    monkeypatch.setattr(Folder, "write", late)
    assert run(one) == job(table).done()
    assert not list(table.parent.glob("*.parts-*"))


def test_store_that_refuses(buckets: S3Client, table: Path) -> None:
    with pytest.raises(SourceError, match="there is no bucket data, or no key none"):
        opened("s3://data/none.csv", "ab").__enter__()
    stored, adding = InBucket(buckets, table, "full"), cast(Scorer, Adding())
    with pytest.raises(SourceError, match=r"has 1,864 bytes, and there is room for 10 here: make more"):
        opened(stored.address, "ab", room=10).__enter__()
    stored.run()
    with pytest.raises(OutputError, match=r"s3://data/full/scores.csv is there already, of something else"):
        buckets.put_object(Bucket="data", Key="full/scores.csv", Body=b"mine")
        stored.run()
    assert stored.left()["scores.csv"] == b"mine"
    with pytest.raises(OutputError, match="there is no bucket none"):
        place, name = place_of("s3://none/scores.csv")
        with opened(stored.address, "ab") as source:
            run(Job(source, adding, place, name, MODEL))
    with opened(stored.address, "ab") as source, pytest.raises(OutputError, match="is the table itself"):
        Job(source, adding, *place_of(stored.address), MODEL)
