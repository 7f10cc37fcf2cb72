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

ANSWERS_FILE = "mlplatform-answers.json"
"""What the platform puts beside the files itself (`expected.py`): data that only a comparison reads."""

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
    decided = _decided(told)
    found, problems = _files(folder)
    if not problems:
        problems = [problem for name in sorted(decided) if (problem := _problem(name, decided[name], found.get(name)))]
        beside = sorted(found.keys() - decided.keys() - {ANSWERS_FILE})
        problems += [f"{_shown(name)} is beside the files of the version" for name in beside]
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise OtherFilesError(f"{folder} is not what was decided on: {'; '.join(problems[:SHOWN])}{more}")


def _decided(told: str) -> dict[str, str]:
    try:
        decided = json.loads(told)
    except (ValueError, RecursionError) as error:
        raise OtherFilesError(f"{VARIABLE} is no list of files: {error}") from error
    if not isinstance(decided, dict) or not all(isinstance(digest, str) for digest in decided.values()):
        raise OtherFilesError(f"{VARIABLE} is no list of files: a JSON object with the SHA-256 of each is expected")
    return decided


def _files(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The files in a folder and in those in it, by their names there; and which folders do not tell theirs."""
    closed: list[str] = []

    def note(error: OSError) -> None:
        # What is not there hides nothing.
        if not isinstance(error, FileNotFoundError):
            name = Path(error.filename).relative_to(folder).as_posix()
            closed.append(f"{'the folder itself' if name == '.' else _shown(name)} cannot be listed: {error.strerror}")

    found: dict[str, Path] = {}
    try:
        for where, folders, files in os.walk(folder, onerror=note):
            # A link is as good as a file to a loader, wherever it leads.
            links = [name for name in folders if os.path.islink(f"{where}/{name}")]  # noqa: PTH114 a Path would raise
            paths = [Path(where, name) for name in files + links]
            found |= {path.relative_to(folder).as_posix(): path for path in paths}
    except RecursionError:
        closed.append("its folders lie too deep in each other")
    return found, closed


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
