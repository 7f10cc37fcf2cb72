"""A model that training stored, as a class for Seldon's Python servers: what all such classes have in common."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from modelkit.mlmodel import ModelFolder, ModelFolderError, Registered
from modelserver.errors import BadRequest, ModelError
from modelserver.tabular import to_matrix


class StoredModel(ABC):
    """Loads what training stored, and answers only when it has answered the recorded rows as then.

    A class of a model names its `features` and `outputs`, opens the stored file and evaluates rows.

    Args:
        model_dir: folder of the model's files, as MLflow stores them.
        model_name: the registered model's name, for tags and metadata.
        model_version: its version in the registry, likewise. If it is empty, name and version are those that the
            folder's `registered_model_meta` says, and the version is unknown if there is no such file.

    Attributes:
        features: the names of what the model takes, in the order of its columns.
        outputs: the names of what it answers.
        classes: what it chooses from, if it is a classifier: its outputs are the probabilities of these.
        reads: releases of libraries whose files `open` reads without them, as `modelkit.skopsparts.READS`.
        pictures: whether it takes a picture, as bytes, in the place of rows.
    """

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    classes: tuple[str, ...] = ()
    pictures = False
    reads: Mapping[str, str] = MappingProxyType({})

    def __init__(self, model_dir: str, model_name: str, model_version: str) -> None:
        self._model_dir = Path(model_dir)
        self._given = Registered(model_name, model_version)
        # A call's figures are asked for right after it, by the thread that made it; calls run side by side.
        self._last_call = threading.local()

    @abstractmethod
    def open(self, path: Path) -> None:
        """Read the stored model.

        Raises:
            ModelError: the file holds no sound model of `features`.
        """

    @abstractmethod
    def evaluate(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The answers to rows of shape (n, number of features), shape (n,) or (n, number of outputs)."""

    def load(self) -> None:
        """Read the model, and compare its answers with those recorded at training.

        Raises:
            ModelError: the folder holds no such model, it was made with other libraries, or it answers otherwise than
                at training.
        """
        try:
            folder = self._folder
            path = folder.file("sklearn", "pickled_model")
            matrix = to_matrix(np.array(folder.record.rows), None, self.features)
        except (ModelFolderError, BadRequest) as error:
            raise ModelError(str(error)) from error
        if tuple(folder.record.names) != self.features:
            raise ModelError(
                f"the model in {folder.path} takes {folder.record.names}, this class sends {self.features}"
            )
        self.open(path)
        mismatches = folder.record.mismatches(self.evaluate(matrix).tolist())
        if mismatches:
            raise ModelError(
                f"the model in {folder.path} does not answer as it did at training: {'; '.join(mismatches)}"
            )

    def note(self, metrics: list[dict[str, Any]]) -> None:
        """Keep what a call has measured, for `metrics`."""
        self._last_call.metrics = metrics

    def metrics(self) -> list[dict[str, Any]]:
        """What the last `predict` of this thread measured.

        Handed out once: Seldon also asks after health checks, which would otherwise count a prediction again.
        """
        metrics: list[dict[str, Any]] = self._last_call.__dict__.pop("metrics", [])
        return metrics

    def tags(self) -> dict[str, str]:
        """Which model answered: its name, version and MLflow run."""
        return self._tags

    def init_metadata(self) -> dict[str, Any]:
        """The model's description, answered at `/metadata`."""
        shape = [-1] if len(self.outputs) == 1 else [-1, len(self.outputs)]
        columns = {"names": list(self.features), "shape": [-1, len(self.features)]}
        # Seldon lets a model say more, in texts.
        told = {"example": self._folder.record.rows[0], **({"classes": self.classes} if self.classes else {})}
        return {
            "name": self._registered.name,
            "versions": [self._registered.version],
            "platform": "seldon",
            "inputs": [
                {"messagetype": "ndarray", "schema": columns},
                *([{"messagetype": "binData"}] if self.pictures else []),
            ],
            "outputs": [{"messagetype": "ndarray", "schema": {"names": list(self.outputs), "shape": shape}}],
            "custom": {"run_id": self._folder.run_id, **{key: json.dumps(value) for key, value in told.items()}},
        }

    def health_status(self) -> dict[str, str]:
        """Healthy means that `load` has compared the model's answers; Seldon asks no earlier."""
        return {"status": "healthy", **self.tags()}

    @cached_property
    def _tags(self) -> dict[str, str]:
        return {
            "model_name": self._registered.name,
            "model_version": self._registered.version,
            "run_id": self._folder.run_id,
        }

    @cached_property
    def _folder(self) -> ModelFolder:
        # Opened by whoever asks first: seldon-core's own server asks for the metadata before it loads the model.
        return ModelFolder.open(self._model_dir, self.reads)

    @property
    def _registered(self) -> Registered:
        return self._given if self._given.version else self._folder.registered or self._given
