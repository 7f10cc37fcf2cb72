"""The notebook of wine quality: its cells run, and MLServer serves what it registers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from standard_server import Server

ML_APP = Path(__file__).parents[2]
NOTEBOOK = ML_APP / "notebooks" / "wine_quality.ipynb"


def test_the_notebook_logs_both_models_and_the_registered_one_is_served(
    serve: Callable[[str, Path], Server],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its cells, in their order, on the sample; then MLServer answers as the model that it has fitted."""
    store = tmp_path / "store"
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.as_uri())
    before = mlflow.get_tracking_uri()
    monkeypatch.chdir(NOTEBOOK.parent)
    scope: dict[str, object] = {}
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), scope)  # noqa: S102 our own file
    said = capsys.readouterr().out
    found = re.search(r"server: (XGBOOST|SKLEARN)_SERVER\n +model: \S+/artifacts", said)
    assert found, said
    library = found[1].lower()
    runs = scope["runs"]
    assert isinstance(runs, pd.DataFrame)
    assert len(runs) == 2
    assert runs["metrics.test_r2"].between(0.1, 1).all()

    files = mlflow.artifacts.download_artifacts("models:/wine-quality-notebook/1", dst_path=str(tmp_path / "files"))
    mlflow.set_tracking_uri(before)
    server = serve(library, Path(files))
    server.wait_until_ready()
    row = pd.read_csv(ML_APP / "wine_quality" / "sample.csv", sep=";").drop(columns="quality").iloc[0]
    fitted = getattr(mlflow, library).load_model(files).predict(row.to_frame().T.astype("float64"))
    reply = server.infer({"name": "rows", "shape": [1, len(row)], "datatype": "FP64", "data": row.tolist()})
    assert reply.content["outputs"][0]["data"] == pytest.approx(fitted.tolist(), rel=1e-5)
