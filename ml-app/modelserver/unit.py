"""What the units of the project have in common: each describes itself as its manifest does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MANIFEST = "unit.json"
"""A unit's manifest, beside its class. The stack's configuration is checked by the same."""


class Unit:
    """A unit of a graph, in the shape that Seldon's Python servers know.

    A class of a unit has one of the methods `transform_input`, `transform_output`, `route` and `aggregate`.

    Args:
        file: a file of the unit's folder.

    Attributes:
        takes: the names of the columns that it takes; empty where any will do.
        gives: the names of those that it gives, likewise.
    """

    def __init__(self, file: str) -> None:
        manifest = json.loads(Path(file).with_name(MANIFEST).read_text())
        self.takes: tuple[str, ...] = tuple(manifest.get("takes", ()))
        self.gives: tuple[str, ...] = tuple(manifest.get("gives", ()))
        self._name: str = manifest["name"]
        self._example: list[Any] | None = manifest.get("example")

    def class_names(self) -> list[str]:
        """What the columns of an answer are called."""
        return list(self.gives)

    def init_metadata(self) -> dict[str, Any]:
        """The unit's description, answered at `/metadata`."""

        def columns(names: tuple[str, ...]) -> list[dict[str, Any]]:
            schema = {"names": list(names), "shape": [-1, len(names)]}
            return [{"messagetype": "ndarray", "schema": schema}] if names else []

        return {
            "name": self._name,
            "versions": [],
            "platform": "seldon",
            "inputs": columns(self.takes),
            "outputs": columns(self.gives),
            "custom": {} if self._example is None else {"example": json.dumps(self._example)},
        }
