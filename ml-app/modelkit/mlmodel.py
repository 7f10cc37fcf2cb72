"""The folder that MLflow stores a model in, as a model server finds it on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from modelkit.parity import Record

MODEL_FILE = "MLmodel"
"""Describes the model; a folder without it holds none."""

REGISTERED_FILE = "registered_model_meta"
"""What MLflow puts beside it when it fetches a registered version: the version's name and number."""


class ModelFolderError(RuntimeError):
    """The folder holds no model that can be served here; the message says why and what to do."""


@dataclass(frozen=True)
class Registered:
    """Which version of which registered model a folder holds.

    Attributes:
        name: the registered model's.
        version: its number, as text.
    """

    name: str
    version: str

    @classmethod
    def read(cls, folder: Path) -> "Registered | None":
        """Read the folder's `registered_model_meta`; None if there is none, or the model came from no registry.

        Raises:
            ModelFolderError: the file is something else.
        """
        file = folder / REGISTERED_FILE
        try:
            content = yaml.safe_load(file.read_text())
            name, version = content.get("model_name"), content.get("model_version")
        except FileNotFoundError:
            return None
        except (yaml.YAMLError, AttributeError, ValueError) as error:
            raise ModelFolderError(f"{file} cannot be used: {error}") from error
        # MLflow writes null for a model that it fetches by its id.
        return cls(str(name), str(version)) if name and version else None


@dataclass(frozen=True)
class ModelFolder:
    """A model as MLflow stores it.

    Attributes:
        path: the folder.
        run_id: the MLflow run that trained it; empty if there was none.
        registered: which version it is; None if the folder does not say.
        flavors: what the `MLmodel` file says of each way to load it.
        record: what training recorded for the parity check.
    """

    path: Path
    run_id: str
    registered: Registered | None
    flavors: dict[str, dict[str, Any]]
    record: Record

    @classmethod
    def open(cls, path: str | Path, reads: Mapping[str, str] | None = None) -> "ModelFolder":
        """Read what the folder says of its model, and check that the libraries here are those of the training.

        Args:
            path: the folder.
            reads: releases, `1.7`, of libraries whose files are read here without them.

        Raises:
            ModelFolderError: there is no readable model, no parity record, or the libraries do not fit.
        """
        path = Path(path)
        try:
            content = yaml.safe_load((path / MODEL_FILE).read_text())
            record = Record.from_metadata(content.get("metadata"))
            run_id = content.get("run_id") or ""
            folder = cls(path, run_id, Registered.read(path), content.get("flavors") or {}, record)
            folder._check_libraries(reads or {})
        except FileNotFoundError as error:
            raise ModelFolderError(
                f"{path} holds no MLmodel file; point it to the artifacts of a logged model"
            ) from error
        except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
            raise ModelFolderError(f"{path / MODEL_FILE} cannot be used: {error}") from error
        return folder

    def file(self, flavor: str, key: str) -> Path:
        """The file that `key` of a flavour names.

        Raises:
            ModelFolderError: the flavour, the key or the file is missing.
        """
        name = self.flavors.get(flavor, {}).get(key)
        file = self.path / str(name)
        if not file.is_file():
            raise ModelFolderError(f"{self.path} has no {flavor} model file (MLmodel names {name!r})")
        return file

    def _check_libraries(self, reads: Mapping[str, str]) -> None:
        """Major and minor version of each recorded library must be the same here: model files promise no more."""
        problems = []
        for library, trained in self.record.libraries.items():
            here = reads.get(library) or _installed(library) or "none"
            if here.split(".")[:2] != trained.split(".")[:2]:
                problems.append(f"{library} {trained} in training, {here} here")
        if problems:
            raise ModelFolderError(
                f"the model in {self.path} was made with other libraries: {'; '.join(problems)}. "
                "Train it again with the lock file of this version, or serve it with the image of its own"
            )


def version_of(package: str) -> str:
    """The installed version of a package, by its name on PyPI.

    `xgboost-cpu` is `xgboost` without the code for GPUs.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return metadata.version(f"{package}-cpu")


def _installed(library: str) -> str | None:
    try:
        return version_of(library)
    except metadata.PackageNotFoundError:
        return None
