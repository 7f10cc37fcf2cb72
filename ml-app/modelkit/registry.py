"""The model registry: which version is in service.

The alias `champion` names the version that is served; the alias `challenger` the newest that was not good enough.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import mlflow
from mlflow import MlflowClient, MlflowException
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from modelkit.mlmodel import MODEL_FILE

CHAMPION = "champion"
CHALLENGER = "challenger"

CHAMPION_SCORE = "champion_test_score"
"""The metric of a run that says what the champion reached on the same test rows."""
COMPARED_WITH = "compared_with"
"""The tag of a version that says which version that champion was."""
ONCE = "once"
"""Tag of a version: the key of the training that it came of. It is set when the version has its alias."""

NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""How MLflow says that there is no such model, version or run; the second where a model has no such alias."""

T = TypeVar("T")


@dataclass(frozen=True)
class Decision:
    """What a new model is to be.

    Attributes:
        alias: `CHAMPION` or `CHALLENGER`.
        previous_champion: the version that is the champion now, None if there is none.
        reason: why, a sentence.
        warning: the champion could not be scored, which somebody should look at.
        champion_score: what it reaches on the new model's test rows, None if it was not scored.
    """

    alias: str
    previous_champion: str | None
    reason: str
    warning: bool = False
    champion_score: float | None = None


def decide(name: str, score: float, score_champion: Callable[[str], float], data_digest: str | None = None) -> Decision:
    """Decide whether a new model takes the champion's place: if it is at least as good on the same rows.

    The champion is scored here and now on the new model's test rows, since scores recorded on two different data sets
    say nothing about each other. A champion that was trained on some of these rows is flattered by that, so the
    comparison errs on the side of the model that is in service.

    Args:
        name: the registered model's name; it need not exist.
        score: the new model's score on its test rows; greater is better.
        score_champion: loads the model at a `models:/name/version` URI and returns its score on the same rows;
            whatever it raises means that the champion cannot be compared, and it then stays. One whose files are
            gone from the store goes.
        data_digest: of the data set that the rows are of; the reason says so if the champion was trained on another.

    Raises:
        MlflowException: the registry refused or failed.
    """
    present_champion = champion(name)
    if present_champion is None:
        return Decision(CHAMPION, None, "there was no champion")
    version = str(present_champion.version)
    about = f"version {version}{other_data(present_champion, data_digest)},"
    if files_gone(present_champion):
        reason = f"the files of the champion until now, {about} are gone from the store"
        return Decision(CHAMPION, version, reason, warning=True)
    try:
        present = score_champion(f"models:/{name}/{version}")
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        reason = f"the champion, {about} could not be scored on this run's test rows and stays: {why}"
        return Decision(CHALLENGER, version, reason, warning=True)
    if score >= present:
        reason = f"test score {score:.4f}, the champion until now, {about} reaches {present:.4f}"
        return Decision(CHAMPION, version, reason, champion_score=present)
    reason = f"test score {score:.4f}, the champion, {about} reaches {present:.4f} and stays"
    return Decision(CHALLENGER, version, reason, champion_score=present)


def other_data(version: ModelVersion, data_digest: str | None) -> str:
    """Words that say that a version was trained on other data, and on which; "" if it was not or nobody knows."""
    run = run_of(version)
    if data_digest is None or run is None:
        return ""
    for used in run.inputs.dataset_inputs:
        if used.dataset.digest != data_digest:
            return f" (trained on other data, {used.dataset.name})"
    return ""


def run_of(version: ModelVersion) -> Run | None:
    """The run that logged a version; None if none did, or it was purged: `mlflow gc` leaves versions as they are.

    Raises:
        MlflowException: the server refused or failed.
    """
    run_id = version.run_id
    return _if_there(lambda: MlflowClient().get_run(run_id)) if run_id else None


def files_gone(version: ModelVersion) -> bool:
    """Whether a version has no files any more, such as after the loss of a store beside which the registry lived on.

    A store that cannot be asked has lost nothing.
    """
    try:
        uri = MlflowClient().get_model_version_download_uri(version.name, version.version)
        # MLflow takes a folder that is not there for an empty one.
        files = mlflow.artifacts.list_artifacts(artifact_uri=uri)
    except Exception:
        # Each kind of store has exceptions of its own.
        return False
    return all(file.path.rpartition("/")[2] != MODEL_FILE for file in files)


def crown(name: str, version: str) -> None:
    """Make a registered version the champion, and no challenger any more.

    Raises:
        MlflowException: the registry refused or failed.
    """
    client = MlflowClient()
    client.set_registered_model_alias(name, CHAMPION, version)
    if CHALLENGER in client.get_model_version(name, version).aliases:
        client.delete_registered_model_alias(name, CHALLENGER)


def register(name: str, model_uri: str, tags: Mapping[str, str], alias: str) -> str:
    """Register a logged model as a new version and point an alias at it.

    Args:
        name: the registered model's name; created if it does not exist.
        model_uri: the logged model, `models:/m-…`.
        tags: of the version.
        alias: `CHAMPION` or `CHALLENGER`.

    Returns:
        The new version's number, as text.

    Raises:
        MlflowException: the registry refused or failed.
    """
    # MLflow announces on stderr what it is asked for. There is nothing to wait for: the files are stored already.
    with contextlib.redirect_stderr(io.StringIO()):
        version = mlflow.register_model(model_uri, name, await_registration_for=0, tags=dict(tags)).version
    MlflowClient().set_registered_model_alias(name, alias, version)
    return str(version)


def champion(name: str) -> ModelVersion | None:
    """The version that is the champion of a registered model; None if there is none.

    Raises:
        MlflowException: the registry refused or failed.
    """
    return _if_there(lambda: MlflowClient().get_model_version_by_alias(name, CHAMPION))


def _if_there(ask: Callable[[], T]) -> T | None:
    """An answer of MLflow's; None where it says that there is no such thing."""
    try:
        return ask()
    except MlflowException as error:
        if error.error_code in NOT_THERE:
            return None
        raise


def trained(name: str, key: str) -> ModelVersion | None:
    """The newest version of a model that came of the training with a key, and has been registered to the end."""
    client = MlflowClient()
    found = client.search_model_versions(f"tags.{ONCE} = '{key}'", order_by=["version_number DESC"])
    # A search leaves the aliases out.
    return next((client.get_model_version(name, version.version) for version in found if version.name == name), None)


def remember(name: str, version: str, key: str) -> None:
    """Note of which training a version came, which has its alias: `trained` finds it from now on."""
    MlflowClient().set_model_version_tag(name, version, ONCE, key)
