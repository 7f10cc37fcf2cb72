"""Compares a model's files with those that were decided on, before anything loads them.

A pod is told them by the variable MLPLATFORM_FILES: JSON, the SHA-256 of each file by its path. Without it nothing is
compared. Whoever may write to the bucket could else change what is in service, without a new version.

The project's own server (`modelserver`) does the same with this file. It needs nothing but the standard library of
Python 3.10.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

VARIABLE = "MLPLATFORM_FILES"

SHOWN = 5
SHOWN_DIGITS = 12
SHOWN_CHARACTERS = 80
CHUNK_BYTES = 1 << 20


class OtherFilesError(RuntimeError):
    """The files are not those that were decided on; the message names them."""


def check_files(folder: Path) -> None:
    """Compare the files in a folder, and in those in it, with what the environment says of them.

    Raises:
        OtherFilesError: one is changed, missing, or beside those that were decided on.
    """
    told = os.environ.get(VARIABLE)
    if told is None:
        return
    try:
        decided: dict[str, str] = dict(json.loads(told))
    except (ValueError, TypeError) as error:
        raise OtherFilesError(f"{VARIABLE} is no list of files: {error}") from error
    # A link is as good as a file to a loader, wherever it leads.
    files = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    found = {path.relative_to(folder).as_posix(): path for path in files}
    problems = [problem for name in sorted(decided) if (problem := _problem(name, decided[name], found.get(name)))]
    problems += [f"{_shown(name)} is beside the files of the version" for name in sorted(found.keys() - decided.keys())]
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise OtherFilesError(f"{folder} is not what was decided on: {'; '.join(problems[:SHOWN])}{more}")


def _problem(name: str, decided: str, path: Path | None) -> str | None:
    """What is wrong with a file that was decided on; None if nothing is."""
    if path is None:
        return f"{_shown(name)} is missing"
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        return f"{_shown(name)} cannot be read: {error.strerror}"
    found = digest.hexdigest()
    if found == decided:
        return None
    return f"{_shown(name)} has sha256 {found[:SHOWN_DIGITS]}… instead of {decided[:SHOWN_DIGITS]}…"


def _shown(name: str) -> str:
    """A name in a line, whatever somebody has called a file."""
    plain = name if name.isprintable() else ascii(name)
    return plain if len(plain) <= SHOWN_CHARACTERS else f"{plain[:SHOWN_CHARACTERS]}…"
