"""What a command prints that loads models: their code may print, too, and chooses the words of its errors.

It needs nothing but the standard library of Python 3.10.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def own_output() -> Iterator[TextIO]:
    """Standard output for what this command says; whatever the model's code prints goes to standard error."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        try:
            yield out
        finally:
            sys.stdout.flush()
            os.dup2(out.fileno(), 1)


def printable(text: str) -> str:
    """A line without what would move a terminal's cursor."""
    return "".join(character if character.isprintable() else "?" for character in text)
