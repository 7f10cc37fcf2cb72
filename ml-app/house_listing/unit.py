"""A house as it is advertised, made to what the house-price model takes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelserver.errors import BadRequest
from modelserver.unit import Unit

SQUARE_FEET = 10.763910417
"""Of a square metre."""

QUALITIES = {
    "low": 4, "fair": 5, "low average": 6, "average": 7, "good": 8, "better": 9, "very good": 10, "excellent": 11,
    "luxury": 12, "mansion": 13,
}  # fmt: skip
"""Grades of King County's assessor, by the words for them."""

VIEWS = {"none": 0, "fair": 1, "average": 2, "good": 3, "excellent": 4}
SWITCH = {"no": 0, "false": 0, "0": 0, "yes": 1, "true": 1, "1": 1}

TYPICAL = {
    "bedrooms": 3.0,
    "bathrooms": 2.0,
    "quality": 7.0,
    "floors": 1.0,
    "view": 0.0,
    "plot_m2": 715.0,
    "waterfront": 0.0,
}
"""What is taken where an advertisement says nothing; all above the ground where it does not say how much is."""

UNITS = {"bedrooms": r"(bed(room)?s?)?", "bathrooms": r"(bath(room)?s?)?", "floors": r"(floors?|stor(e?ys?|ies))?"}
AREA = r"(m²|m2|sqm|qm)?"
LARGEST = 1e7
"""Of any number of an advertisement."""

ZIPCODE = re.compile(r"(?<!\d)(\d{5})(?:-\d{4})?\s*$")


class HouseListing(Unit):
    """Takes rows of `takes`, by name or in that order: texts, numbers, and nothing where nothing is known."""

    def __init__(self) -> None:
        super().__init__(__file__)

    def transform_input(
        self, rows: Any, names: Sequence[str] | None = None, meta: dict[str, Any] | None = None
    ) -> npt.NDArray[np.float64]:
        """The ten features of each house.

        Args:
            rows: shape (n, columns).
            names: of the columns; where there are any, some of `takes` in whatever order.
            meta: the request's metadata; not used.

        Raises:
            BadRequest: a row cannot be read, with what is wrong and where.
        """
        names = list(names) if names is not None and len(names) > 0 else list(self.takes)
        wrong = [name for name in names if name not in self.takes]
        if wrong or len(set(names)) < len(names):
            raise BadRequest(f"the columns must be some of {', '.join(self.takes)}, each once; not {', '.join(names)}")
        if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.size == 0:  # noqa: PLR2004
            raise BadRequest("send the houses as a list of rows, [[…], …], as data.ndarray")
        if rows.shape[1] != len(names):
            raise BadRequest(f"each house needs {len(names)} cells ({', '.join(names)}), not {rows.shape[1]}")
        return np.array(
            [self._features(number, dict(zip(names, row, strict=True))) for number, row in enumerate(rows.tolist())]
        )

    def _features(self, number: int, house: dict[str, Any]) -> list[float]:
        def cell(name: str) -> str:
            value = house.get(name)
            missing = value is None or (isinstance(value, float) and math.isnan(value))
            return "" if missing else str(value).strip()

        def refuse(name: str, problem: str) -> BadRequest:
            return BadRequest(f"house {number}: {name} {problem}")

        def amount(name: str, unit: str) -> float:
            text = cell(name)
            if not text and name in TYPICAL:
                return TYPICAL[name]
            found = re.fullmatch(rf"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*{unit}", text, re.IGNORECASE)
            if found is None or float(found[1]) > LARGEST:
                raise refuse(name, f'is "{text:.50}"; write a number, as in 124.5' if text else "is missing")
            return float(found[1])

        def word(name: str, words: dict[str, int]) -> float:
            text = cell(name).lower()
            if not text:
                return TYPICAL[name]
            if text not in words:
                raise refuse(name, f'is "{text:.50}"; known are {", ".join(words)}')
            return words[text]

        living = amount("living_m2", AREA)
        above = amount("above_ground_m2", AREA) if cell("above_ground_m2") else living
        zipcode = ZIPCODE.search(cell("address"))
        if zipcode is None:
            raise refuse("address", "does not end in a zip code, as in Burien, WA 98168")
        return [
            amount("bedrooms", UNITS["bedrooms"]),
            amount("bathrooms", UNITS["bathrooms"]),
            round(living * SQUARE_FEET),
            round(above * SQUARE_FEET),
            word("quality", QUALITIES),
            amount("floors", UNITS["floors"]),
            word("view", VIEWS),
            round(amount("plot_m2", AREA) * SQUARE_FEET),
            word("waterfront", SWITCH),
            float(zipcode[1]),
        ]
