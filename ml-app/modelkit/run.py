"""A training run: fit, log with MLflow, compare with the champion, register.

Importing this module imports MLflow and scikit-learn, which takes seconds; `modelkit.tracking.prepare` comes first.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.models.model import ModelInfo
from mlflow.types.schema import AnyType, ColSpec, Schema

from modelkit import registry, repeating
from modelkit.arguments import Options
from modelkit.outcome import DatasetUsed, Outcome, recall
from modelkit.parity import Record
from modelkit.recipe import Recipe
from modelkit.splitting import Split, split
from modelkit.stopping import StopSignals
from modelkit.tables import Table
from modelkit.tracking import TrackingError, reported, tracked_run
from modelkit.training import installed, scores, source_tags

# It wants to name the version of pip, which an image has no need of.
logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
# It hints that columns of whole numbers cannot have gaps. They need not: training refuses those, as would the model.
warnings.filterwarnings("ignore", message="Hint: Inferred schema contains integer column", category=UserWarning)

PARITY_ROWS = 5
DIGEST_CHARACTERS = 36
"""MLflow stores no more of a data set's digest."""


class Training:
    """A training of a model, from the table to its place in the registry.

    Args:
        recipe: of the model.
        options: what the user asked for.
        table: the rows to train on and to test with.
        stop: signals end the run as KILLED and without a version, until registering begins; from there it finishes.
    """

    def __init__(self, recipe: Recipe, options: Options, table: Table, stop: StopSignals) -> None:
        self.recipe, self.options, self.table, self.stop = recipe, options, table, stop
        self.estimator = recipe.make_estimator()
        self.frame = pd.DataFrame(table.columns)

    def run(self) -> Outcome:
        """Train a model, log it, and register it as champion or challenger.

        What was trained with the same key is not trained again, unless its files or its run are gone, nor a version
        that is only to be compared.

        Raises:
            DataError: the data cannot be divided into rows to train on and rows to test with.
            TrackingError: the tracking server refused or failed.
        """
        key = self.options.once
        if self.options.compare is not None:
            return self._compare(self.options.compare)
        if key is not None:
            with reported(exit_code=2):
                earlier = registry.trained(self.options.register_as, key)
                outcome = recall(earlier) if earlier and not registry.files_gone(earlier) else None
                if outcome is not None:
                    return self._with_champion(outcome)
        return self._train()

    def _with_champion(self, outcome: Outcome) -> Outcome:
        """The outcome of an earlier run, whose version is the champion if there is none: a first one would be it."""
        if registry.champion(outcome.model) is not None:
            return outcome
        self.stop.ignore()
        registry.crown(outcome.model, outcome.version)
        reason = f"{outcome.reason}, and no version was the champion any more"
        return replace(outcome, alias=registry.CHAMPION, reason=reason, warning=True)

    def _train(self) -> Outcome:
        options = self.options
        tags = source_tags(self.recipe.folder.parent) | options.tags
        data = split(self.recipe, self.frame, options.parameters)
        with tracked_run(options.experiment, tags, self.stop) as run_id:
            mlflow.log_params(options.parameters)
            dataset, kept = self._log_dataset()
            record = repeating.record(self.recipe, self.table, kept)
            model = self.estimator.fit(data, options.parameters)
            metrics = self._scores(model, data)
            mlflow.log_metrics(metrics)
            answers = repeating.digest(self.estimator.predict(model, self.frame[list(self.recipe.features)]))
            mlflow.log_dict(record | {"answers": answers}, repeating.RECORD_FILE)
            logged = self._log_model(model, data)
            decision = registry.decide(
                options.register_as, metrics["test_score"], lambda uri: self._score(uri, data), dataset.digest
            )
            compared = _comparison(decision)
            mlflow.log_metrics(compared)
            metrics |= compared
            # A version without its alias would be half a registration.
            self.stop.ignore()
            version = registry.register(
                options.register_as, logged.model_uri, tags | _compared_with(decision), decision.alias
            )
            if options.once:
                registry.remember(options.register_as, version, options.once)
        return Outcome(
            model=options.register_as,
            version=version,
            alias=decision.alias,
            previous_champion=decision.previous_champion,
            reason=decision.reason,
            warning=decision.warning,
            run_id=run_id,
            model_id=logged.model_id,
            model_uri=f"models:/{options.register_as}/{version}",
            artifact_uri=logged.artifact_path,
            metrics=metrics,
            dataset=dataset,
        )

    def _compare(self, number: str) -> Outcome:
        """Have a version and a champion of other data compete again, on these.

        A champion of the same data stays: it has won on the same rows, or somebody has chosen it.
        """
        name, client, digest = self.options.register_as, MlflowClient(), self.table.sha256[:DIGEST_CHARACTERS]
        data = split(self.recipe, self.frame, self.options.parameters)
        with reported(exit_code=2):
            outcome = recall(client.get_model_version(name, number))
            if outcome is None:
                raise TrackingError(
                    f"{name} version {number} cannot be compared, since its run is not known as a training of this "
                    f"model: give it the alias {registry.CHAMPION} by hand, or train again, without --compare"
                )
            champion = registry.champion(name)
            if champion and not registry.other_data(champion, digest):
                present = str(champion.version)
                reason = (
                    "it is the champion"
                    if present == number
                    else f"version {present} stays, not known to be of other data"
                )
                return replace(outcome, previous_champion=present, reason=reason)
        try:
            score = self._score(outcome.model_uri, data)
        except Exception as error:
            # Each kind of store has exceptions of its own.
            raise TrackingError(f"{name} version {number} cannot be scored: {error}", 1) from error
        with reported(exit_code=1):
            decision = registry.decide(name, score, lambda uri: self._score(uri, data), digest)
            if decision.alias == registry.CHAMPION:
                self.stop.ignore()
                registry.crown(name, number)
        return replace(
            outcome,
            alias=decision.alias if decision.alias == registry.CHAMPION else outcome.alias,
            previous_champion=decision.previous_champion,
            reason=decision.reason,
            warning=decision.warning,
        )

    def _log_dataset(self) -> tuple[DatasetUsed, str | None]:
        """Log which data are used; returns that, and the address of their copy."""
        table = self.table
        used = DatasetUsed(
            name=PurePosixPath(urlsplit(table.address).path).stem or "data",
            digest=table.sha256[:DIGEST_CHARACTERS],
            source=table.address,
            rows=table.rows,
        )
        with warnings.catch_warnings():
            # MLflow finds itself ambiguous: it registers its source for local files twice.
            warnings.filterwarnings(
                "ignore", message="The specified dataset source can be interpreted in multiple ways"
            )
            dataset = from_pandas(
                self.frame, source=used.source, targets=self.recipe.target, name=used.name, digest=used.digest
            )
        mlflow.log_input(dataset, context="training")
        return used, repeating.keep(table, dataset, self.options.data_copies)

    def _scores(self, model: Any, data: Split) -> dict[str, float]:
        """How good a model is on both parts of the data."""
        predict = self.estimator.predict
        return {
            **scores(self.recipe, "train", data.train_y.to_numpy(), predict(model, data.train_x)),
            **scores(self.recipe, "test", data.test_y.to_numpy(), predict(model, data.test_x)),
        }

    def _log_model(self, model: Any, data: Split) -> ModelInfo:
        rows = data.test_x.head(PARITY_ROWS)
        predictions = self.estimator.predict(model, rows)
        record = Record(
            names=list(self.recipe.features),
            rows=rows.to_numpy().tolist(),
            predictions=predictions.tolist(),
            libraries=installed(self.estimator.libraries),
            dtype=predictions.dtype.name,
        )
        needed = record.libraries | installed(["pandas"])
        logged = self.estimator.log(
            model,
            name="model",
            signature=_signature(rows, predictions),
            input_example=rows,
            # MLflow would start Python anew to find out what it imports.
            pip_requirements=[f"{name}=={version}" for name, version in needed.items()],
            metadata=record.to_metadata(),
        )
        with tempfile.TemporaryDirectory() as folder:
            MlflowClient().log_model_artifact(logged.model_id, str(record.write(Path(folder))))
        return logged

    def _score(self, model_uri: str, data: Split) -> float:
        """The score of a registered version of this model on the test rows.

        Raises:
            Exception: it cannot be loaded, or is another kind of model.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(mlflow.artifacts.download_artifacts(model_uri, dst_path=folder))
            signature = Model.load(str(path)).signature
            columns = signature.inputs.input_names() if signature else []
            if columns != list(self.recipe.features):
                raise ValueError(f"its columns are {', '.join(map(str, columns)) or 'not known'}")
            model = self.estimator.load(path)
            if tuple(getattr(model, "classes_", ())) != self.recipe.classes:
                raise ValueError("its classes are others")
        answers = self.estimator.predict(model, data.test_x)
        return scores(self.recipe, "test", data.test_y.to_numpy(), answers)["test_score"]


def _signature(rows: pd.DataFrame, answers: Any) -> ModelSignature:
    """What a model takes: its columns by name, of whatever type of numbers; and what it answers.

    Of a column of floats MLflow refuses whole numbers, and the other way round, and which of them a column holds is a
    question of the rows at hand: pandas reads 1, 2 as whole numbers and 1, 2.5 not. So no type of MLflow's takes all
    frames of the file that a model was trained on (https://github.com/mlflow/mlflow/issues/5525), but none does. MLflow
    still finds the columns by name, and says which are missing.
    """
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs = Schema([ColSpec(anything, name) for name in rows.columns])
    return ModelSignature(inputs=inputs, outputs=infer_signature(model_output=answers).outputs)


def _comparison(decision: registry.Decision) -> dict[str, float]:
    """What a run is to remember of the champion: whoever promotes the version sees both scores on the same rows."""
    score = decision.champion_score
    return {} if score is None else {registry.CHAMPION_SCORE: score}


def _compared_with(decision: registry.Decision) -> dict[str, str]:
    """Which version that was, as a tag."""
    if decision.champion_score is None or decision.previous_champion is None:
        return {}
    return {registry.COMPARED_WITH: decision.previous_champion}
