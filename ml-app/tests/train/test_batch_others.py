"""Tables are scored by models that others have logged, in the types of their signatures; what does not fit is told."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow.models import ModelSignature, infer_signature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import Array

from batch import kinds
from batch.__main__ import main
from batch.anymodel import AnyScorer
from batch.job import Job
from batch.places import Folder
from batch.scored import ScorerError, WrongAnswerError
from batch.source import SourceError
from batch.tables import opened

MODEL = {"name": "spending", "version": "3"}
COLUMNS = Schema(
    [
        ColSpec("string", "city"),
        ColSpec("double", "income"),
        ColSpec("integer", "age"),
        ColSpec("boolean", "vip"),
        ColSpec("datetime", "since", required=False),
        ColSpec("long", "visits", required=False),
        ColSpec("string", "note", required=False),
    ]
)
NO_TIME = "no time such as 2026-01-31 or 2026-01-31T12:00:00, from 1678 to 2261"
HEAD = "city,income,age,vip,since,visits,note,unused"


def told(model_input: Any) -> list[str]:
    """The values of each row as Python has them."""
    rows = model_input.to_dict("records")
    return [" ".join(f"{name}={value!r}" for name, value in row.items()) for row in rows]


def stored(folder: Path, answer: Any, inputs: Schema | None = COLUMNS, **how: Any) -> Path:
    """The folder of a model that answers by a function of its input."""

    class Model(PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            del context, params
            os.write(1, b"a model may print")
            return answer(model_input)

    path = folder / "model"
    signature = None if inputs is None else ModelSignature(inputs, how.pop("outputs", None))
    mlflow.pyfunc.save_model(path, python_model=Model(), signature=signature, pip_requirements=["mlflow"], **how)
    return path


def scored(model: Path, table: Path, name: str = "scores.csv", piece: int = 4 << 20) -> dict[str, Any]:
    """The manifest of a table's scores."""
    scorer = AnyScorer(model)
    with opened(str(table), scorer.wanted) as source:
        manifest = Job(source, scorer, Folder(table.parent), name, MODEL, piece_bytes=piece).run(lambda *_: None)
    assert manifest is not None
    return manifest


def written(folder: Path, *rows: str, head: str = HEAD, name: str = "table.csv") -> Path:
    table = folder / name
    table.write_text("".join(f"{line}\n" for line in (head, *rows)))
    return table


def reasons(folder: Path) -> dict[int, str]:
    lines = (folder / "scores.csv.rejected.jsonl").read_text().splitlines()
    return {int(one.get("line", one.get("row"))): one["reason"] for one in map(json.loads, lines)}


def test_rows_reach_the_model_in_the_types_of_its_signature(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table = written(
        tmp_path,
        'Oslo,50.5,30,true,2026-01-31,3,"a ""note"", of two',
        'lines",x',
        "Bergen, 7 ,30.0,FALSE,2026-01-31T12:00:00+02:00,,,x",
    )
    words = ["--files", str(stored(tmp_path, told)), "--name", "spending", "--version", "3"]
    assert main([*words, "--input", str(table), "--output", str(tmp_path / "scores.csv")]) == 0
    # Nothing but the manifest, whatever the model prints.
    manifest = json.loads(capfd.readouterr().out)
    assert manifest["model"].items() >= MODEL.items()
    assert manifest["unused_columns"] == ["unused"]
    lines = pd.read_csv(tmp_path / "scores.csv")
    assert lines["line"].tolist() == [3, 4]
    assert lines["prediction"].tolist() == [
        "city='Oslo' income=50.5 age=30 vip=True since=Timestamp('2026-01-31 00:00:00') visits=3 "
        "note='a \"note\", of two\\nlines'",
        # Of whole numbers MLflow takes none that is missing, but a column that is not there.
        "city='Bergen' income=7.0 age=30 vip=False since=Timestamp('2026-01-31 10:00:00') note=None",
    ]


def test_values_that_do_not_fit_are_rejected_with_all_reasons(tmp_path: Path) -> None:
    wrong = {
        ",1,1,true,,,,": "city is empty",
        "Oslo,x,,yes,31.1.2026,1.5,,": "income is not a number: x; age is empty; vip is neither true nor false: yes; "
        f"since is {NO_TIME}: 31.1.2026; visits is no whole number: 1.5",
        "Oslo,1e39,3000000000,true,3000-01-01,99999999999999999999,,": "income is too large (above 3.4e+38): 1e39; "
        f"age is too large for int32: 3000000000; since is {NO_TIME}: 3000-01-01; "
        "visits is too large for int64: 99999999999999999999",
        "Oslo,1": "2 cells, where the first line has 8",
    }
    table = written(tmp_path, *wrong, "Oslo,1,1,1,,,,")
    manifest = scored(stored(tmp_path, told), table)
    assert manifest["scored"]["rows"] == 1
    assert reasons(tmp_path) == dict(enumerate(wrong.values(), 2))


def test_parquet_is_read_by_its_types_as_csv_by_its_texts(tmp_path: Path) -> None:
    rows = {
        "city": pa.array(["Oslo", "Bergen", None, "Oslo"]).dictionary_encode(),
        "income": [Decimal("1.50"), Decimal("2.25"), Decimal("3.00"), None],
        "age": pa.array([30, 31, 32, 3_000_000_000], pa.int64()),
        "vip": [True, False, True, None],
        "since": pa.array([date(2026, 1, 31), None, date(3000, 1, 1), None], pa.date32()),
        "visits": [3.0, None, 1.5, 1.0],
        "note": pa.array([None] * 4, pa.null()),
    }
    table = tmp_path / "table.parquet"
    pq.write_table(pa.table(rows), table)
    model = stored(tmp_path, told)
    scored(model, table)
    assert [line.split(",", 1)[1] for line in (tmp_path / "scores.csv").read_text().splitlines()[1:]] == [
        "\"city='Oslo' income=1.5 age=30 vip=True since=Timestamp('2026-01-31 00:00:00') visits=3 note=None\"",
        "\"city='Bergen' income=2.25 age=31 vip=False since=NaT note=None\"",
    ]
    assert reasons(tmp_path) == {
        3: f"city is empty; since is {NO_TIME}: 3000-01-01; visits is no whole number: 1.5",
        4: "income is empty; age is too large for int32: 3000000000; vip is empty",
    }
    pq.write_table(pa.table(rows | {"city": [1, 2, 3, 4], "vip": ["x"] * 4}), table)
    with pytest.raises(
        SourceError, match=r"columns without true or false: vip holds string; .*texts: city holds int64"
    ):
        scored(model, table, "other.csv")


def test_whole_numbers_are_exact_however_they_are_written(tmp_path: Path) -> None:
    ids = [12345678901234567, 9007199254740993, -9007199254740993]
    model = stored(tmp_path, lambda frame: frame["n"], Schema([ColSpec("long", "n")]))
    decimals = pa.array([Decimal(one) for one in ids], pa.decimal128(38, 10))
    pq.write_table(pa.table({"n": decimals}), tmp_path / "table.parquet")
    scored(model, tmp_path / "table.parquet", "parquet.csv")
    floats = [2.0**60, -(2.0**63), float(2**56), 2.0]
    pq.write_table(pa.table({"n": pa.array([*floats, None])}), tmp_path / "floats.parquet")
    scored(model, tmp_path / "floats.parquet", "floats.csv")
    assert [int(line.split(",")[1]) for line in (tmp_path / "floats.csv").read_text().splitlines()[1:]] == floats
    texts = [f"{ids[0]}.0", f" {ids[1]}.00 ", f"{ids[2]}e0", "1e18", "1e-400", "1.5", "1e-99999999999999999999"]
    scored(model, written(tmp_path, *texts, head="n"))
    assert pd.read_csv(tmp_path / "parquet.csv")["n"].tolist() == ids
    assert pd.read_csv(tmp_path / "scores.csv")["n"].tolist() == [*ids, 10**18]
    assert set(reasons(tmp_path).values()) == {f"n is no whole number: {text}" for text in texts[4:]}


def test_decimals_are_the_floats_of_the_same_texts() -> None:
    texts = [f"{number / 100:.2f}" for number in range(0, 10_000_000, 997)]
    decimals = pa.array([Decimal(text) for text in texts])
    assert kinds.floats(decimals).tolist() == [float(text) for text in texts]


def test_times_that_pandas_does_not_have_are_rejected_whatever_their_unit(tmp_path: Path) -> None:
    model = stored(tmp_path, lambda frame: frame["t"].astype(str), Schema([ColSpec("datetime", "t")]))
    far = {
        "ms": (2**63 - 1, "9223372036854775807 (timestamp[ms]) since 1970"),
        "s": (18446744073809, "18446744073809000 (timestamp[ms]) since 1970"),
        "us": (-(2**63), "-9223372036854775808 (timestamp[us]) since 1970"),
        "ns": (-(2**63), "-9223372036854775808 (timestamp[ns]) since 1970"),
    }
    for unit, (number, text) in far.items():
        column = pa.array([number, 0, None], pa.int64()).cast(pa.timestamp(unit))
        pq.write_table(pa.table({"t": column}), tmp_path / f"{unit}.parquet")
        scored(model, tmp_path / f"{unit}.parquet", f"{unit}.csv")
        assert pd.read_csv(tmp_path / f"{unit}.csv")["t"].tolist() == ["1970-01-01"]
        lines = (tmp_path / f"{unit}.csv.rejected.jsonl").read_text()
        assert [json.loads(line)["reason"] for line in lines.splitlines()] == [f"t is {NO_TIME}: {text}", "t is empty"]
    days = pa.array([2932897, 1], pa.int32()).cast(pa.date32())
    for name, column in (
        ("days", days),
        ("zone", pa.array([10**13, 1], pa.int64()).cast(pa.timestamp("s", "Mars/X"))),
    ):
        pq.write_table(pa.table({"t": column}), tmp_path / f"{name}.parquet")
        assert scored(model, tmp_path / f"{name}.parquet", f"{name}.csv")["scored"]["rows"] == 1


def test_pieces_are_of_one_type_without_a_number_changing(tmp_path: Path) -> None:
    def answer(frame: Any) -> Any:
        return frame["n"].where(frame["n"] >= 0) if (frame["n"] < 0).any() else frame["n"]

    model = stored(tmp_path, answer, Schema([ColSpec("long", "n")]))
    small, large = [f"{n:020}" for n in range(100)], [f"{2**53 + n:020}" for n in range(1, 100)]
    for name, numbers, kind in (("small", small, float), ("large", large, str)):
        table = written(tmp_path, *numbers, "-0001", head="n", name=f"{name}.csv")
        assert scored(model, table, f"{name}.parquet", piece=500)["scored"]["rows"] == len(numbers) + 1
        answers = pq.read_table(tmp_path / f"{name}.parquet").column("n").to_pylist()
        assert answers[:10] == [kind(int(number)) for number in numbers[:10]]
        assert answers[-1] is None


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_whoever_is_killed_goes_on_and_the_result_is_the_same(tmp_path: Path, ending: str) -> None:
    # Whole numbers in some pieces, fractions or nothing in others.
    def half(frame: Any) -> Any:
        if 100 <= frame["n"].iloc[0] < 150:
            return pd.DataFrame({"half": [None] * len(frame), "name": [None] * len(frame)})
        values = frame["n"] // 2 if frame["n"].iloc[0] < 50 else frame["n"] / 2
        return pd.DataFrame({"half": values, "name": frame["n"].astype(str) + "\n"})

    model = stored(tmp_path, half, Schema([ColSpec("long", "n")]))
    table = written(tmp_path, *map(str, range(300)), head="n")
    name = f"scores.{ending}"

    def left() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in tmp_path.glob(f"{name}*")}

    assert scored(model, table, name, 100)["scored"]["rows"] == 300
    expected = left()
    for path in expected:
        (tmp_path / path).unlink()
    scorer = AnyScorer(model)
    for allowed in (1, 5, 3):
        pieces = 0

        def until_killed(_rows: int, _read: float, allowed: int = allowed) -> None:
            nonlocal pieces
            pieces += 1
            if pieces == allowed:
                raise KeyboardInterrupt

        with opened(str(table), scorer.wanted) as source, pytest.raises(KeyboardInterrupt):
            Job(source, scorer, Folder(tmp_path), name, MODEL, piece_bytes=100).run(until_killed)
    # Of two that share the rest the last one puts all together.
    for worker in (1, 0):
        with opened(str(table), scorer.wanted) as source:
            job = Job(source, scorer, Folder(tmp_path), name, MODEL, (worker, 2), piece_bytes=100)
            assert (job.run(lambda *_: None) is not None) == (worker == 0)
    assert left() == expected
    if ending == "parquet":
        found = pq.read_table(tmp_path / name)
        assert [str(one.type) for one in found.schema] == ["int64", "double", "string"]
        assert found.column("half").to_pylist()[-1] == 149.5
        assert found.column("name").null_count > 0


def test_rows_at_which_the_model_fails_are_rejected_alone(tmp_path: Path) -> None:
    def answer(frame: Any) -> Any:
        if (frame["n"] % 40 == 7).any():
            raise ValueError(f"no\n{frame['n'][frame['n'] % 40 == 7].iloc[0]}")
        return frame["n"].to_numpy()

    model = stored(tmp_path, answer, Schema([ColSpec("long", "n")]))
    table = written(tmp_path, *map(str, range(100)), head="n")
    assert scored(model, table)["scored"]["rows"] == 97
    assert reasons(tmp_path) == {at + 2: f"the model fails: ValueError: no {at}" for at in (7, 47, 87)}
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    assert lines[0] == "line,prediction"
    assert lines[-1] == "101,99"

    def none(frame: Any) -> Any:
        raise KeyError(len(frame))

    with pytest.raises(
        WrongAnswerError, match="answers none of 100 rows that fit its columns: row 2: the model fails: Key"
    ):
        scored(stored(tmp_path / "none", none, Schema([ColSpec("long", "n")])), table, "none.csv")

    def silent(frame: Any) -> Any:
        raise ConnectionError(len(frame))

    with pytest.raises(ScorerError, match="the model fails: ConnectionError: 100"):
        scored(stored(tmp_path / "silent", silent, Schema([ColSpec("long", "n")])), table, "silent.csv")


@pytest.mark.parametrize(
    ("answer", "head", "first"),
    [
        (lambda frame: np.ones((len(frame), 2)), "line,prediction_0,prediction_1", "2,1,1"),
        (lambda frame: np.ones((len(frame), 1), bool), "line,prediction", "2,true"),
        (lambda frame: frame["n"].rename("q"), "line,q", "2,0"),
        (lambda frame: [{"a": "x", "line": 1.5}] * len(frame), "line,a,prediction_line", '2,"x",1.5'),
        (lambda frame: {"p": np.zeros(len(frame)), "c": ["u"] * len(frame)}, "line,p,c", '2,0,"u"'),
        (lambda frame: [[1, "a"], [2, "b"]], "line,prediction_0,prediction_1", '2,1,"a"'),
        (lambda frame: [[1], [2, 3]], "line,prediction", '2,"[1]"'),
        (lambda frame: pd.Series([datetime(2026, 1, 31, 12)] * 2), "line,prediction", "2,2026-01-31 12:00:00.000000"),
        (lambda frame: pd.Series(["a", None], dtype="category"), "line,prediction", '2,"a"'),
        (lambda frame: [b"\0\1", None], "line,prediction", '2,"AAE="'),
        # By the index it is the first row's.
        (lambda frame: frame.sort_values("n", ascending=False), "line,n", "2,0"),
        (lambda frame: frame["n"].sort_values(ascending=False), "line,n", "2,0"),
        (lambda frame: {"p": frame["n"].sort_values(ascending=False)}, "line,p", "2,0"),
        (lambda frame: pd.DataFrame({"p": [7, 8]}, index=[9, 3]), "line,p", "2,7"),
        (lambda frame: pd.Series([7, 8], pd.Index([1, 0], name="customer"), name="p"), "line,p", "2,7"),
        (lambda frame: np.array([2**64 - 1, 1], np.uint64), "line,prediction", '2,"18446744073709551615"'),
        (lambda frame: np.array([2**60, 1], np.uint64), "line,prediction", f"2,{2**60}"),
        (lambda frame: [Decimal("99999.90"), None], "line,prediction", "2,99999.9"),
        (lambda frame: [Decimal("12345678901234567.25"), None], "line,prediction", '2,"12345678901234567.25"'),
        (lambda frame: pd.Series(pd.period_range("2020-01", periods=2, freq="M")), "line,prediction", '2,"2020-01"'),
        (lambda frame: pd.Series([None, pd.Interval(0, 1)], dtype="interval"), "line,prediction", "2,"),
        (lambda frame: pd.DataFrame({'a "b", c': [float("nan"), 1]}), 'line,"a ""b"", c"', "2,"),
    ],
)
def test_whatever_is_answered_is_a_table(tmp_path: Path, answer: Any, head: str, first: str) -> None:
    model = stored(tmp_path, answer, Schema([ColSpec("long", "n")]))
    scored(model, written(tmp_path, "0", "1", head="n"))
    assert (tmp_path / "scores.csv").read_text().splitlines()[:2] == [head, first]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda frame: np.ones(1), "the model answers 2 rows by 1: it does not answer row by row"),
        (lambda frame: pd.DataFrame([[1, 2]] * 2, columns=["a", "a"]), "several columns of one name: a, a"),
        (lambda frame: np.array([2**60] * 2, "datetime64[s]"), "the model answers times that no table holds"),
    ],
)
def test_answers_that_are_no_scores_of_rows(tmp_path: Path, answer: Any, reason: str) -> None:
    model = stored(tmp_path, answer, Schema([ColSpec("long", "n")]))
    table = written(tmp_path, "0", "1", head="n")
    words = ["--files", str(model), "--name", "x", "--version", "1", "--input", str(table)]
    assert main([*words, "--output", str(tmp_path / "scores.csv")]) == 2
    with pytest.raises(WrongAnswerError, match=reason):
        scored(model, table)
    assert not (tmp_path / "scores.csv").exists()


def shown(given: Any) -> list[str]:
    """What each row was handed over as."""
    if isinstance(given, dict):
        return [json.dumps({name: values[at].tolist() for name, values in given.items()}) for at in range(2)]
    if isinstance(given, list):
        return [f"{type(one).__name__} {one}" for one in given]
    if isinstance(given, np.ndarray):
        return [f"{given.dtype} {one.tolist()}" for one in given]
    return [f"{list(given.columns)} {row}" for row in given.to_numpy().tolist()]


@pytest.mark.parametrize(
    ("inputs", "example", "answer"),
    [
        (Schema([TensorSpec(np.dtype("float32"), (-1, 2, 1))]), None, "float32 [[1.0], [2.0]]"),
        (Schema([TensorSpec(np.dtype("int64"), (-1, -1))]), None, "int64 [1, 2]"),
        (
            Schema([TensorSpec(np.dtype("float64"), (-1,), "b"), TensorSpec(np.dtype("int64"), (-1, 1), "a")]),
            None,
            '{"b": 2.0, "a": [1]}',
        ),
        (None, pd.DataFrame({"b": ["x"]}), "['b'] ['2']"),
        (None, None, "['a', 'b'] [1.0, 2.0]"),
    ],
)
def test_columns_are_what_signature_or_example_say_else_numbers(
    tmp_path: Path, inputs: Schema | None, example: Any, answer: str
) -> None:
    model = stored(tmp_path, shown, inputs)
    if example is not None:
        # As MLflow did before it made a signature of each example.
        other = stored(tmp_path / "other", shown, None, input_example=example)
        file = other / "MLmodel"
        lines = file.read_text().splitlines(keepends=True)
        begin = next(at for at, line in enumerate(lines) if line.startswith("signature:"))
        end = next((at for at in range(begin + 1, len(lines)) if not lines[at].startswith(" ")), len(lines))
        file.write_text("".join(lines[:begin] + lines[end:]))
        model = other
    scored(model, written(tmp_path, "1,2", "3,4", head="a,b"))
    assert pd.read_csv(tmp_path / "scores.csv")["prediction"][0] == answer


def test_tables_and_models_that_do_not_go_together(tmp_path: Path) -> None:
    table = written(tmp_path, "1,2", head="a,b")
    for inputs, error, reason in (
        (Schema([ColSpec("long", "a"), ColSpec("long", "c")]), SourceError, r"missing columns: c \(there are: a, b\)"),
        (
            Schema([TensorSpec(np.dtype("float64"), (-1, 3))]),
            SourceError,
            "2 columns, where the model takes 3, without names",
        ),
        (Schema([ColSpec(Array(DataType.double), "a")]), WrongAnswerError, "takes lists or objects in columns, .*: a"),
        (
            Schema([TensorSpec(np.dtype("float64"), (-1, 3), "a"), TensorSpec(np.dtype("float64"), (-1,), "b")]),
            WrongAnswerError,
            "takes tensors of several values in a row",
        ),
    ):
        with pytest.raises(error, match=reason):
            scored(stored(tmp_path / str(len(list(tmp_path.iterdir()))), shown, inputs), table)
    optional = stored(tmp_path / "optional", shown, Schema([ColSpec("double", "c", required=False)]))
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "table.parquet")
    for one in (table, tmp_path / "table.parquet"):
        with pytest.raises(SourceError, match=r"missing columns: c \(there are: a, b\)"):
            scored(optional, one)
    damaged = stored(tmp_path / "damaged", shown)
    (damaged / "python_model.pkl").write_bytes(b"no")
    with pytest.raises(ScorerError, match="cannot be loaded: "):
        AnyScorer(damaged)
    assert infer_signature(pd.DataFrame({"a": ["x", None]})).inputs.inputs[0].required is False


def test_answers_to_the_example_are_compared_as_a_server_compares_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = stored(tmp_path, told)
    digest = AnyScorer(model).files
    outputs = [{"name": "p", "datatype": "FP64", "data": [1.5]}]
    record = {"rows": 1, "outputs": outputs, "versions": {}}
    # MLServer, which writes answers so, is not here.
    monkeypatch.setattr("standardserver.expected.answers_of", lambda *_: outputs)
    with monkeypatch.context() as required, pytest.raises(ScorerError, match=r"mlplatform-answers.json is missing"):
        required.setenv("MLPLATFORM_ANSWERS", "required")
        AnyScorer(model)
    (model / "mlplatform-answers.json").write_text(json.dumps(record))
    # The file is none of the version's.
    assert AnyScorer(model).files == digest
    (model / "mlplatform-answers.json").write_text(json.dumps(record | {"outputs": [outputs[0] | {"data": [2]}]}))
    with pytest.raises(ScorerError, match=r"does not answer as its own libraries did: value 0 is 1.5, where 2 is"):
        AnyScorer(model)
    monkeypatch.setenv("MLPLATFORM_ANSWERS", "ignored")
    AnyScorer(model)
