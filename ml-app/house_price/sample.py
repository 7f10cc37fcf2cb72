"""Makes `sample.csv`: made-up house sales, so that everything runs without downloading a data set.

    python -m house_price.sample

The columns are those of the King County sales (Washington, 2014 and 2015) that the model is meant for, and so are
the ranges and how they hang together. No row is a real sale: a model of this data says nothing about real houses.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from house_price.features import FEATURES, TARGET

SAMPLE = Path(__file__).with_name("sample.csv")
ROWS = 2000
# Seed and numpy's version (pinned in the lock files) fix every number: a second run writes the same bytes.
SEED = 20150527

# Some zip codes of the county, and roughly how their prices compare.
NEIGHBOURHOODS = {
    98002: 0.72, 98168: 0.73, 98032: 0.75, 98003: 0.77, 98023: 0.78, 98042: 0.80, 98058: 0.86, 98038: 0.88,
    98055: 0.89, 98019: 0.95, 98028: 0.98, 98045: 0.99, 98106: 0.94, 98155: 1.00, 98118: 1.05, 98059: 1.02,
    98125: 1.10, 98034: 1.09, 98126: 1.13, 98133: 1.03, 98065: 1.01, 98052: 1.16, 98029: 1.14, 98115: 1.25,
    98117: 1.26, 98103: 1.27, 98006: 1.24, 98105: 1.40, 98112: 1.52, 98040: 1.46, 98004: 1.70, 98039: 1.95,
}  # fmt: skip


def sample_columns(rows: int = ROWS, seed: int = SEED) -> dict[str, npt.NDArray[Any]]:
    """Draw made-up sales.

    Args:
        rows: how many.
        seed: the same seed gives the same sales.

    Returns:
        One array of shape (rows,) for each of `FEATURES` and for `TARGET`. Areas are whole square feet, prices whole
        US dollars; bathrooms come in quarters and floors in halves, as in the county's records.
    """
    rng = np.random.default_rng(seed)
    zipcodes = np.array(list(NEIGHBOURHOODS))
    neighbourhood = rng.integers(len(zipcodes), size=rows)
    factor = np.array(list(NEIGHBOURHOODS.values()))[neighbourhood]

    # Size leads; grade, rooms and floors follow it.
    living = np.clip(np.exp(rng.normal(np.log(1930), 0.40, rows)), 400, 9000).round(-1)
    size = np.log2(living / 1930)
    grade = np.clip(7.6 + 1.6 * size + rng.normal(0, 0.65, rows), 4, 13).round()
    bedrooms = np.clip(3.35 + 0.9 * size + rng.normal(0, 0.7, rows), 1, 8).round()
    bathrooms = np.clip((2.1 + 1.0 * size + rng.normal(0, 0.4, rows)) * 4, 3, 24).round() / 4
    floors = np.where(rng.random(rows) < 0.45 + 0.2 * size, 2.0, rng.choice([1.0, 1.5], rows, p=[0.85, 0.15]))
    has_basement = rng.random(rows) < np.where(floors == 1.0, 0.5, 0.25)
    above = (living * np.where(has_basement, rng.uniform(0.5, 0.85, rows), 1.0)).round(-1)
    lot = np.clip(np.exp(rng.normal(8.95, 0.8, rows)), 600, 900_000).round()
    waterfront = rng.binomial(1, 0.01, rows)
    view = np.where(waterfront == 1, rng.integers(3, 5, rows), rng.choice(5, rows, p=[0.91, 0.015, 0.045, 0.02, 0.01]))

    # Each feature multiplies the price, and so does what no column knows: a log-normal factor of about 18 %.
    price = 440_000 * factor * np.exp(
        0.62 * np.log(living / 1930) + 0.16 * (grade - 7.6) + 0.05 * view + 0.45 * waterfront
        + 0.02 * np.log(lot / 7700) - 0.015 * (bedrooms - 3.4) + rng.normal(0, 0.18, rows)
    )  # fmt: skip
    columns = {
        "bedrooms": bedrooms,
        "bathrooms": bathrooms,
        "sqft_living": living,
        "sqft_above": above,
        "grade": grade,
        "floors": floors,
        "view": view,
        "sqft_lot": lot,
        "waterfront": waterfront,
        "zipcode": zipcodes[neighbourhood],
        "price": price.round(-3),
    }
    return {name: columns[name] for name in (*FEATURES, TARGET)}


def write_sample(path: Path = SAMPLE) -> None:
    """Write the sales to a CSV file: a header, whole numbers without a decimal point, lines that end in a line feed."""
    columns = sample_columns()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([int(cell) if float(cell).is_integer() else float(cell) for cell in row])


if __name__ == "__main__":
    write_sample()
