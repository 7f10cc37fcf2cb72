"""Options of a training command, as the model's manifest declares them: their names, types, ranges and defaults.

The manifest is `model.json` in the model's folder. The stack's configuration is checked by the same declarations, so
that a wrong option is found before a training begins. An option is declared in the words of JSON Schema: `type`
(`integer`, `number`), `minimum` or `exclusiveMinimum`, `maximum` or `exclusiveMaximum`, `default`, `description`.
"""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Option:
    """One declared option: a number.

    Attributes:
        name: as on the command line, without dashes in front.
        whole: whether it is a whole number.
        default: where the command line says nothing.
        low, high: what is allowed; None if there is no bound.
        strict: whether the bounds themselves are not allowed.
        description: what it is.
    """

    name: str
    whole: bool
    default: float
    low: float | None
    high: float | None
    strict: bool
    description: str

    @property
    def key(self) -> str:
        """Its name as a parameter of a run: `max_depth`."""
        return self.name.replace("-", "_")

    @property
    def expected(self) -> str:
        """What a value must be: "a whole number from 1 to 10"."""
        kind = "a whole number" if self.whole else "a number"
        if self.low is None and self.high is None:
            return kind
        if self.high is None:
            return f"{kind} of at least {self.low}"
        return f"{kind} between {self.low} and {self.high}" if self.strict else f"{kind} from {self.low} to {self.high}"

    def read(self, text: str) -> int | float:
        """The value that a text stands for.

        Raises:
            ValueError: it is none, or out of bounds.
        """
        value = int(text) if self.whole else float(text)
        above = self.low is None or (value > self.low if self.strict else value >= self.low)
        below = self.high is None or (value < self.high if self.strict else value <= self.high)
        if not (math.isfinite(value) and above and below):
            raise ValueError(text)
        return value


def declared(manifest: Path) -> list[Option]:
    """The options of the training that a model's manifest declares, in its order."""
    options: Mapping[str, Mapping[str, Any]] = json.loads(manifest.read_text())["training"]["options"]
    return [
        Option(
            name=name,
            whole=said["type"] == "integer",
            default=said["default"],
            low=said.get("minimum", said.get("exclusiveMinimum")),
            high=said.get("maximum", said.get("exclusiveMaximum")),
            strict="exclusiveMinimum" in said,
            description=said["description"],
        )
        for name, said in options.items()
    ]


def add(parser: ArgumentParser, options: list[Option]) -> None:
    """Add declared options to a command line, as texts: argparse would stop at the first that is wrong."""
    for option in options:
        text = f"{option.description} (default: %(default)s)"
        parser.add_argument(f"--{option.name}", default=str(option.default), metavar="N", help=text)


def read(given: Namespace, options: list[Option], problems: list[str]) -> dict[str, int | float]:
    """The values of declared options by their keys; what is wrong is added to `problems`, a sentence each."""
    values: dict[str, int | float] = {}
    for option in options:
        text = getattr(given, option.key)
        try:
            values[option.key] = option.read(text)
        except ValueError:
            problems.append(f"--{option.name} must be {option.expected}, not {text!r}")
    return values
