"""Which models are in service: a file that whoever starts the page writes, and writes anew when that changes.

    {"models": [{"name": "churn", "protocol": "v2", "address": "http://127.0.0.1:9000", "unit": "churn",
                 "version": "3", "score": {"name": "accuracy", "value": 0.93}}]}

`protocol` is `seldon` or `v2`, `address` that of the server, without a path, and `unit` the name by which the server
knows the model, or of a graph the node that says what it takes; with `chained` it is a graph. `version` and `score` may
be missing.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

VARIABLE = "MLPLATFORM_FRONTEND_MODELS"
"""Names the file."""
LARGEST_FILE = 1024 * 1024
MOST_MODELS = 200
PROTOCOLS = ("seldon", "v2")


class NotListedError(Exception):
    """Nobody knows which models there are; the message says why."""


@dataclass(frozen=True)
class Listed:
    """A model in service.

    Attributes:
        name: what people call it; no other has it.
        protocol: one of `PROTOCOLS`.
        address: of its server: scheme, host and port.
        unit: the name by which the server knows it.
        version: as the registry has it; None if that is not known.
        score: what its score on test rows is called, and the score; None if there is none.
        chained: whether it is a graph, of which the unit is the node that says what it takes.
    """

    name: str
    protocol: str
    address: str
    unit: str
    version: str | None = None
    score: tuple[str, float] | None = None
    chained: bool = False


def listed() -> list[Listed]:
    """The models in service now, in the order of the file.

    Raises:
        NotListedError: the file cannot be read, or is something else.
    """
    file = os.environ.get(VARIABLE, "")
    if not file:
        raise NotListedError(f"{VARIABLE} names no file")
    try:
        if Path(file).stat().st_size > LARGEST_FILE:
            raise NotListedError(f"{file} is larger than {LARGEST_FILE >> 20} MiB")
        models = [_read(one) for one in json.loads(Path(file).read_text())["models"]]
    except OSError as error:
        raise NotListedError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotListedError(f"{file} is no list of models: {error}") from error
    if len({one.name for one in models}) < len(models):
        raise NotListedError(f"{file} has a name twice")
    return models[:MOST_MODELS]


def _read(one: dict[str, Any]) -> Listed:
    name, protocol, address = one["name"], one["protocol"], one["address"]
    unit, version, score = one.get("unit", name), one.get("version"), one.get("score")
    if not all(isinstance(text, str) and text for text in (name, address, unit)):
        raise ValueError("a model has no name or no address")
    if protocol not in PROTOCOLS:
        raise ValueError(f"{name} has the protocol {protocol}, which is none of {', '.join(PROTOCOLS)}")
    chained = one.get("chained", False) is True
    return Listed(name, protocol, _origin(address), unit, version and str(version), score and _score(score), chained)


def _origin(address: str) -> str:
    try:
        url = parse_url(address)
    except LocationParseError:
        url = parse_url("")
    if url.scheme not in ("http", "https") or not url.host or url.path not in (None, "/") or url.auth or url.query:
        raise ValueError(f"{address} is no address of a server, such as http://host:8000")
    return address.rstrip("/")


def _score(score: dict[str, Any]) -> tuple[str, float] | None:
    value = float(score["value"])
    return (str(score["name"]), value) if math.isfinite(value) else None
