"""What training records about its code and about how good a model is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from house_price.train.recipe import RECIPE
from modelkit.training import scores, source_tags


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_commit_of_the_repository_and_whether_it_is_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMIT", "of-the-image")
    assert source_tags(tmp_path) == {"mlflow.source.git.commit": "of-the-image"}
    git(tmp_path, "init")
    assert source_tags(tmp_path) == {"mlflow.source.git.commit": "of-the-image"}  # a repository without a commit
    git(tmp_path, "commit", "--allow-empty", "--message", "first")
    commit = {"mlflow.source.git.commit": git(tmp_path, "rev-parse", "HEAD")}
    assert source_tags(tmp_path) == commit
    (tmp_path / "new.py").touch()
    assert source_tags(tmp_path) == commit | {"git.dirty": "true"}


def test_no_commit_where_nobody_knows_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    assert source_tags(tmp_path) == {}
    monkeypatch.setenv("PATH", "")  # and no git either
    assert source_tags(tmp_path) == {}


def test_metrics_of_known_predictions() -> None:
    metrics = scores(RECIPE, "test", np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0]))
    assert metrics == pytest.approx({"test_score": -1.0, "test_rmse": (4 / 3) ** 0.5, "test_mae": 2 / 3})
