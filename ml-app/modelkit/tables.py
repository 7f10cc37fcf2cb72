"""The table that a model is trained on: read, and checked before anything else happens."""

from __future__ import annotations

from dataclasses import dataclass

from modelkit.datasets import DataError, numbers, read_table
from modelkit.recipe import Recipe
from modelkit.sufficiency import LEAST_ROWS, no_classes, shortcomings

KEPT_BYTES = 256 * 1024**2
"""Of larger files no run keeps a copy."""


@dataclass(frozen=True)
class Table:
    """The rows of a table, complete and checked.

    Attributes:
        address: where they were read from.
        sha256: of the file's bytes, 64 hexadecimal digits.
        columns: each of the recipe's, one finite number per row; an `int` where the file says so.
        content: the file's bytes, of which the run keeps a copy; None where it is to keep none.
    """

    address: str
    sha256: str
    columns: dict[str, list[float]]
    content: bytes | None = None

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(next(iter(self.columns.values())))


def read(recipe: Recipe, address: str, test_size: float, least: float = LEAST_ROWS, *, keep: bool = False) -> Table:
    """Read a CSV table; columns that the model does not use are left out.

    Args:
        recipe: which columns there must be.
        address: a path, `http://…`, `https://…` or `s3://bucket/key`.
        test_size: share of the rows that will be kept for the test, between 0 and 1.
        least: how many rows that differ there must be on each side.
        keep: whether the run is to keep a copy of the file, if it has at most `KEPT_BYTES`.

    Raises:
        DataError: the table cannot be read, or everything that is wrong with it.
    """
    table = read_table(address)
    columns, problems = numbers(table, recipe.columns, non_negative=recipe.non_negative)
    # What is wrong in a cell comes first: only columns without a fault are complete.
    problems = problems or no_classes(columns[recipe.target], recipe)
    problems = problems or shortcomings(columns, recipe.target, test_size, least)
    if problems:
        raise DataError("\n  ".join([f"{table.address} cannot be used:", *problems]))
    content = table.content if keep and len(table.content) <= KEPT_BYTES else None
    return Table(table.address, table.sha256, columns, content)
