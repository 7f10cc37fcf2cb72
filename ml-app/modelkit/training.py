"""What the training of every model records: where its code comes from, its libraries, how good it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelkit.mlmodel import version_of
from modelkit.recipe import Recipe

if TYPE_CHECKING:
    import numpy.typing as npt


def source_tags(folder: Path) -> dict[str, str]:
    """Tags that say which commit a folder's code is of.

    Returns:
        `mlflow.source.git.commit`, from the folder's git repository or else from the variable GIT_COMMIT, which an
        image build sets; and `git.dirty` = "true" if the folder has changes that are not committed. Empty if neither
        knows.
    """
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    dirty = commit and _git(folder, "status", "--porcelain", "--", ".")
    commit = commit or os.environ.get("GIT_COMMIT", "")
    return ({"mlflow.source.git.commit": commit} if commit else {}) | ({"git.dirty": "true"} if dirty else {})


def installed(packages: Sequence[str]) -> dict[str, str]:
    """The installed version of each package, by its name on PyPI."""
    return {package: version_of(package) for package in packages}


def scores(
    recipe: Recipe, part: str, actual: npt.NDArray[np.float64], predicted: npt.NDArray[np.floating[Any]]
) -> dict[str, float]:
    """How good predictions are, as metrics of a run.

    Args:
        recipe: says whether the model is a classifier.
        part: "train" or "test", the first word of each metric's name.
        actual: the true values, shape (n,), n of at least 2; of a classifier the true classes.
        predicted: the model's answers, float64 or float32: of the same shape and unit, or the probabilities of the
            recipe's classes, shape (n, number of classes).

    Returns:
        `<part>_score`, of which 1 is perfect and more is better. That is R² beside `<part>_rmse` and `<part>_mae` (both
        in the unit of the values); of a classifier the share of rows whose most probable class is the true one,
        beside `<part>_log_loss`.
    """
    from sklearn import metrics  # noqa: PLC0415 a second

    if recipe.classes:
        named = np.array(recipe.classes)[predicted.argmax(axis=1)]
        found = {
            "score": metrics.accuracy_score(actual, named),
            "log_loss": metrics.log_loss(actual, predicted, labels=list(recipe.classes)),
        }
    else:
        found = {
            "score": metrics.r2_score(actual, predicted),
            "rmse": metrics.root_mean_squared_error(actual, predicted),
            "mae": metrics.mean_absolute_error(actual, predicted),
        }
    return {f"{part}_{name}": float(value) for name, value in found.items()}


def _git(folder: Path, *arguments: str) -> str:
    """What a git command prints; "" without git, without a repository, or without a commit."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
