"""Looks at a skops file that training stored: for the server, and for a training that compares with what it serves.

skops itself makes the objects, for which it needs their libraries. A server of a forest needs its arrays alone:
scikit-learn and scipy would be more than half of its image. And what is only looked at runs no code.

A file is a zip archive: `schema.json` says of each part its class and what is in it; arrays are files of numpy beside
it (https://skops.readthedocs.io/en/stable/persistence.html).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

READS = {"scikit-learn": "1.7", "skops": "0.16"}
"""The releases whose files are read here, by their names on PyPI: each may store another thing in another way."""

PROTOCOL = 2
"""Of skops' format, as 0.16 writes it."""


class StoredFileError(RuntimeError):
    """The file holds no sound model of its kind; the message says why."""


class Stored:
    """A part of a file: an object, a list, an array, a number.

    Its methods raise whatever it leads to where the part is of another kind, damaged, or not there.
    """

    def __init__(self, archive: zipfile.ZipFile, node: dict[str, Any]) -> None:
        self._archive, self._node = archive, node

    @property
    def name(self) -> str:
        """Module and name of the class: `sklearn.tree._tree.Tree`."""
        return f"{self._node['__module__']}.{self._node['__class__']}"

    def part(self, name: str) -> Stored:
        """An attribute of an object."""
        content = self._node["content"]
        # What an object holds is a dictionary, which is a part itself.
        return Stored(self._archive, (content["content"] if "__loader__" in content else content)[name])

    def items(self) -> Sequence[Stored]:
        """The parts of a list."""
        self._expect("ListNode")
        return [Stored(self._archive, node) for node in self._node["content"]]

    def value(self) -> Any:
        """A number, a text, or None."""
        self._expect("JsonNode")
        return json.loads(self._node["content"])

    def array(self) -> npt.NDArray[Any]:
        """An array, or a number of numpy's."""
        self._expect("NdArrayNode")
        return np.asarray(np.load(io.BytesIO(self._archive.read(self._node["file"])), allow_pickle=False))

    def _expect(self, loader: str) -> None:
        if self._node["__loader__"] != loader:
            raise ValueError(f"a {self._node['__loader__']} is where a {loader} should be")


def read(path: Path, kind: str) -> Stored:
    """Open a file that holds an object of this class, `sklearn.ensemble._forest.RandomForestRegressor`.

    Raises:
        StoredFileError: it is no such file, or holds an object of another class.
    """
    try:
        archive = zipfile.ZipFile(path)
        schema = json.loads(archive.read("schema.json"))
        stored, protocol = Stored(archive, schema), schema["protocol"]
        name = stored.name
    except Exception as error:  # zipfile, json and numpy raise whatever the damaged part leads to
        raise unreadable(path, error) from error
    if protocol != PROTOCOL:
        raise StoredFileError(f"{path} is of version {protocol} of skops' format, not {PROTOCOL}")
    if name != kind:
        raise StoredFileError(f"{path} holds a {name.rpartition('.')[2]}, not a {kind.rpartition('.')[2]}")
    return stored


def unreadable(path: Path, error: Exception) -> StoredFileError:
    """The error for a file whose damage somebody has stumbled over."""
    return StoredFileError(f"{path} is not a readable skops file: {type(error).__name__}: {error}")
