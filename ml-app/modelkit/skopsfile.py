"""Reads a skops file that training stored: for the server, and for a training that compares with what is in service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import skops.io

T = TypeVar("T")


class StoredFileError(RuntimeError):
    """The file holds no sound model of its kind; the message says why."""


def read(path: Path, kind: type[T], trusted: Sequence[str] = ()) -> T:
    """Read a model, without running code from its file.

    What types beyond skops' own list hold has to be checked by the caller.

    Args:
        path: the file.
        kind: the class that the model must be of.
        trusted: types beyond skops' own list that it may have parts of.

    Raises:
        StoredFileError: it is no such file, has parts of other types, or holds a model of another kind.
    """
    try:
        untrusted = set(skops.io.get_untrusted_types(file=path)) - set(trusted)
        if untrusted:
            raise StoredFileError(f"{path} holds types that may run code when loaded: {', '.join(sorted(untrusted))}")
        model = skops.io.load(path, trusted=list(trusted))
    except StoredFileError:
        raise
    except Exception as error:  # skops and the libraries raise whatever the damaged part leads to
        raise unreadable(path, error) from error
    if not isinstance(model, kind):
        raise StoredFileError(f"{path} holds a {type(model).__name__}, not a {kind.__name__}")
    return model


def unreadable(path: Path, error: Exception) -> StoredFileError:
    """The error for a file whose damage a library has stumbled over."""
    return StoredFileError(f"{path} is not a readable skops file: {error}")
