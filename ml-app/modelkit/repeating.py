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
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import PandasDataset
from mlflow.entities import Experiment, Run

from modelkit.s3 import Address, NothingThereError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from modelkit.recipe import Recipe
    from modelkit.tables import Table

RECORD_FILE = "rerun.json"
"""The artifact of a run that has it all."""

DATASETS = "datasets"
"""The experiment whose runs hold a data set each; where a place is given for them, its name says so."""

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


def keep(table: Table, dataset: PandasDataset, place: str | None) -> str | None:
    """Keep a copy of a table's file, unless there is one: by its content, whatever becomes of its address.

    It is an artifact of a run of its own, in the experiment `DATASETS`.

    Args:
        table: with its content, if that is to be kept.
        dataset: the same as MLflow has it.
        place: where they are to lie, `s3://bucket/folder`. None is where MLflow has its artifacts.

    Returns:
        The address of the copy: `s3://…/artifacts/data.csv`, `mlflow-artifacts:/…/artifacts/data.csv`. None if the file
        is not to be kept, or if MLflow or the store refuses to, of which a warning tells: no training is lost for that.
    """
    if table.content is None:
        return None
    try:
        return _keep(MlflowClient(), table.content, table.sha256, dataset, place)
    # Each kind of store has exceptions of its own.
    except Exception as error:
        logging.getLogger("mlflow").warning("no copy of the data is kept, so the run may not be repeated: %s", error)
        return None


def _keep(client: MlflowClient, content: bytes, sha256: str, dataset: PandasDataset, place: str | None) -> str:
    experiment = _datasets(client, place)
    known = client.search_runs([experiment.experiment_id], f"tags.`{DIGEST_TAG}` = '{sha256}'", max_results=20)
    for run in known:
        # A copy that was broken off has no end; one whose files were removed is none.
        if run.info.status == "FINISHED" and _is_there(client, run, len(content)):
            return _address(run)
    run = client.create_run(experiment.experiment_id, run_name=dataset.name, tags={DIGEST_TAG: sha256})
    try:
        _write(client, run, content)
    except BaseException:
        client.set_terminated(run.info.run_id, "FAILED")
        raise
    client.set_terminated(run.info.run_id)
    return _address(run)


def _address(run: Run) -> str:
    return f"{run.info.artifact_uri}/{COPY}"


def _is_there(client: MlflowClient, run: Run, size: int) -> bool:
    """Whether a copy of so many bytes is there; whether they are those of then, only who reads them finds out."""
    if not _address(run).startswith("s3://"):
        return any(one.path == COPY and one.file_size == size for one in client.list_artifacts(run.info.run_id))
    copy = Address(_address(run))
    try:
        return copy.ask(lambda store: store.head_object(Bucket=copy.bucket, Key=copy.key))["ContentLength"] == size
    except NothingThereError:
        return False


def _write(client: MlflowClient, run: Run, content: bytes) -> None:
    if _address(run).startswith("s3://"):
        # MLflow's own way writes large files in parts, for which a user needs more rights.
        copy = Address(_address(run))
        copy.ask(lambda store: store.put_object(Bucket=copy.bucket, Key=copy.key, Body=content))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / COPY
        file.write_bytes(content)
        client.log_artifact(run.info.run_id, str(file))


def _datasets(client: MlflowClient, place: str | None) -> Experiment:
    """The experiment for data sets at a place; made if there is none, by whichever training is the first.

    Raises:
        MlflowException: somebody has deleted it, whose name MLflow keeps, or made one that has its artifacts elsewhere.
    """
    name = DATASETS if place is None else f"{DATASETS} in {place}"
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            found = client.get_experiment(client.create_experiment(name, artifact_location=place))
        except mlflow.MlflowException:
            if (found := client.get_experiment_by_name(name)) is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise mlflow.MlflowException(f"the experiment {name} was deleted; restore it")
    if place is not None and found.artifact_location != place:
        raise mlflow.MlflowException(
            f"the experiment {name} has its artifacts at {found.artifact_location}; rename it, and another one is made"
        )
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
