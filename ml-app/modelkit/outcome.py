"""What comes out of a training run, and how the tracking server tells it later on."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from modelkit import registry

METRICS = {"train_score", "test_score"}
"""Of a run, what is told of it."""


@dataclass(frozen=True)
class DatasetUsed:
    """The data set of a run, as MLflow keeps it; `digest` is the beginning of the SHA-256 of the file's bytes."""

    name: str
    digest: str
    source: str
    rows: int


@dataclass(frozen=True)
class Outcome:
    """What came out of a training run: what `--json` prints.

    `reason` says why the version has its alias, which is None if a version of an earlier run has lost it since;
    `warning` is true if somebody should look at that.
    """

    model: str
    version: str
    alias: str | None
    previous_champion: str | None
    reason: str
    warning: bool
    run_id: str
    model_id: str
    model_uri: str
    artifact_uri: str
    metrics: dict[str, float]
    dataset: DatasetUsed


def recall(version: ModelVersion) -> Outcome | None:
    """What came out of the run that registered a version of this model; None if that is not known as a training.

    It was purged, or somebody has registered by hand what another run has logged.

    Raises:
        MlflowException: the server refused or failed.
    """
    run = registry.run_of(version)
    dataset = _dataset_of(run) if run else None
    if run is None or dataset is None or not run.data.metrics.keys() >= METRICS:
        return None
    return Outcome(
        model=version.name,
        version=str(version.version),
        alias=next((alias for alias in (registry.CHAMPION, registry.CHALLENGER) if alias in version.aliases), None),
        previous_champion=None,
        reason="an earlier run has trained it",
        warning=False,
        run_id=run.info.run_id,
        # The registry knows it as part of the address only.
        model_id=(version.source or "").removeprefix("models:/"),
        model_uri=f"models:/{version.name}/{version.version}",
        artifact_uri=MlflowClient().get_model_version_download_uri(version.name, version.version),
        metrics=run.data.metrics,
        dataset=dataset,
    )


def _dataset_of(run: Run) -> DatasetUsed | None:
    """The data set that a training has logged; None where a run has none, several, or one of another kind."""
    try:
        (used,) = (entry.dataset for entry in run.inputs.dataset_inputs)
        source, rows = json.loads(used.source), json.loads(used.profile)["num_rows"]
        return DatasetUsed(used.name, used.digest, source.get("uri") or source["url"], rows)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
