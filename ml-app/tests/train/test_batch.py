"""Tables of any size are scored row by row as the model answers, or refused; whoever is killed goes on where it was."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
import yaml
from sklearn.ensemble import RandomForestRegressor

from batch.__main__ import main
from batch.job import MANIFEST, Job, OutputError
from batch.scorer import Scored, Scorer
from batch.source import Piece, Source, SourceError
from house_price.features import FEATURES
from house_price.train.recipe import RECIPE
from modelkit.parity import Record
from modelkit.training import installed

HEAD = ",".join(FEATURES)
ROW = "3,1.5,1340,1340,7,1,0,5650,0,98178"
MODEL = {"name": "house-price", "version": "7"}


class Adding:
    """In the place of a model: answers the sum of two columns, and counts how often it is asked."""

    features = ("a", "b")
    outputs = ("sum",)
    files = "0" * 64

    def __init__(self) -> None:
        self.pieces = 0

    def score(self, source: Source, piece: Piece) -> Scored:
        """As `Scorer.score`."""
        self.pieces += 1
        known = list(source.rows(piece))
        answers = [[sum(float(cells[source.names.index(name)]) for name in "ab")] for _, cells in known]
        return Scored([line for line, _ in known], np.array(answers), [])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "".join(f"{row},{row / 8}\n" for row in range(200)))
    return path


def job(table: Path, scorer: Any = None, *, share: tuple[int, int] = (0, 1), name: str = "scores.csv") -> Job:
    """A job of many small pieces."""
    scorer = scorer or Adding()
    return Job(Source(table, scorer.features), scorer, table.parent / name, MODEL, share, piece_bytes=100)


def run(one: Job) -> dict[str, Any] | None:
    return one.run(lambda _pieces, _rows: None)


def left(table: Path) -> dict[str, bytes]:
    """The files beside a table, and what is in them."""
    return {path.name: path.read_bytes() for path in table.parent.iterdir() if path != table}


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> tuple[RandomForestRegressor, Path]:
    """A forest, and the folder in which training has stored it."""
    folder = tmp_path_factory.mktemp("model")
    table = np.loadtxt(RECIPE.sample, delimiter=",", skiprows=1)
    rows, prices = table[:, : len(FEATURES)], table[:, len(FEATURES)]
    model = RandomForestRegressor(n_estimators=20, max_depth=6, random_state=3).fit(rows, prices)
    libraries = installed(("scikit-learn", "numpy", "skops"))
    record = Record(list(FEATURES), rows[:5].tolist(), model.predict(rows[:5]).tolist(), libraries)
    skops.io.dump(model, folder / "model.skops")
    content = {"flavors": {"sklearn": {"pickled_model": "model.skops"}}, "metadata": record.to_metadata()}
    (folder / "MLmodel").write_text(yaml.safe_dump(content))
    return model, folder


def test_scores_are_the_models(forest: tuple[RandomForestRegressor, Path], tmp_path: Path) -> None:
    model, folder = forest
    output = tmp_path / "scores.csv"
    words = ["house_price", "--files", str(folder), "--name", "house-price", "--version", "7"]
    assert main([*words, "--input", str(RECIPE.sample), "--output", str(output)]) == 0
    scores = np.loadtxt(output, delimiter=",", skiprows=1)
    rows = np.loadtxt(RECIPE.sample, delimiter=",", skiprows=1)[:, : len(FEATURES)]
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
    ],
)
def test_tables_of_other_forms(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    run(job(table))
    assert [line.split(",")[1] for line in (tmp_path / "scores.csv").read_text().splitlines()] == ["sum", "3.0", "7.0"]


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
        (b"PAR1\x00\x00", "is a Parquet file"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 10_000)[:-9], "cannot be read"),
        (b'a,b\n1,"2\n' + b"3,4\n" * 1000, "is not a CSV file: line 1002: unexpected end of data"),
        (b"a,b\n" + b"1,2\n" * 300_000 + b'1,"2\n' + b"3,4\n" * 1000, "line 300002 does not end: is a quote never"),
        (b"a,b\r1,2\r", "has lines that end as on old Macs"),
        (b'{"a": 1, "b": 2}', "is JSON"),
        (b"a,b\n1,2\0\n", "holds zero bytes"),
        (b"a;b\n1.560;2\n", "which may be 1560 or 1.56"),
        (b"\n", "is empty"),
        (gzip.compress(bytes(range(256)) * 1000)[:200] + b"\0" * 99, "cannot be read"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, reason: str) -> None:
    monkeypatch.setattr("batch.source.LONGEST_ROW", 2000)
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        run(job(table))
    assert str(caught.value).startswith(str(table))
    assert reason in str(caught.value)
    assert not (tmp_path / "scores.csv").exists()


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "is no file with a table"), (tmp_path / "absent", "No such file or directory")):
        with pytest.raises(SourceError, match=reason):
            Source(path, ["a"])


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

    class KilledError(BaseException):
        pass

    replace, allowed, pieces = Path.replace, 0, 0

    def until_killed(path: Path, target: Path) -> Path:
        nonlocal allowed
        allowed -= 1
        if allowed < 0:
            raise KilledError
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", until_killed)
    kills = 0
    for _ in range(1000):
        # From nothing to some pieces, or all steps of the end.
        allowed, scorer = kills % 8, Adding()
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
    job(table, share=(0, 2)).run(lambda _pieces, _rows: None)
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
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        run(job(table, name="absent/scores.csv"))
    assert table.with_name("scores.csv").read_text() == "mine"


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
        ("nan,x,2\n", False),
        ("1e999,x,2\n", False),
        ("0x10,x,2\n", False),
    ],
)
def test_numbers_are_read_fast_only_where_they_are_read_alike(tmp_path: Path, rows: str, plain: bool) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"a,c,b\n{rows}")
    source = Source(table, ["a", "b"])
    piece = next(source.pieces(1000))
    found = source.numbers(piece, ["b", "a"])
    assert (found is not None) == plain
    if found is not None:
        slowly = [(line, [float(cells[2]), float(cells[0])]) for line, cells in source.rows(piece)]
        assert list(zip(found[0], found[1].tolist(), strict=True)) == slowly
