"""The house sales that a model is trained on: read, and checked before anything else happens."""

from __future__ import annotations

from dataclasses import dataclass

from house_price.features import FEATURES, TARGET
from modelkit.datasets import DataError, numbers, read_table
from modelkit.sufficiency import shortcomings

COLUMNS = (*FEATURES, TARGET)


@dataclass(frozen=True)
class Houses:
    """House sales, complete and checked.

    Attributes:
        address: where they were read from.
        sha256: of the file's bytes, 64 hexadecimal digits.
        columns: each of `COLUMNS`, one finite number per sale, none below zero; an `int` where the file says so.
    """

    address: str
    sha256: str
    columns: dict[str, list[float]]

    @property
    def rows(self) -> int:
        """How many sales."""
        return len(self.columns[TARGET])


def read_houses(address: str, test_size: float) -> Houses:
    """Read house sales from a CSV table; columns that the model does not use are left out.

    Args:
        address: a path, `http://…`, `https://…` or `s3://bucket/key`.
        test_size: share of the rows that will be kept for the test, between 0 and 1.

    Raises:
        DataError: the table cannot be read, or everything that is wrong with it.
    """
    table = read_table(address)
    columns, problems = numbers(table, COLUMNS, non_negative=COLUMNS)
    # What is wrong in a cell comes first: only columns without a fault are complete.
    problems = problems or shortcomings(columns, TARGET, test_size)
    if problems:
        raise DataError("\n  ".join([f"{table.address} cannot be used:", *problems]))
    return Houses(table.address, table.sha256, columns)
