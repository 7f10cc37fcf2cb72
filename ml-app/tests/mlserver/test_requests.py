"""What MLServer answers, set up as the platform does: a number as at training, or what is wrong with the request."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import urllib.request
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlserver.errors import InferenceError
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.pipeline import make_pipeline

from standard_server import Server
from standardserver.rows import typed
from wine_quality.features import FEATURES

ROW = [7.4, 0.7, 0, 1.9, 0.076, 11, 34, 0.9978, 3.51, 0.56, 9.4]


def tensor(data: list[Any], shape: list[int] | None = None, datatype: str = "FP64", name: str = "x") -> dict[str, Any]:
    return {"name": name, "shape": shape or [1, len(data)], "datatype": datatype, "data": data}


def columns(**changes: Any) -> list[dict[str, Any]]:
    given = {**dict(zip(FEATURES, ROW, strict=True)), **changes}
    return [tensor([value], [1, 1], name=name) for name, value in given.items() if value is not None]


def predictions(server: Server, *inputs: dict[str, Any], **more: Any) -> list[float]:
    reply = server.infer(*inputs, **more)
    assert reply.status == 200, reply.text
    data: list[float] = reply.content["outputs"][0]["data"]
    return data


def test_rows_may_come_as_one_tensor_or_by_name_in_any_order(server: Server) -> None:
    (grade,) = predictions(server, tensor(ROW))
    assert 3 < grade < 8
    assert predictions(server, *columns()) == [grade]
    assert predictions(server, *reversed(columns()), parameters={"content_type": "pd"}) == [grade]
    assert predictions(server, tensor([ROW, ROW], [2, 11]), parameters={"content_type": "np"}) == [grade, grade]
    assert predictions(server, tensor(ROW + ROW, [2, 11], "FP32")) == [grade, grade]
    assert predictions(server, tensor(ROW), outputs=[{"name": "predict"}]) == [grade]
    many = predictions(server, tensor(ROW * 500, [500, 11]))
    assert many == [grade] * 500


def test_the_model_tells_its_inputs(server: Server) -> None:
    told = server.ask("/v2/models/wine").content
    assert [(one["name"], one["datatype"]) for one in told["inputs"]] == [(name, "FP64") for name in FEATURES]
    assert not any("nullable" in (one.get("parameters") or {}) for one in told["inputs"])
    example = json.loads(told["parameters"]["example"])
    record = json.loads((server.files / "recorded.json").read_text())
    assert predictions(server, tensor(example)) == pytest.approx(record["predictions"][:1], rel=1e-6)


WRONG: dict[str, tuple[list[Any], str]] = {
    "too narrow": ([tensor(ROW[:10])], 'has 10 values; the model takes 11: "fixed acidity"'),
    "too wide": ([tensor([*ROW, 1])], "has 12 values"),
    "one number": ([tensor([7.4])], "has 1 values"),
    "a vector": ([tensor(ROW, [11])], "has 1 values"),
    "a cube": ([tensor(ROW, [1, 1, 11])], r"it must be \[rows, columns\]"),
    "no rows": ([tensor([], [0, 11])], "each at least 1"),
    "a negative shape": ([tensor(ROW, [-1, 11])], "each at least 1"),
    "a huge shape": ([tensor(ROW, [10**15, 11])], "and 11 values"),
    "too few values": ([tensor(ROW, [2, 11])], "and 11 values"),
    "nothing": ([tensor([], [1, 11])], "and 0 values"),
    "ragged rows": ([tensor([ROW, ROW[:3]], [2, 11])], "a row of 3 values, where its shape says 11"),
    "ragged rows that add up": ([tensor([ROW[:10], [*ROW, 1]], [2, 11])], "a row of 10 values"),
    "rows that are columns": ([tensor([[1, 2]] * 11, [2, 11])], "a row of 2 values"),
    "rows and values": ([tensor([ROW, *ROW], [2, 11])], "a row of 1 values"),
    "too deep": ([tensor([[ROW]], [1, 11])], "a row of 1 values"),
    "a text": ([tensor([*ROW[:10], "9.4"])], '"9.4", which is no number'),
    "texts": ([tensor(["a"] * 11, datatype="BYTES")], "is of BYTES"),
    "truth": ([tensor([*ROW[:10], True])], "holds true, which is no number"),
    "truths": ([tensor([True] * 11, datatype="BOOL")], "is of BOOL"),
    "null": ([tensor([*ROW[:10], None])], "holds null, which is no number"),
    "an object": ([tensor([*ROW[:10], {}])], "which is no number"),
    "too large": ([tensor([*ROW[:10], 1e39])], "finite numbers"),
    "no integer": ([tensor([*ROW[:10], 9.5], datatype="INT64")], "is of INT64, and holds"),
    "not all names": (columns(alcohol=None), 'missing: "alcohol"'),
    "another name": (columns(alcohol=None, alcool=9.4), 'unknown: "alcool"; missing: "alcohol"'),
    "one name too many": (columns(id=1), 'unknown: "id"'),
    "a name twice": ([*columns(), tensor([9.4], [1, 1], name="alcohol")], 'there twice: "alcohol"'),
    "a name alone": ([tensor([9.4], [1, 1], name="alcohol")], 'missing: "fixed acidity"'),
    "a wide column": ([*columns(alcohol=None), tensor([9.4, 1], name="alcohol")], "a single value in each row"),
    "a longer column": ([*columns(alcohol=None), tensor([9.4, 1], [2, 1], name="alcohol")], "differ in their number"),
    "many names": ([tensor([1], name=f"{i}" * 900) for i in range(100)], "and 80 more"),
    "no inputs": ([], "missing"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_row_is_refused_with_the_reason(server: Server, case: str) -> None:
    inputs, reason = WRONG[case]
    reply = server.infer(*inputs)
    assert reply.status == 400, reply.text
    assert len(reply.text) < 2_000
    assert re.search(reason, reply.content["error"]), reply.text


BODIES: dict[str, tuple[bytes, dict[str, str], int]] = {
    "empty": (b"", {}, 422),
    "no JSON": (b"{", {}, 422),
    "no object": (b"[1]", {}, 422),
    "no message": (b"{}", {}, 422),
    "NaN": (json.dumps({"inputs": [tensor([*ROW[:10], float("nan")])]}).encode(), {}, 422),
    "another type": (json.dumps({"inputs": [tensor(ROW, datatype="DECIMAL")]}).encode(), {}, 422),
    "much that is wrong": (json.dumps({"inputs": [{}] * 50_000 + [{"name": "x" * 100_000}]}).encode(), {}, 422),
    "a form": (b"x=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "packed": (gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"}, 415),
    "2 MiB": (json.dumps({"inputs": [tensor(ROW * 40_000, [40_000, 11])]}).encode(), {}, 413),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_no_request_is_refused(server: Server, case: str) -> None:
    body, headers, status = BODIES[case]
    reply = server.ask("/v2/models/wine/infer", body, headers)
    assert reply.status == status, reply.text
    assert 20 < len(reply.text) < 2_000
    assert "Traceback" not in reply.text


def test_what_the_model_does_not_make_is_refused(server: Server) -> None:
    for name in ("transform", "predict_proba", "fit", "", "__class__"):
        assert server.infer(tensor(ROW), outputs=[{"name": name}]).status == 400
    again = server.infer(tensor(ROW), outputs=[{"name": "predict"}] * 2)
    assert (again.status, again.content["error"]) == (400, 'the output "predict" is asked for twice')
    odd = [{"name": "predict", "parameters": {"content_type": "garbage"}}]
    assert server.infer(tensor(ROW), outputs=odd, parameters={"content_type": "garbage"}).status == 200


def test_names_of_other_models_are_not_kept(server: Server) -> None:
    for path in ("nonesuch", "wine/versions/nonesuch"):
        reply = server.ask(f"/v2/models/{path}/infer", {"inputs": [tensor(ROW)]})
        assert (reply.status, "not found" in reply.content["error"]) == (404, True)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics}/metrics", timeout=30) as metrics:
        text = metrics.read().decode()
    assert "model_infer_request_duration" in text
    assert "nonesuch" not in text


def test_an_id_that_no_header_carries_is_refused(server: Server) -> None:
    for wrong in ("a\r\nb: c", "é", "x" * 257):
        assert "printable ASCII" in server.infer(tensor(ROW), id=wrong).content["error"]
    assert server.infer(tensor(ROW), id="x" * 256).content["id"] == "x" * 256


def test_files_without_the_record_of_their_training_are_not_served(
    trained: dict[str, Path], serve: Callable[[str, Path], Server], tmp_path: Path
) -> None:
    folder = shutil.copytree(trained["xgboost"], tmp_path / "files")
    (folder / "recorded.json").unlink()
    with pytest.raises(AssertionError, match=r"recorded\.json is missing, though training has recorded rows"):
        serve("xgboost", folder).wait_until_ready()


def test_nobody_unloads_the_model(server: Server) -> None:
    for stream in ("infer_stream", "generate_stream"):
        assert server.ask(f"/v2/models/wine/{stream}", {"inputs": []}).status == 404
    for path in ("index", "models/wine/unload", "models/wine/load"):
        assert server.ask(f"/v2/repository/{path}", {}).status == 404
    assert server.ask("/invocations", {"inputs": [ROW]}).status == 404
    assert server.ask("/v2/models/other/infer", {"inputs": [tensor(ROW)]}).status == 404
    assert server.ask("/v2/models/wine/ready").status == 200


def test_mlflow_takes_any_numbers(trained: dict[str, Path]) -> None:
    for folder in trained.values():
        model, floats = mlflow.pyfunc.load_model(str(folder)), pd.DataFrame([ROW], columns=list(FEATURES))
        mixed = floats.astype({"free sulfur dioxide": "int64", "total sulfur dioxide": "int32"})
        assert model.predict(mixed).tolist() == model.predict(floats).tolist()
        whole = floats.astype("int64")
        assert model.predict(whole).tolist() == model.predict(whole.astype(float)).tolist()
        named = dict(zip(FEATURES, ROW, strict=True))
        assert model.predict(named).tolist() == model.predict([named]).tolist() == model.predict(floats).tolist()


def test_whole_numbers_are_such_where_mlflow_compares_types() -> None:
    types = {"grade": np.dtype(np.int64), "floors": np.dtype(np.float64)}
    assert dict(typed(pd.DataFrame({"grade": [7.0], "floors": [1.5]}), types).dtypes) == types
    with pytest.raises(InferenceError, match=r"'grade' holds 7\.5; the model takes whole numbers there"):
        typed(pd.DataFrame({"grade": [7.5], "floors": [1.5]}), types)
    with pytest.raises(InferenceError, match=r"'grade' holds 3e\+09; the model takes whole numbers there, of int32"):
        typed(pd.DataFrame({"grade": [3e9]}), {"grade": np.dtype(np.int32)})


def test_what_is_made_of_parts_gets_the_names_of_its_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSERVER_MODEL_IMPLEMENTATION", "mlserver_sklearn.SKLearnModel")
    takes_arrays = import_module("standardserver.guard")._takes_arrays
    trees = GradientBoostingRegressor()
    assert takes_arrays(trees)
    for parts in (make_pipeline(trees), TransformedTargetRegressor(trees), ColumnTransformer([]), object(), None):
        assert not takes_arrays(parts)


def test_files_beside_the_model_steer_nothing(
    trained: dict[str, Path], serve: Callable[[str, Path], Server], tmp_path: Path
) -> None:
    folder = shutil.copytree(trained["xgboost"], tmp_path / "files")
    theirs = folder / "standardserver"
    theirs.mkdir()
    for module in (theirs / "__init__.py", theirs / "guard.py", folder / "theirs.py"):
        module.write_text("raise SystemExit('code from the bucket')")
    repository = {"model_repository_implementation": "mlserver.repository.SchemalessModelRepository", "debug": True}
    (folder / "settings.json").write_text(json.dumps(repository))
    (folder / "model-settings.json").write_text(json.dumps({"name": "theirs", "implementation": "theirs.Model"}))
    server = serve("xgboost", folder)
    server.wait_until_ready()
    assert server.startup().returncode == 0
    assert server.infer(tensor(ROW[:10])).status == 400
