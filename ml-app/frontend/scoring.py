"""Asks a model many rows: in batches, and past the rows that it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frontend.exchange import AskError, RefusedError
from frontend.signature import Answer

BATCH_ROWS = 500
BATCH_CHARACTERS = 400_000
"""Servers take a mebibyte at once, and the protocol writes names and types beside the values."""
MOST_REFUSALS = 200
"""After so many refused requests, what is refused is not looked into any more."""


@dataclass
class Scored:
    """What came of rows, by their numbers."""

    names: tuple[str, ...] = ()
    answers: dict[int, list[Any]] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)


def score(
    ask: Callable[[Sequence[Sequence[Any]]], Answer],
    rows: Mapping[int, Sequence[Any]],
    progress: Callable[[float], None] = lambda _: None,
) -> Scored:
    """Ask a model all of these rows.

    A batch that it refuses is asked again in halves, until the rows are alone that it refuses.

    Args:
        ask: asks it rows, at once.
        rows: by a number.
        progress: is told the share that is done.

    Raises:
        AskError: it does not answer.
    """
    scored, refusals = Scored(), 0
    batches = _batches(rows)[::-1]
    while batches:
        batch = batches.pop()
        try:
            answer = ask([rows[number] for number in batch])
        except RefusedError as error:
            refusals += 1
            if len(batch) == 1 or refusals > MOST_REFUSALS:
                scored.rejected |= dict.fromkeys(batch, _reason(str(error), len(batch)))
            else:
                half = len(batch) // 2
                batches += [batch[half:], batch[:half]]
        else:
            scored.names = scored.names or answer.names
            if answer.names != scored.names:
                raise AskError("The model answers some rows under several other names than the rest.")
            scored.answers |= zip(batch, answer.rows, strict=True)
        progress((len(scored.answers) + len(scored.rejected)) / len(rows))
    return scored


def _reason(said: str, rows: int) -> str:
    """What a server says of rows: of the only one it says that it is the first."""
    return re.sub(r"^row 0[,:] ", "", said) if rows == 1 else f"{said} (said of {rows} rows together)"


def _batches(rows: Mapping[int, Sequence[Any]]) -> list[list[int]]:
    batches: list[list[int]] = []
    size = 0
    for number, row in rows.items():
        length = len(json.dumps(row))
        if not batches or len(batches[-1]) == BATCH_ROWS or size + length > BATCH_CHARACTERS:
            batches.append([])
            size = 0
        batches[-1].append(number)
        size += length
    return batches
