"""Makes `sample.csv`: made-up red wines, so that everything runs without downloading a data set.

    python -m wine_quality.sample

Columns, separator and quoted header are those of the UCI data set that the models are meant for, and so are the ranges
and how they hang together. No row is a real wine: a model of this data says nothing about real wines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wine_quality.features import FEATURES, TARGET

SAMPLE = Path(__file__).with_name("sample.csv")
SEPARATOR = ";"
ROWS = 1600
# Seed and numpy's version (pinned in the lock files) fix every number: a second run writes the same bytes.
SEED = 20091009

DECIMALS = {"chlorides": 3, "density": 5, "pH": 2, "sulphates": 2, "citric acid": 2, "volatile acidity": 3}
"""As the laboratory writes them; all others have one."""


def sample_columns(rows: int = ROWS, seed: int = SEED) -> dict[str, npt.NDArray[Any]]:
    """Draw made-up wines.

    Args:
        rows: how many.
        seed: the same seed gives the same wines.

    Returns:
        One array of shape (rows,) for each of `FEATURES`, in their units, and for `TARGET`, whole grades.
    """
    rng = np.random.default_rng(seed)

    def skewed(median: float, spread: float, low: float, high: float) -> npt.NDArray[np.float64]:
        return np.clip(median * rng.lognormal(0.0, spread, rows), low, high)

    # How ripe the grapes were decides most: more of it is more alcohol and less volatile acid.
    ripeness = rng.normal(0, 1, rows)
    fixed = skewed(8.1, 0.2, 4.6, 15.9)
    sourness = np.log(fixed / 8.1) / 0.2
    volatile = np.clip(0.53 - 0.05 * ripeness + rng.normal(0, 0.16, rows), 0.12, 1.58)
    citric = np.clip(0.27 + 0.12 * sourness - 0.35 * (volatile - 0.53) + rng.normal(0, 0.11, rows), 0, 1)
    sugar = skewed(2.25, 0.32, 0.9, 15.5)
    chlorides = skewed(0.08, 0.28, 0.012, 0.61)
    free = skewed(13.5, 0.6, 1, 72).round()
    total = np.clip(free * np.exp(rng.normal(1.02, 0.35, rows)), free + 3, 289).round()
    alcohol = np.clip(10.3 + 0.75 * ripeness + np.abs(rng.normal(0, 0.7, rows)) - 0.4, 8.4, 14.9)
    ph = np.clip(3.31 - 0.1 * sourness + rng.normal(0, 0.11, rows), 2.74, 4.01)
    sulphates = skewed(0.63, 0.21, 0.33, 2.0)
    density = (
        0.99675 + 0.0011 * sourness - 0.0008 * (alcohol - 10.4) + 0.0004 * (sugar - 2.5) + rng.normal(0, 0.0008, rows)
    )

    # Tasters like alcohol, and sulphates up to a point; what no column knows is about as large as what they know.
    taste = (
        0.34 * (alcohol - 10.4) - 1.2 * (volatile - 0.53) + 0.9 * np.minimum(np.log(sulphates / 0.63), 0.3)
        - 0.004 * (total - 46) - 2.0 * (chlorides - 0.087) + 0.1 * sourness + rng.normal(0, 0.4, rows)
    )  # fmt: skip
    columns = {
        "fixed acidity": fixed,
        "volatile acidity": volatile,
        "citric acid": citric,
        "residual sugar": sugar,
        "chlorides": chlorides,
        "free sulfur dioxide": free,
        "total sulfur dioxide": total,
        "density": density,
        "pH": ph,
        "sulphates": sulphates,
        "alcohol": alcohol,
    }
    columns = {name: column.round(DECIMALS.get(name, 1)) for name, column in columns.items()}
    return {name: columns[name] for name in FEATURES} | {TARGET: np.clip(5.64 + taste, 3, 8).round()}


def write_sample(path: Path = SAMPLE) -> None:
    """Write the wines as UCI does: names in quotes, whole numbers without a decimal point, lines with a line feed."""
    columns = sample_columns()
    lines = [SEPARATOR.join(f'"{name}"' for name in columns)]
    lines += [SEPARATOR.join(f"{cell:.12g}" for cell in row) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_sample()
