"""What a server tells of its model beyond the protocol, for whoever makes a form of it.

Of each input whether it may be left out (`optional`), or lack values (`nullable`); and as a parameter of the model an
`example`: a value for each input, as JSON in a text, since parameters are texts over gRPC.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlserver.types import MetadataModelResponse, MetadataTensor, Parameters

from standardserver.logged import NoTableError, Signature, example

LARGEST_EXAMPLE = 64 * 1024
_HOLDS_GAPS = ("FP", "BYTES")


class Describing:
    """What goes before a runtime of MLServer's, so that its metadata tells this."""

    inputs: Any
    version: str | None
    _example: list[Any] | None = None

    def describe(self, folder: Path, logged: Signature, record: Any) -> None:
        """Find out what there is to tell of a model that is loaded."""
        inputs = self.inputs or []
        self._example = example_row(folder, logged, record, [one.name for one in inputs])
        if record is None:
            tell_gaps(inputs, logged)

    async def metadata(self) -> MetadataModelResponse:
        """What the model is, and takes."""
        told: MetadataModelResponse = await super().metadata()  # type: ignore[misc]
        if self.version:
            told.versions = [self.version]
        return tell_example(told, self._example)


def example_row(folder: Path, logged: Signature, record: Any, names: list[str]) -> list[Any] | None:
    """A value for each of these inputs; None if nothing was recorded or logged that has them."""
    if record is not None:
        return list(record["rows"][0])
    try:
        request, rows = example(folder, logged)
    except NoTableError:
        return None
    asked = {one["name"]: one for one in request["inputs"]}
    if len(names) == len(asked) == 1:
        asked = {names[0]: request["inputs"][0]}
    if not set(asked) <= set(names):
        return None
    return [_first(asked[name], rows) if name in asked else None for name in names]


def tell_gaps(inputs: list[MetadataTensor], logged: Signature) -> None:
    """Say of each input of a signature whether it may be left out, or lack values (`by_signature.py`)."""
    fields = {field.name: field for field in logged.inputs or []}
    for one in inputs:
        field = fields.get(one.name)
        optional = field is not None and not field.required
        gaps = (
            field is not None
            and not field.tensor
            and str(getattr(one.datatype, "value", one.datatype)).startswith(_HOLDS_GAPS)
        )
        said = {"optional": True} if optional else {}
        said |= {"nullable": True} if optional or gaps else {}
        if said:
            one.parameters = Parameters(
                **{**(one.parameters.model_dump(exclude_none=True) if one.parameters else {}), **said}
            )


def tell_example(told: MetadataModelResponse, row: list[Any] | None) -> MetadataModelResponse:
    """Metadata with an example, if it is not too large to be told."""
    text = None if row is None else json.dumps(row)
    if text is not None and len(text) <= LARGEST_EXAMPLE:
        told.parameters = Parameters(
            **{**(told.parameters.model_dump(exclude_none=True) if told.parameters else {}), "example": text}
        )
    return told


def _first(tensor: dict[str, Any], rows: int) -> Any:
    """What a tensor holds for its first row: a value, or lists in lists."""
    lengths = tensor["shape"][1:]
    flat = tensor["data"][: len(tensor["data"]) // rows]
    if lengths in ([], [1]):
        return flat[0]
    for length in reversed(lengths[1:]):
        flat = [flat[at : at + length] for at in range(0, len(flat), length)]
    return flat
