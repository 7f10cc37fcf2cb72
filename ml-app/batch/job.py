"""A table's scores: what is done is kept piece by piece, and put together when all is there.

Each piece becomes files of its own that are there whole or not at all, so that whoever is killed goes on where it was,
and several may share the work. The result is the same to the byte, however often and by whomever it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from batch import forms
from batch.places import Bytes, GoneError, OutputError, Place
from batch.scored import Scored
from batch.source import Source, changed

T = TypeVar("T")


class Scorer(Protocol):
    """What makes scores of rows.

    Attributes:
        files: a digest over all files of the model.
    """

    files: str

    @property
    def outputs(self) -> Sequence[str] | None:
        """What the columns of its scores are called; None where they are not known beforehand."""

    def form(self, counted: str) -> forms.Form:
        """How its scores are kept, by numbers of rows that are called so."""

    def rows(self, source: Source, piece: Any) -> Any:
        """The rows of a piece of a table."""

    def score(self, parsed: Any) -> Scored:
        """Scores of rows."""


PIECE_BYTES = 4 << 20
"""Of the table: some ten thousand rows, which take up a hundred megabytes while they are scored."""

MANIFEST = ".manifest.json"
"""What the name of the output's manifest ends with."""

MAX_SAID_BYTES = 16 << 20
"""Of a manifest, or of what else is said beside the scores. What is longer is somebody else's."""

FORM = 3
"""Of what is written; changes with it, so that parts of before are not put together with those of now."""


class Job:
    """The scores of a table by a version of a model.

    Args:
        source: the table.
        scorer: the model.
        place: where the scores go.
        output: the file for them there, which is not there yet; `FILE.manifest.json` says what they are of, and
            `FILE.rejected.jsonl` which rows have none. With `.parquet` at the end it is Parquet, else CSV.
        model: what the manifest says of the model: its name and version.
        share: which of how many workers this is, from 0: it scores each piece whose number leaves that remainder.
        run: tells the workers that share a table from those of other times. They notice by it when they have read
            different tables. Without it nobody looks.

    Raises:
        OutputError: the output is there already, and is not this job's.
    """

    def __init__(  # noqa: PLR0917 -- all but the last three are what the job is of
        self,
        source: Source,
        scorer: Scorer,
        place: Place,
        output: str,
        model: dict[str, str],
        share: tuple[int, int] = (0, 1),
        run: str | None = None,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        self._source, self._scorer, self._place, self._output, self._model = source, scorer, place, output, model
        self._share, self._piece_bytes = share, piece_bytes
        said = [FORM, source.sha256, scorer.files, model, scorer.outputs, source.form, piece_bytes, output]
        self._form = scorer.form(source.counted)
        self.key = hashlib.sha256(json.dumps(said).encode()).hexdigest()
        self._parts = f"{output}.parts-{self.key[:12]}"
        # Of results that are being put into their places.
        self._coming = f"{self._parts}/manifest"
        self._claimed = f"{output}.claim"
        self._rejected, self._manifest = f"{output}.rejected.jsonl", f"{output}{MANIFEST}"
        self._run = None if run is None else f"{output}.run-{run}"
        if place.is_at(output, source.shown):
            raise OutputError(f"{source.shown} is the table itself: name another file for its scores")
        self._refuse_others()

    def done(self) -> dict[str, Any] | None:
        """The manifest, if the scores are there; else None."""
        manifest = self._said(self._manifest)
        is_there = self._place.is_there
        return manifest if manifest and is_there(self._output) and is_there(self._rejected) else None

    def run(self, say: Callable[[int, float], None]) -> dict[str, Any] | None:
        """Score the pieces of this share that are not there, and put all together if all are.

        Args:
            say: is told after each piece how many rows have been scored here, and how much of the table has been read.

        Returns:
            The manifest; None if pieces of other shares are still missing.

        Raises:
            SourceError: the table is damaged, or changes.
            PlaceError: there is no room, or no permission.
        """
        if manifest := self.done():
            self._clear()
            return manifest
        self._see_that_all_read_the_same()
        try:
            names, rows = [], 0
            for name, read, parsed in _ahead(self._wanted(self._place.names(self._parts))):
                names.append(name)
                if parsed is not None:
                    scored = self._scorer.score(parsed)
                    self._keep(name, scored)
                    rows += len(scored.numbers)
                    say(rows, read)
            if self.done() is None:
                self._see_that_all_read_the_same()
                if {self._part(name) for name in names} <= self._place.names(self._parts):
                    return self._put_together(names)
        except GoneError as error:
            # Another process with the same job has put all together, and taken the parts away.
            if self.done() is None:
                raise OutputError(f"{self._place.shown(self._output)} cannot be written: {error}") from error
        if manifest := self.done():
            # What this one has put there since.
            self._clear()
        elif self._share[1] == 1:
            raise OutputError(f"parts of {self._place.shown(self._output)} are gone that were written just now")
        return manifest

    def _wanted(self, there: set[str]) -> Iterator[tuple[str, float, Any]]:
        """Each piece's name, how much of the table has been read with it, and its rows if they are to be scored."""
        for piece in self._source.pieces(self._piece_bytes):
            # By what it is of: a table may change, and change back.
            name = f"{piece.index:08}-{piece.sha256[:16]}"
            mine = piece.index % self._share[1] == self._share[0]
            parsed = self._scorer.rows(self._source, piece) if mine and self._part(name) not in there else None
            yield name, self._source.read, parsed

    def _part(self, name: str) -> str:
        return f"{name}.{self._form.kind}"

    def _said(self, name: str) -> dict[str, Any] | None:
        """What a manifest says, if it is this job's."""
        try:
            manifest: dict[str, Any] = json.loads(self._text(name))
            return manifest if manifest["key"] == self.key else None
        except (GoneError, ValueError, TypeError, KeyError):
            return None

    def _text(self, name: str) -> bytes:
        """A short file; what is longer is cut.

        Raises:
            GoneError: there is none.
        """
        text = b""
        for piece in self._place.read(name):
            text += piece
            if len(text) > MAX_SAID_BYTES:
                break
        return text

    def _refuse_others(self) -> None:
        """See that what is where the results go are this job's results.

        Raises:
            OutputError: they are not.
        """
        said = self._said(self._manifest) or self._said(self._coming) or {}
        for name, made in ((self._output, "scored"), (self._rejected, "rejected"), (self._manifest, "")):
            if not self._place.is_there(name):
                continue
            if made:
                is_ours = bool(said) and _digest(self._place.read(name)) == said[made]["sha256"]
            else:
                is_ours = self._said(name) is not None
            if not is_ours:
                raise OutputError(
                    f"{self._place.shown(name)} is there already, of something else: name another file for the scores, "
                    "or remove it"
                )

    def _see_that_all_read_the_same(self) -> None:
        """Compare this table with what the other workers of the same run have read.

        Raises:
            SourceError: it is another one. The next run begins with this one.
        """
        if self._run is None:
            return
        try:
            theirs = self._text(self._run).decode(errors="replace")
        except GoneError:
            theirs = ""
        if theirs != self.key:
            self._place.write(self._run, _once(self.key.encode()))
        if theirs not in ("", self.key):
            raise changed(self._source.shown)

    def _keep(self, name: str, scored: Scored) -> None:
        rejected = [json.dumps({self._source.counted: number, "reason": reason}) for number, reason in scored.rejected]
        lines = "".join(f"{line}\n" for line in rejected).encode()
        # The scores are last: where they are, the piece is done.
        for kind, content in (("rejected", lines), (self._form.kind, self._form.part(scored))):
            self._place.write(f"{self._parts}/{name}.{kind}", _once(content))

    def _put_together(self, names: list[str]) -> dict[str, Any]:
        def of(kind: str) -> Bytes:
            def content() -> Iterator[bytes]:
                for name in names:
                    yield b"".join(self._place.read(f"{self._parts}/{name}.{kind}"))

            return content

        source, form = self._source, self._form
        taken = {one.name for one in source.taken}
        with forms.whole(self._output, form, of(form.kind)) as scored:
            manifest = {
                "key": self.key,
                "model": {**self._model, "files_sha256": self._scorer.files},
                "input": {"name": source.shown.rpartition("/")[2], "sha256": source.sha256, "bytes": source.size},
                "unused_columns": [name for name in source.names if name not in taken],
                "scored": {"file": self._output, "rows": form.rows(of(form.kind)), "sha256": _digest(scored())},
                "rejected": {
                    "file": self._rejected,
                    "rows": _rows(of("rejected")),
                    "sha256": _digest(of("rejected")()),
                },
            }
            told = json.dumps(manifest, indent=1).encode() + b"\n"
            self._place.write(self._coming, _once(told))
            self._claim()
            # From here on what is in their places is known to be this job's, whenever it ends.
            self._place.write(self._rejected, of("rejected"), by=self._parts)
            self._place.write(self._output, scored, by=self._parts)
        self._place.write(self._manifest, _once(told), by=self._parts)
        self._clear()
        return manifest

    def _claim(self) -> None:
        """See that of two jobs with one output one gets it.

        Raises:
            OutputError: another one has it.
        """
        is_new = self._place.write(self._claimed, _once(self.key.encode()), new=True, by=self._parts)
        if not is_new and self._text(self._claimed) != self.key.encode():
            raise OutputError(
                f"{self._place.shown(self._output)} is what another job is writing, as {self._claimed} beside it says: "
                "name another file for the scores, or remove both if that job has been ended"
            )
        try:
            self._refuse_others()
        except OutputError:
            self._place.remove(self._claimed)
            raise

    def _clear(self) -> None:
        self._place.remove(self._parts)
        self._place.remove(self._claimed)
        if self._run is not None:
            self._place.remove(self._run)


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The next one is made while the caller works with one: what reads and what scores lets other threads run."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _once(content: bytes) -> Bytes:
    return lambda: iter([content])


def _rows(lines: Bytes) -> int:
    return sum(piece.count(b"\n") for piece in lines())


def _digest(content: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in content:
        digest.update(piece)
    return digest.hexdigest()
