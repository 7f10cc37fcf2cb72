"""A table's scores: what is done is kept piece by piece, and put together when all is there.

Each piece becomes files of its own that are there whole or not at all, so that whoever is killed goes on where it was,
and several may share the work. The result is the same to the byte, however often and by whomever it was made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from batch.scorer import Scored, Scorer
from batch.source import Source

PIECE_BYTES = 4 << 20
"""Of the table: some ten thousand rows, which take up a hundred megabytes while they are scored."""

MANIFEST = ".manifest.json"
"""What the name of the output's manifest ends with."""

FORM = 1
"""Of what is written; changes with it, so that parts of before are not put together with those of now."""


class OutputError(RuntimeError):
    """The scores cannot be written; the message says why, and what to do."""


class Job:
    """The scores of a table by a version of a model.

    Args:
        source: the table.
        scorer: the model.
        output: the file for the scores, which is not there yet; `FILE.manifest.json` says what they are of, and
            `FILE.rejected.jsonl` which rows have none.
        model: what the manifest says of the model: its name and version.
        share: which of how many workers this is, from 0: it scores each piece whose number leaves that remainder.

    Raises:
        OutputError: the output is there already, and is not this job's; or it is the input.
    """

    def __init__(  # noqa: PLR0917 -- all but the last two are what the job is of
        self,
        source: Source,
        scorer: Scorer,
        output: Path,
        model: dict[str, str],
        share: tuple[int, int] = (0, 1),
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        if not output.name or output.is_dir():
            raise OutputError(f"{output} is a folder: name a file for the scores")
        self._source, self._scorer, self._output, self._model = source, scorer, output, model
        self._share, self._piece_bytes = share, piece_bytes
        said = [FORM, source.sha256, scorer.files, model, scorer.outputs, source.separator, piece_bytes]
        self.key = hashlib.sha256(json.dumps(said).encode()).hexdigest()
        self._parts = output.with_name(f"{output.name}.parts-{self.key[:12]}")
        # Of results that are being put into their places.
        self._coming = self._parts / "manifest"
        self._rejected, self._manifest = (output.with_name(output.name + end) for end in (".rejected.jsonl", MANIFEST))
        with _writing(output):
            if output.exists() and output.samefile(source.path):
                raise OutputError(f"{output} is the table itself: name another file for its scores")
            self._refuse_others()

    def done(self) -> dict[str, Any] | None:
        """The manifest, if the scores are there; else None."""
        manifest = self._said(self._manifest)
        return manifest if manifest and self._output.exists() and self._rejected.exists() else None

    def run(self, say: Callable[[int, int], None]) -> dict[str, Any] | None:
        """Score the pieces of this share that are not there, and put all together if all are.

        Args:
            say: is told after each piece how many there are, and how many rows have been scored here.

        Returns:
            The manifest; None if pieces of other shares are still missing.

        Raises:
            SourceError: the table is damaged, or changes.
            OutputError: there is no room, or no permission.
        """
        with _writing(self._output):
            if manifest := self.done():
                shutil.rmtree(self._parts, ignore_errors=True)
                return manifest
            try:
                self._parts.mkdir(exist_ok=True)
                names, rows = [], 0
                for piece in self._source.pieces(self._piece_bytes):
                    # By what it is of: a table may change, and change back.
                    name = f"{piece.index:08}-{piece.sha256[:16]}"
                    names.append(name)
                    mine = piece.index % self._share[1] == self._share[0]
                    if mine and not self._part(name, "csv").exists():
                        scored = self._scorer.score(self._source, piece)
                        self._keep(name, scored)
                        rows += len(scored.lines)
                        say(len(names), rows)
                if all(self._part(name, "csv").exists() for name in names):
                    return self._put_together(names)
            except FileNotFoundError:
                # Another process with the same job has put all together, and taken the parts away.
                if self.done() is None:
                    raise
            return self.done()

    def _said(self, path: Path) -> dict[str, Any] | None:
        """What a manifest says, if it is this job's."""
        try:
            manifest: dict[str, Any] = json.loads(path.read_text())
            return manifest if manifest["key"] == self.key else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _refuse_others(self) -> None:
        """See that what is where the results go are this job's results.

        Raises:
            OutputError: they are not.
        """
        said = self._said(self._manifest) or self._said(self._coming) or {}
        for path, made in ((self._output, "scored"), (self._rejected, "rejected"), (self._manifest, "")):
            if not path.exists():
                continue
            is_ours = _digest(path) == said[made]["sha256"] if made and said else bool(self._said(path))
            if not is_ours:
                raise OutputError(
                    f"{path} is there already, of something else: name another file for the scores, or remove it"
                )

    def _part(self, name: str, kind: str) -> Path:
        return self._parts / f"{name}.{kind}"

    def _keep(self, name: str, scored: Scored) -> None:
        rejected = [json.dumps({"line": line, "reason": reason}) for line, reason in scored.rejected]
        rows = zip(scored.lines, scored.answers.tolist(), strict=True)
        answers = [f"{line},{','.join(map(repr, row))}" for line, row in rows]
        # The scores are last: where they are, the piece is done.
        for kind, lines in (("rejected", rejected), ("csv", answers)):
            with _whole(self._part(name, kind)) as file:
                file.writelines(f"{line}\n".encode() for line in lines)

    def _put_together(self, names: list[str]) -> dict[str, Any]:
        head = f"line,{','.join(self._scorer.outputs)}\n".encode()
        rejected = _joined(self._parts / "rejected", b"", [self._part(name, "rejected") for name in names])
        scored = _joined(self._parts / "scored", head, [self._part(name, "csv") for name in names])
        manifest = {
            "key": self.key,
            "model": {**self._model, "files_sha256": self._scorer.files},
            "input": {"name": self._source.path.name, "sha256": self._source.sha256, "bytes": self._source.size},
            "unused_columns": [name for name in self._source.names if name not in self._scorer.features],
            "scored": {"file": self._output.name, **scored},
            "rejected": {"file": self._rejected.name, **rejected},
        }
        with _whole(self._coming) as file:
            file.write(json.dumps(manifest, indent=1).encode() + b"\n")
        # From here on what is in their places is known to be this job's, whenever it ends.
        self._refuse_others()
        (self._parts / "rejected").replace(self._rejected)
        (self._parts / "scored").replace(self._output)
        self._coming.replace(self._manifest)
        shutil.rmtree(self._parts, ignore_errors=True)
        return manifest


def _joined(path: Path, head: bytes, parts: list[Path]) -> dict[str, Any]:
    """Put files together. Returns how many rows that makes, and the digest of all."""
    digest, rows = hashlib.sha256(head), 0
    with _whole(path) as file:
        file.write(head)
        for part in parts:
            content = part.read_bytes()
            digest.update(content)
            rows += content.count(b"\n")
            file.write(content)
    return {"rows": rows, "sha256": digest.hexdigest()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there when all of it has been written, and not before."""
    coming = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with coming.open("wb") as file:
            yield file
            # Else its name could be there without it after a loss of power.
            file.flush()
            os.fsync(file.fileno())
        coming.replace(path)
    except BaseException:
        coming.unlink(missing_ok=True)
        raise


@contextmanager
def _writing(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}") from error
