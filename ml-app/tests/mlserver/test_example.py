"""A model that plain MLflow has logged goes into service when it has answered its example as its signature says."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from standard_server import Server
from standardserver.logged import LARGEST_REQUEST, MOST_ROWS, NoTableError, Signature, example, signature
from standardserver.startup import flaw_of
from test_requests import tensor

random = np.random.default_rng(0)
# With what YAML folds, quotes and escapes.
HOUSES = pd.DataFrame(
    {"area of the  house": random.random(60), "rooms": random.integers(1, 9, 60), "owner's Größe": random.random(60)}
)
AREA, ROOMS, OWNER = map(str, HOUSES)
PRICES = HOUSES @ np.array([100, 10, 1])
DEAR = (PRICES.median() < PRICES).to_numpy()
STREETS = HOUSES.assign(street=np.where(DEAR, "High", "Low"))

RUNTIMES = {"frame": "xgboost", "pipeline": "sklearn", "array": "mlflow", "texts": "mlflow", "reordered": "xgboost"}


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of each model, in a folder of its name."""
    folder = tmp_path_factory.mktemp("logged")

    def log(name: str, model: Any, inputs: Any, answers: Any, **more: Any) -> None:
        flavor: Any = mlflow.xgboost if isinstance(model, xgboost.XGBModel) else mlflow.sklearn
        if flavor is mlflow.sklearn:
            more["serialization_format"] = "cloudpickle"
        said = infer_signature(inputs, answers)
        # MLflow looks for the libraries itself unless it is told one, which takes 20 s.
        flavor.save_model(
            model, folder / name, input_example=inputs[:3], signature=said, pip_requirements=["numpy"], **more
        )

    trees = xgboost.XGBRegressor(n_estimators=5).fit(HOUSES, PRICES)
    log("frame", trees, HOUSES, trees.predict(HOUSES))
    # Trees find the columns of an array by their place alone.
    log("reordered", trees, HOUSES[[ROOMS, AREA, OWNER]], PRICES)
    plain = xgboost.XGBRegressor(n_estimators=5).fit(HOUSES.to_numpy(), PRICES)
    log("array", plain, HOUSES.to_numpy(), plain.predict(HOUSES.to_numpy()))
    log("pipeline", make_pipeline(StandardScaler(), LinearRegression()).fit(HOUSES, PRICES), HOUSES, PRICES)
    coded = make_column_transformer((OneHotEncoder(), ["street"]), remainder="passthrough")
    texts = make_pipeline(coded, LogisticRegression()).fit(STREETS, DEAR.astype(int))
    log("texts", texts, STREETS, texts.predict_proba(STREETS), pyfunc_predict_fn="predict_proba")
    return folder


@pytest.fixture(scope="module")
def running(logged: Path, serve: Callable[..., Server]) -> dict[str, Server]:
    """A server of each model."""
    started = {name: serve(runtime, logged / name) for name, runtime in RUNTIMES.items()}
    for server in started.values():
        server.wait_until_ready()
    return started


def said(server: Server, files: Path | None = None) -> tuple[int, str]:
    checked = server.startup(files)
    assert not checked.stderr, checked.stderr
    return checked.returncode, checked.stdout.rstrip("\n")


@pytest.mark.parametrize("name", [name for name in RUNTIMES if name != "reordered"])
def test_a_model_that_answers_its_example_is_in_service(running: dict[str, Server], name: str) -> None:
    assert said(running[name]) == (0, "3 rows of its input example answered")


def test_a_model_that_refuses_its_example_is_not(running: dict[str, Server]) -> None:
    code, line = said(running["reordered"])
    assert code == 1
    assert line.startswith("its input example is not answered: the server answers 400: ")
    assert "feature_names mismatch" in line


def outputs(*columns: dict[str, Any]) -> Callable[[str], str]:
    """Changes what a signature says of the outputs."""
    return lambda text: re.sub(r"(?m)^  outputs: .*$", f"  outputs: '{json.dumps(columns)}'", text)


CHANGES: dict[str, tuple[Callable[[str], str], int, str]] = {
    "two outputs": (
        outputs({"type": "double", "name": "a"}, {"type": "double", "name": "b"}),
        1,
        "its input example is answered wrongly: values in a row: 1, where its signature says 2",
    ),
    "texts": (
        outputs({"type": "string"}),
        1,
        "its input example is answered wrongly: 'predict' is of FP32, where its signature says string",
    ),
    "whole numbers": (outputs({"type": "long"}), 0, "3 rows of its input example answered"),
    "nobody knows what": (outputs({"type": "any"}), 0, "3 rows of its input example answered"),
    "no signature": (
        lambda text: text.replace("signature:", "signed:"),
        0,
        "3 rows of its input example answered, to no signature",
    ),
    "no example": (
        lambda text: text.replace("saved_input_example_info", "example"),
        0,
        "ready; nothing to ask: no input example was logged with the model",
    ),
    "no MLmodel": (lambda _: "", 0, "ready; nothing to ask: no input example was logged with the model"),
    "a lost example": (
        lambda text: text.replace(": serving_input_example.json", ": lost.json"),
        0,
        "ready; nothing to ask: the input example, lost.json, cannot be read: FileNotFoundError",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_the_signature_says_counts_and_what_nobody_understands_does_not(
    running: dict[str, Server], tmp_path: Path, case: str
) -> None:
    change, *expected = CHANGES[case]
    files = shutil.copytree(running["frame"].files, tmp_path / "files")
    (files / "MLmodel").write_text(change((files / "MLmodel").read_text()))
    assert said(running["frame"], files) == tuple(expected)


def by_name(**changes: Any) -> list[dict[str, Any]]:
    names = {"area": AREA, "rooms": ROOMS, "owner": OWNER}
    given = {"area": 0.5, "rooms": 4, "owner": 0.2} | changes
    return [
        tensor([value], [1, 1], name=str(names.get(name, name))) for name, value in given.items() if value is not None
    ]


@pytest.mark.parametrize("name", ["frame", "pipeline"])
def test_the_signature_names_the_inputs(running: dict[str, Server], name: str) -> None:
    server = running[name]
    told = server.ask("/v2/models/wine").content["inputs"]
    assert [(one["name"], one["datatype"]) for one in told] == [(AREA, "FP64"), (ROOMS, "INT64"), (OWNER, "FP64")]
    answers = [server.infer(*inputs).content["outputs"][0]["data"] for inputs in (by_name(), by_name()[::-1])]
    assert answers == [server.infer(tensor([0.5, 4, 0.2])).content["outputs"][0]["data"]] * 2
    for inputs, reason in (
        (by_name(rooms=None), 'missing: "rooms"'),
        (by_name(cellar=1), 'unknown: "cellar"'),
        ([*by_name(), *by_name()], "there twice"),
        ([tensor([0.5, 4])], "has 2 values; the model takes 3"),
        (by_name(rooms="x"), 'holds "x", which is no number'),
    ):
        refused = server.infer(*inputs)
        assert (refused.status, reason in refused.content["error"]) == (400, True), refused.text


def test_whole_numbers_reach_a_frame_as_such(running: dict[str, Server]) -> None:
    assert "whole numbers" in running["pipeline"].infer(*by_name(rooms=4.5)).content["error"]


def test_a_column_that_is_left_out_is_named(running: dict[str, Server]) -> None:
    request, _ = example(running["texts"].files, signature(running["texts"].files))
    refused = running["texts"].infer(*request["inputs"][:-1], parameters=request["parameters"])
    assert (refused.status, 'missing: "street"' in refused.content["error"]) == (400, True), refused.text


def output(data: list[Any], *shape: int, datatype: str = "FP64") -> dict[str, Any]:
    return {"name": "predict", "shape": list(shape or (len(data), 1)), "datatype": datatype, "data": data}


NUMBER = {"type": "double"}
TEXT = {"type": "string"}
PAIR = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}


@pytest.mark.parametrize(
    ("answer", "fields", "flaw"),
    [
        ([output([1, 2])], [NUMBER], None),
        ([output([1, None])], [NUMBER], "row 1 gets no finite number, where its signature says double"),
        ([output([1, None])], [NUMBER | {"required": False}], None),
        ([output([1, None])], None, None),
        ([output([1])], None, "'predict' has the shape [1, 1], for 2 rows"),
        ([output([1, 2, 3, 4], 2, 2)], [PAIR], None),
        ([output([1, 2, 3, None], 2, 2)], [PAIR], "row 1 gets no finite number, where its signature says float32"),
        ([output([1, 2]), output(["a", "b"], datatype="BYTES")], [NUMBER, TEXT], None),
        ([output([1, 2]), output([1, 2])], [NUMBER, TEXT], "'predict' is of FP64, where its signature says string"),
        ([output(["a", "b"], datatype="BYTES")], [NUMBER], "'predict' is of BYTES, where its signature says double"),
        ([output([True, False], datatype="BOOL")], [{"type": "boolean"}], None),
    ],
)
def test_an_answer_and_its_signature(tmp_path: Path, answer: list[Any], fields: Any, flaw: str | None) -> None:
    (tmp_path / "MLmodel").write_text(f"signature:\n  outputs: '{json.dumps(fields)}'\n")
    assert flaw_of(answer, 2, signature(tmp_path).outputs) == flaw


def asked(folder: Path, content: Any, inputs: Any = None) -> tuple[Any, int]:
    """What is asked where a file has this example, and a signature these inputs."""
    info = f"saved_input_example_info:\n  artifact_path: example.json\nsignature:\n  inputs: '{json.dumps(inputs)}'\n"
    (folder / "MLmodel").write_text(info)
    (folder / "example.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return example(folder, signature(folder))


@pytest.mark.parametrize(
    "content",
    [
        {"columns": ["a", "b"], "data": [[1, 2.5]]},
        {"dataframe_split": {"columns": ["a", "b"], "index": [0], "data": [[1, 2.5]]}},
        {"dataframe_records": [{"a": 1, "b": 2.5}]},
        [{"a": 1, "b": 2.5}],
    ],
)
def test_a_frame_is_asked_by_name(tmp_path: Path, content: Any) -> None:
    inputs = [{"type": "float", "name": "b"}, {"type": "integer", "name": "a"}]
    first, second = tensor([1], [1, 1], "INT32", "a"), tensor([2.5], [1, 1], "FP32", "b")
    expected = {"parameters": {"content_type": "pd"}, "inputs": [first, second]}
    assert asked(tmp_path, content, inputs) == (expected, 1)


@pytest.mark.parametrize(
    "content", [[[1, None], [3, 4]], {"inputs": [[1, None], [3, 4]]}, '{"instances": [[1, NaN], [3, 4]]}']
)
def test_an_array_is_asked_as_one_tensor(tmp_path: Path, content: Any) -> None:
    request, rows = asked(tmp_path, content)
    assert (rows, request["inputs"]) == (2, [tensor([1, None, 3, 4], [2, 2], name="input")])


def test_tensors_are_asked_in_their_shapes(tmp_path: Path) -> None:
    content = {"inputs": {"image": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], "tag": ["a", "b"]}}
    image = PAIR | {"name": "image"}
    tag = {"type": "tensor", "name": "tag", "tensor-spec": {"dtype": "object", "shape": [-1]}}
    request, rows = asked(tmp_path, content, [image, tag])
    first, second = tensor([*range(1, 9)], [2, 2, 2], "FP32", "image"), tensor(["a", "b"], [2], "BYTES", "tag")
    assert (rows, request["inputs"]) == (2, [first, second])
    request, rows = asked(tmp_path, content["inputs"]["image"], [PAIR])
    assert (rows, request["inputs"]) == (2, [first | {"name": "input"}])


@pytest.mark.parametrize("content", [{"inputs": ["a", None]}, ["a", None], [["a"], [None]]])
def test_values_without_a_name_are_asked_as_they_are(tmp_path: Path, content: Any) -> None:
    request, rows = asked(tmp_path, content, [TEXT])
    assert (rows, request["inputs"]) == (2, [tensor(["a", None], [2, 1], "BYTES", "input")])


def test_what_is_missing_is_asked_as_the_signature_has_it(tmp_path: Path) -> None:
    inputs = [TEXT | {"name": "a"}, {"type": "datetime", "name": "b"}]
    request, _ = asked(tmp_path, [{"a": None, "b": "2026-01-01T00:00:00"}], inputs)
    first, second = tensor([None], [1, 1], "BYTES", "a"), tensor(["2026-01-01T00:00:00"], [1, 1], "BYTES", "b")
    assert request["inputs"] == [first, second]


def test_many_rows_are_asked_in_part(tmp_path: Path) -> None:
    assert asked(tmp_path, [[1.5]] * 500)[1] == MOST_ROWS
    request, rows = asked(tmp_path, [[1 / 3] * 5000] * 20)
    assert (rows, len(json.dumps(request)) <= LARGEST_REQUEST) == (10, True)


@pytest.mark.parametrize(
    ("content", "inputs", "reason"),
    [
        ({"inputs": {"a": [1], "b": [2]}}, None, "not a table of rows"),
        ([1, 2], None, "not a table of rows"),
        ([[[1]]], None, "not a table of rows"),
        ([[1], [1, 2]], None, "not a table of rows"),
        ([], None, "not a table of rows"),
        ("text", None, "cannot be read"),
        ("[" * 100_000, None, "cannot be read"),
        (" " * 5_000_000, None, "larger than 4 MiB"),
        ([{"a": 1}, {"b": 1}], None, "differ in their columns"),
        ([{"a": "x"}], None, "no signature says what they are"),
        ([{"a": "[1]"}], [{"type": "array", "name": "a"}], "holds array, which cannot be sent"),
        ({"inputs": {"a": [[1, 2]]}}, [PAIR | {"name": "a"}, PAIR | {"name": "b"}], "not what its signature says"),
        ({"inputs": {"a": [[1, 2]], "b": []}}, [PAIR | {"name": "a"}, PAIR | {"name": "b"}], "several lengths"),
        ([[[1], [1, 2]]], [PAIR], "lists of several lengths"),
        ([{"a": "x"}, {"a": 1}], [{"type": "string", "name": "a"}], "several types"),
    ],
)
def test_an_example_that_nobody_understands(tmp_path: Path, content: Any, inputs: Any, reason: str) -> None:
    with pytest.raises(NoTableError, match=reason):
        asked(tmp_path, content, inputs)


@pytest.mark.parametrize("text", ["", "signature: null", "signature:\n  inputs: '{'", "signature:\n  inputs: '[1]'"])
def test_a_signature_that_nobody_understands(tmp_path: Path, text: str) -> None:
    (tmp_path / "MLmodel").write_text(f"{text}\n")
    assert signature(tmp_path) == Signature()


@pytest.mark.parametrize(
    "inputs",
    [
        [NUMBER],
        [NUMBER | {"name": "a"}, TEXT | {"name": "b"}],
        [NUMBER | {"name": "a"}] * 2,
        [NUMBER | {"name": "a", "required": False}],
        [PAIR | {"name": "a"}],
    ],
)
def test_names_that_are_not_looked_for(tmp_path: Path, inputs: Any) -> None:
    (tmp_path / "MLmodel").write_text(f"signature:\n  inputs: '{json.dumps(inputs)}'\n")
    assert signature(tmp_path).inputs
    assert signature(tmp_path).numbers() == {}
