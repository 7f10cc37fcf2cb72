"""Publishing: the champion's files, at an address that is known before there is a model.

A deployment can so be planned together with the training that it waits for. The files go through the tracking
server, so that a training job needs no credentials for the store behind it.

`registered_model_meta`, which names the version, is written first and `MLmodel` last. A place is complete if the two
belong together, so one that was left half-way is recognised, whatever it held before.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import mlflow
import yaml
from mlflow import MlflowClient, MlflowException
from mlflow.entities.model_registry import ModelVersion
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from modelkit import registry
from modelkit.mlmodel import MODEL_FILE, REGISTERED_FILE, ModelFolderError, Registered
from modelkit.tracking import TrackingError

TAG = "publish"
"""Tag of a version: the place that it was trained for. It is set when the version has its alias."""


@dataclass(frozen=True)
class Published:
    """What a place holds.

    Attributes:
        place: its address.
        version: whose files it holds, as text.
        uploaded: whether this run put them there, or they were there already.
    """

    place: str
    version: str
    uploaded: bool


def trained_for(place: str, name: str) -> ModelVersion | None:
    """The newest version of a registered model that was trained for a place and has been registered to the end."""
    client = MlflowClient()
    found = client.search_model_versions(f"tags.{TAG} = '{place}'", order_by=["version_number DESC"])
    # A search leaves the aliases out.
    return next((client.get_model_version(name, version.version) for version in found if version.name == name), None)


def remember(place: str, name: str, version: str) -> None:
    """Note that a version, which has its alias, was trained for a place: `trained_for` finds it from now on."""
    MlflowClient().set_model_version_tag(name, version, TAG, place)


def held(place: str, name: str) -> str | None:
    """Which version of a registered model a place holds; None if it is not complete, or holds what nobody knows.

    Raises:
        TrackingError: the place is another model's.
    """
    files = {file.path for file in get_artifact_repository(place).list_artifacts()}
    if not {MODEL_FILE, REGISTERED_FILE} <= files:
        return None
    with tempfile.TemporaryDirectory() as folder:
        for file in (MODEL_FILE, REGISTERED_FILE):
            mlflow.artifacts.download_artifacts(f"{place}/{file}", dst_path=folder)
        try:
            registered = Registered.read(Path(folder))
            run_id = yaml.safe_load((Path(folder) / MODEL_FILE).read_text()).get("run_id")
        except (ModelFolderError, yaml.YAMLError, AttributeError, ValueError):
            return None
    if registered is None:
        return None
    if registered.name != name:
        raise TrackingError(
            f"{place} holds version {registered.version} of {registered.name}; give {name} a place of its own"
        )
    try:
        version = MlflowClient().get_model_version(name, registered.version)
    except MlflowException as error:
        if error.error_code in registry.NOT_THERE:
            return None
        raise
    return registered.version if run_id == version.run_id else None


def publish(place: str, name: str, present: str | None) -> Published:
    """Put the files of a registered model's champion to a place, unless it holds them.

    Args:
        place: `mlflow-artifacts:/…`, a folder of the tracking server's store.
        name: the registered model.
        present: the version that the place holds now, as `held` says.

    Raises:
        TrackingError: there is no champion, or its files are not to be had.
        MlflowException, requests.RequestException: the server refused or failed.
    """
    champion = registry.champion(name)
    if champion is None:
        raise TrackingError(f"no version of {name} has the alias {registry.CHAMPION}: set it, then publish again", 1)
    version = str(champion.version)
    if present == version:
        return Published(place, version, uploaded=False)
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=folder))
        except Exception as error:
            # Each kind of store has exceptions of its own.
            raise TrackingError(f"the files of {name} version {version} cannot be fetched: {error}", 1) from error
        # MLflow takes a folder that is not there for an empty one.
        if not (path / MODEL_FILE).is_file():
            raise TrackingError(f"the files of {name} version {version} are gone: there is no {MODEL_FILE}", 1)
        _upload(path, place)
    return Published(place, version, uploaded=True)


def _upload(folder: Path, place: str) -> None:
    repository = get_artifact_repository(place)
    files = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if file.is_file()]
    for file in sorted(files, key=lambda file: (file == MODEL_FILE, file != REGISTERED_FILE)):
        repository.log_artifact(str(folder / file), file.rpartition("/")[0] or None)  # type: ignore[no-untyped-call]
