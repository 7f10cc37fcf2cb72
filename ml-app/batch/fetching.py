"""The files of a version: of this machine, or fetched from MLflow, and then those that were decided on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standardserver.decided import OtherFilesError, check_files


class FilesError(RuntimeError):
    """The files cannot be had, or are others; the message says why."""


@contextmanager
def fetched(address: str) -> Iterator[Path]:
    """A version's files, for as long as they are needed.

    Args:
        address: of their folder: a path, or as MLflow's clients take it, `mlflow-artifacts:/1/models/m-abc/artifacts`.

    Raises:
        FilesError: MLflow does not hand them out, or they are not what was decided on.
    """
    try:
        if ":/" not in address:
            check_files(Path(address))
            yield Path(address)
            return
        with tempfile.TemporaryDirectory() as folder:
            path = _download(address, folder)
            check_files(path)
            yield path
    except OtherFilesError as error:
        raise FilesError(str(error)) from error


def _download(address: str, folder: str) -> Path:
    # Seconds of imports.
    import requests  # noqa: PLC0415
    from mlflow import MlflowException  # noqa: PLC0415
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415

    try:
        return Path(download_artifacts(artifact_uri=address, dst_path=folder))
    except (MlflowException, requests.RequestException, OSError) as error:
        raise FilesError(f"{address} cannot be fetched from MLflow: {error}") from error
