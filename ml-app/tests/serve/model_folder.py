"""A model folder as MLflow 3.15 stores it, made without MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import skops.io
import yaml
from sklearn.ensemble import RandomForestRegressor

from house_price.features import FEATURES, SKOPS_TRUSTED_TYPES
from modelkit.parity import METADATA_KEY, Record

RUN_ID = "94c7d0575c0c40879ed2fc4e0748626e"


def write_model(folder: Path, forest: RandomForestRegressor, rows: npt.NDArray[np.float64]) -> None:
    """Write what training stores: the forest, and `MLmodel` with the record of its answers to some rows."""
    write_stored(folder, forest, FEATURES, rows, forest.predict(rows))


def write_stored(
    folder: Path, model: Any, features: Sequence[str], rows: npt.NDArray[Any], answers: npt.NDArray[np.float64]
) -> None:
    """Write a model of scikit-learn as training stores it, with its answers to some rows."""
    record = Record(
        names=list(features),
        rows=rows.tolist(),
        predictions=answers.tolist(),
        libraries={library: version(library) for library in ("scikit-learn", "numpy", "skops")},
    )
    write_mlmodel(folder, record.to_metadata())
    skops.io.dump(model, folder / "model.skops")


def write_mlmodel(folder: Path, metadata: dict[str, Any] | None) -> None:
    """Write the `MLmodel` file alone."""
    content = {
        "artifact_path": "models:/m-0f632489640b48f98a85017d53289633",
        "flavors": {
            "python_function": {
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "loader_module": "mlflow.sklearn",
                "model_path": "model.skops",
                "predict_fn": "predict",
                "python_version": "3.11.7",
            },
            "sklearn": {
                "code": None,
                "pickled_model": "model.skops",
                "serialization_format": "skops",
                "sklearn_version": "1.7.2",
                "skops_trusted_types": SKOPS_TRUSTED_TYPES,
            },
        },
        "metadata": metadata,
        "mlflow_version": "3.15.1",
        "model_id": "m-0f632489640b48f98a85017d53289633",
        "run_id": RUN_ID,
    }
    (folder / "MLmodel").write_text(yaml.safe_dump(content))


def change_record(folder: Path, **changes: object) -> None:
    """Replace parts of the record in `MLmodel`."""
    metadata = yaml.safe_load((folder / "MLmodel").read_text())["metadata"]
    write_mlmodel(folder, {METADATA_KEY: metadata[METADATA_KEY] | changes})
