"""A model of any kind is loaded from its file only where that runs no code from it."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, Ridge

from modelkit.skopsfile import read
from modelkit.skopsparts import StoredFileError

X = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.skops"


def stored(path: Path, **parts: Any) -> LinearRegression:
    """A model whose file is there, with these parts beside its own."""
    model = LinearRegression().fit(X, X.sum(axis=1))
    vars(model).update(parts)
    skops.io.dump(model, path)
    return model


def test_sound_file(path: Path) -> None:
    model = stored(path)
    np.testing.assert_array_equal(read(path, LinearRegression).predict(X), model.predict(X))


def test_type_that_may_run_code(path: Path) -> None:
    stored(path, note=types.SimpleNamespace())
    with pytest.raises(StoredFileError, match=r"types that may run code when loaded: types\.SimpleNamespace"):
        read(path, LinearRegression)
    assert read(path, LinearRegression, ["types.SimpleNamespace"]).note == types.SimpleNamespace()


def test_other_model(path: Path) -> None:
    stored(path)
    with pytest.raises(StoredFileError, match="holds a LinearRegression, not a Ridge"):
        read(path, Ridge)


def test_damaged_file(path: Path) -> None:
    path.write_bytes(b"no zip file")
    with pytest.raises(StoredFileError, match="is not a readable skops file: BadZipFile: "):
        read(path, LinearRegression)
