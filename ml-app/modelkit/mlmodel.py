"""The folder that MLflow stores a model in, as a model server finds it on disk."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from modelkit.parity import Record


class ModelFolderError(RuntimeError):
    """The folder holds no model that can be served here; the message says why and what to do."""


@dataclass(frozen=True)
class ModelFolder:
    """A model as MLflow stores it.

    Attributes:
        path: the folder.
        run_id: the MLflow run that trained it; empty if there was none.
        flavors: what the `MLmodel` file says of each way to load it.
        record: what training recorded for the parity check.
    """

    path: Path
    run_id: str
    flavors: dict[str, dict[str, Any]]
    record: Record

    @classmethod
    def open(cls, path: str | Path) -> "ModelFolder":
        """Read the folder's `MLmodel` file and check that the libraries here are those of the training.

        Raises:
            ModelFolderError: there is no readable model, no parity record, or the libraries do not fit.
        """
        path = Path(path)
        try:
            content = yaml.safe_load((path / "MLmodel").read_text())
            record = Record.from_metadata(content.get("metadata"))
            folder = cls(path, content.get("run_id") or "", content.get("flavors") or {}, record)
            folder._check_libraries()
        except FileNotFoundError as error:
            raise ModelFolderError(
                f"{path} holds no MLmodel file; point it to the artifacts of a logged model"
            ) from error
        except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
            raise ModelFolderError(f"{path / 'MLmodel'} cannot be used: {error}") from error
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

    def _check_libraries(self) -> None:
        """Major and minor version of each recorded library must be the same here: model files promise no more."""
        problems = []
        for library, trained in self.record.libraries.items():
            try:
                here = metadata.version(library)
            except metadata.PackageNotFoundError:
                here = "none"
            if here.split(".")[:2] != trained.split(".")[:2]:
                problems.append(f"{library} {trained} in training, {here} here")
        if problems:
            raise ModelFolderError(
                f"the model in {self.path} was made with other libraries: {'; '.join(problems)}. "
                "Train it again with the lock file of this version, or serve it with the image of its own"
            )
