"""Loads a model of any kind from a skops file that training stored, with skops and the model's library.

A model whose numbers are all that its server needs is read by `skopsparts`, without either.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import skops.io

from modelkit.skopsparts import StoredFileError, unreadable

T = TypeVar("T")


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
