"""What a run records of itself, so that it can be run again: `npm run rerun`.

Importing this module imports MLflow, which takes seconds; `modelkit.tracking.prepare` comes first.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import PandasDataset
from mlflow.entities import Experiment

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from modelkit.recipe import Recipe
    from modelkit.tables import Table

RECORD_FILE = "rerun.json"
"""The artifact of a run that has it all."""

DATASETS = "datasets"
"""The experiment whose runs hold a data set each."""

COPY = "data.csv"
"""The artifact of such a run; by no name of the data's, since not every store takes each."""

DIGEST_TAG = "mlplatform.data.sha256"
"""Tag of such a run: the digest of the file's bytes."""


def record(recipe: Recipe, table: Table, kept: str | None) -> dict[str, Any]:
    """What a run is made of, beside its parameters.

    Args:
        recipe: of the model. Its estimator has been imported: what is loaded by then is the code of the run.
        table: that it trains on.
        kept: where the copy of the data is; None if there is none.

    Returns:
        `training` the model's folder; `code` the files by their paths from `ml-app/`, each with the name that git gives
        its content; `data` address and digest of the file and its copy; `python`, `machine` and `libraries` what it is
        run by.
    """
    return {
        "format": 1,
        "training": recipe.folder.name,
        "code": code(recipe.folder.parent) | _hashed(recipe.folder.parent, recipe.manifest),
        "data": {"address": table.address, "sha256": table.sha256, "kept": kept},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "libraries": dict(sorted((one.name, one.version) for one in metadata.distributions())),
    }


def code(root: Path) -> dict[str, str]:
    """The modules below a folder that are loaded: their paths from there, and git's names of their contents."""
    files = {Path(name) for module in list(sys.modules.values()) if (name := getattr(module, "__file__", None))}
    found: dict[str, str] = {}
    for file in sorted(files):
        if file.suffix == ".py" and file.is_relative_to(root):
            found |= _hashed(root, file)
    return found


def _hashed(root: Path, file: Path) -> dict[str, str]:
    content = file.read_bytes()
    # git's own: no protection against anybody.
    name = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return {file.relative_to(root).as_posix(): name}


def keep(table: Table, dataset: PandasDataset) -> str | None:
    """Keep a copy of a table's file, unless there is one: by its content, whatever becomes of its address.

    It is an artifact of a run of its own, in the experiment `DATASETS`; whoever may write runs may write it.

    Returns:
        The address of the copy: `mlflow-artifacts:/…/artifacts/data.csv`. None if the file is not to be kept, or if
        the server refuses to, of which a warning tells: no training is lost for that.
    """
    if table.content is None:
        return None
    try:
        return _keep(MlflowClient(), table.content, table.sha256, dataset)
    except (mlflow.MlflowException, requests.RequestException) as error:
        logging.getLogger("mlflow").warning("no copy of the data is kept, so the run may not be repeated: %s", error)
        return None


def _keep(client: MlflowClient, content: bytes, sha256: str, dataset: PandasDataset) -> str:
    experiment = _datasets(client)
    known = client.search_runs([experiment.experiment_id], f"tags.`{DIGEST_TAG}` = '{sha256}'", max_results=20)
    for run in known:
        # A copy that was broken off has no end; one whose files were removed is none.
        if run.info.status == "FINISHED" and any(one.path == COPY for one in client.list_artifacts(run.info.run_id)):
            return f"{run.info.artifact_uri}/{COPY}"
    run = client.create_run(experiment.experiment_id, run_name=dataset.name, tags={DIGEST_TAG: sha256})
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / COPY
            file.write_bytes(content)
            client.log_artifact(run.info.run_id, str(file))
    except BaseException:
        client.set_terminated(run.info.run_id, "FAILED")
        raise
    client.set_terminated(run.info.run_id)
    return f"{run.info.artifact_uri}/{COPY}"


def _datasets(client: MlflowClient) -> Experiment:
    """The experiment for data sets; made if there is none, by whichever training is the first."""
    found = client.get_experiment_by_name(DATASETS)
    if found is not None and found.lifecycle_stage == "deleted":
        # MLflow keeps its name.
        raise mlflow.MlflowException(f"the experiment {DATASETS} was deleted; restore it")
    if found is not None:
        return found
    try:
        return client.get_experiment(client.create_experiment(DATASETS))
    except mlflow.MlflowException:
        if (found := client.get_experiment_by_name(DATASETS)) is None:
            raise
        return found


def digest(answers: npt.NDArray[np.floating[Any]]) -> str:
    """A digest that two arrays of answers have in common if they are the same, number for number.

    Args:
        answers: float64 or float32, of any shape.

    Returns:
        SHA-256 of type, shape and little-endian bytes, 64 hexadecimal digits.
    """
    little = answers.astype(answers.dtype.newbyteorder("<"), order="C")
    head = f"{answers.dtype.name} {answers.shape}\n".encode()
    return hashlib.sha256(head + little.tobytes()).hexdigest()
