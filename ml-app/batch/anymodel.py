"""What a model that others have logged makes of rows: loaded and asked by MLflow, in the types of its signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from batch import kinds, replies
from batch.forms import Anything, Form, as_schema, one_schema
from batch.scored import Scored, ScorerError, WrongAnswerError
from batch.scorer import digest_of
from batch.source import Column, Source, Values, Wanted
from standardserver import comparing, expected, logged, startup
from standardserver.printing import printable

SHOWN_CHARACTERS = 200
MANY = 100
"""Of so many rows of a piece a model that is for their table answers some."""

TENSORS = {
    **dict.fromkeys("f", "double"),
    **dict.fromkeys("iu", "long"),
    **dict.fromkeys("b", "boolean"),
    **dict.fromkeys("UO", "string"),
    **dict.fromkeys("M", "datetime"),
}
"""What columns of a tensor hold, by what NumPy calls its kind."""

_NO_GAPS = kinds.INTEGERS
"""Kinds in which MLflow takes no value that is missing, but a column that is not there."""


class Answer(NamedTuple):
    """What a model says to some rows of a piece.

    Attributes:
        places: of those that it answers.
        table: the answers.
    """

    places: npt.NDArray[np.int64]
    table: pa.Table


class AnyScorer:
    """A version of a model, by its Python function.

    Args:
        folder: of the version's files, as MLflow stores them.

    Raises:
        ScorerError: it cannot be loaded, or answers otherwise than by its own libraries before.
        WrongAnswerError: it takes no table.

    Attributes: as of `job.Scorer`, and what it takes of a table, `wanted`.
    """

    outputs: list[str] | None = None

    def __init__(self, folder: Path) -> None:
        import mlflow.pyfunc  # noqa: PLC0415 -- seconds

        try:
            self._model = mlflow.pyfunc.load_model(str(folder))
            inputs, outputs = _signature(self._model, folder)
        except (Exception, SystemExit) as error:  # each library has its own
            raise ScorerError(f"the model in {folder} cannot be loaded: {_told(error)}") from error
        self._shape: tuple[int, ...] | None = None
        self._type: Any = None
        self._is_list = False
        self._tensors: dict[str, Any] = {}
        self.wanted = self._wanted(inputs)
        self._names = [one.name for one in outputs or [] if one.name is not None]
        self._check(folder)
        self.files = digest_of(folder)

    def form(self, counted: str) -> Form:
        """As `job.Scorer`."""
        return Anything(counted)

    def rows(self, source: Source, piece: Any) -> Values:
        """As `job.Scorer`."""
        return source.values(piece)

    def score(self, values: Values) -> Scored:
        """As `job.Scorer`."""
        read = [(column, kinds.read(column.kind, given)) for column, given in values.columns]
        wrong: dict[int, list[str]] = {}
        for column, found in read:
            flaws = dict(found.flaws)
            if column.required:
                flaws |= dict.fromkeys(np.flatnonzero(found.missing).tolist(), "empty")
            for at, flaw in flaws.items():
                wrong.setdefault(at, []).append(f"{column.name} is {flaw}")
        right = np.array([at for at in range(len(values.numbers)) if at not in wrong], np.int64)
        reasons = {at: "; ".join(flaws) for at, flaws in wrong.items()}
        answers: list[Answer] = []
        for places, columns in _alike(read, right):
            answers += self._answers(columns, places, reasons)
        if len(right) >= MANY and not answers:
            raise WrongAnswerError(
                f"the model answers none of {len(right):,} rows that fit its columns: row {values.numbers[right[0]]}: "
                f"{reasons[int(right[0])]}"
            )
        scored, table = _together(answers)
        rejected = [(values.numbers[at], reason) for at, reason in reasons.items()]
        return Scored([values.numbers[at] for at in scored], table, sorted([*values.rejected, *rejected]))

    def _wanted(self, inputs: Any) -> Wanted:
        if inputs is None:
            return Wanted(everything=True)
        specs, names = inputs.inputs, inputs.input_names()
        if inputs.is_tensor_spec():
            return self._of_tensors(specs)
        types = [getattr(one.type, "name", str(one.type)) for one in specs]
        if lists := [str(one.name) for one, kind in zip(specs, types, strict=True) if kind not in kinds.KINDS]:
            raise WrongAnswerError(f"the model takes lists or objects in columns, and a table has none: {lists[0]}")
        if names == [None] or not inputs.has_input_names():
            self._is_list = len(specs) == 1
            return Wanted(everything=True, width=len(specs), kind=types[0])
        return Wanted(tuple(Column(one.name, kind, one.required) for one, kind in zip(specs, types, strict=True)))

    def _of_tensors(self, specs: Any) -> Wanted:
        kind = TENSORS.get(specs[0].type.kind)
        shape = tuple(specs[0].shape[1:])
        if kind is not None and len(specs) == 1 and specs[0].name is None and -1 not in shape:
            self._shape, self._type = shape, specs[0].type
            return Wanted(everything=True, width=int(np.prod(shape, dtype=int)), kind=kind)
        if kind is not None and len(specs) == 1 and specs[0].name is None and shape == (-1,):
            self._shape, self._type = shape, specs[0].type
            return Wanted(everything=True, kind=kind)
        fits = all(one.name is not None and one.shape[1:] in ((), (1,)) and one.type.kind in TENSORS for one in specs)
        if not fits:
            raise WrongAnswerError(
                "the model takes tensors of several values in a row, which no column of a table holds"
            )
        self._tensors = {one.name: one for one in specs}
        return Wanted(tuple(Column(one.name, TENSORS[one.type.kind], one.required) for one in specs))

    def _check(self, folder: Path) -> None:
        """Compare its answers to its example with those that its own libraries gave before, if they are there."""
        try:
            known = startup.expected_answers(folder)
            if known is None:
                return
            names = expected.named(logged.signature(folder))
            found = expected.answers_of(self._model, folder, known["rows"], names)
            difference = comparing.differing(found, known["outputs"], known["rows"])
        except startup.NotReadyError as error:
            raise ScorerError(f"the model in {folder}: {error}") from error
        except (Exception, SystemExit) as error:  # each library has its own
            raise ScorerError(f"the model in {folder} cannot be compared: {_told(error)}") from error
        if difference:
            raise ScorerError(f"the model in {folder} does not answer as its own libraries did: {difference}")

    def _answers(
        self, columns: list[tuple[Column, npt.NDArray[Any]]], places: npt.NDArray[np.int64], reasons: dict[int, str]
    ) -> list[Answer]:
        """What the model answers to some rows; where it fails, to those of them at which it does not fail.

        Args:
            columns: their values.
            places: of the rows.
            reasons: gets why others have no answer.
        """
        try:
            asked = self._asked([(column, values[places]) for column, values in columns])
            return [Answer(places, replies.table(self._model.predict(asked), len(places), self._names))]
        except WrongAnswerError:
            raise
        except (OSError, MemoryError, SystemExit) as error:
            # Not what the rows are to blame for; it may pass.
            raise ScorerError(f"the model fails: {_told(error)}") from error
        except Exception as error:  # each library has its own
            if len(places) == 1:
                reasons[int(places[0])] = f"the model fails: {_told(error)}"
                return []
        middle = len(places) // 2
        return [
            *self._answers(columns, places[:middle], reasons),
            *self._answers(columns, places[middle:], reasons),
        ]

    def _asked(self, columns: list[tuple[Column, npt.NDArray[Any]]]) -> Any:
        """Rows as the model takes them."""
        if self._shape is not None:
            matrix = np.column_stack([values for _, values in columns]).astype(self._type)
            return matrix.reshape(len(matrix), *self._shape)
        if self._is_list:
            return columns[0][1].tolist()
        if self._tensors:
            specs = self._tensors
            return {
                column.name: values.astype(specs[column.name].type).reshape(len(values), *specs[column.name].shape[1:])
                for column, values in columns
            }
        return pd.DataFrame({column.name: values for column, values in columns})


def _signature(model: Any, folder: Path) -> tuple[Any, Any]:
    """What a model takes and answers; where nothing was logged of that, what its example is, or None."""
    from mlflow.models import infer_signature  # noqa: PLC0415 -- seconds

    signature = model.metadata.signature
    if signature is not None and signature.inputs is not None:
        return signature.inputs, signature.outputs
    example = model.metadata.load_input_example(str(folder))
    return (None if example is None else infer_signature(example).inputs), None


def _alike(
    read: list[tuple[Column, kinds.Read]], places: npt.NDArray[np.int64]
) -> list[tuple[npt.NDArray[np.int64], list[tuple[Column, npt.NDArray[Any]]]]]:
    """Rows by which of the columns that have no gaps they lack, each with the columns that they have."""
    gaps = [found.missing if column.kind in _NO_GAPS else np.zeros_like(found.missing) for column, found in read]
    lacking: dict[tuple[bool, ...], list[int]] = {}
    for at in places.tolist():
        lacking.setdefault(tuple(bool(gap[at]) for gap in gaps), []).append(at)
    return [
        (
            np.array(some),
            [(column, found.values) for (column, found), gone in zip(read, lacks, strict=True) if not gone],
        )
        for lacks, some in sorted(lacking.items())
    ]


def _together(answers: list[Answer]) -> tuple[list[int], pa.Table]:
    """All answers in the order of their rows."""
    if not answers:
        return [], pa.table({})
    schema = one_schema(one.table for one in answers)
    places = np.concatenate([one.places for one in answers])
    table = pa.concat_tables([as_schema(one.table, schema) for one in answers])
    order = np.argsort(places)
    return places[order].tolist(), table.take(pa.array(order))


def _told(error: BaseException) -> str:
    """An error in a line."""
    plain = printable(" ".join(str(error).split())[:SHOWN_CHARACTERS])
    return f"{type(error).__name__}: {plain}" if plain else type(error).__name__
