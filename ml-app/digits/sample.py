"""Makes `sample.csv`: the handwritten digits that come with scikit-learn.

    python -m digits.sample

They are the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (UCI Machine Learning
Repository, 1998, https://doi.org/10.24432/C50P49), under CC BY 4.0: 1,797 pictures by 13 people, each brought to 8 x 8
pixels.
"""

from __future__ import annotations

import csv
from pathlib import Path

from sklearn.datasets import load_digits

from digits.features import FEATURES, TARGET

SAMPLE = Path(__file__).with_name("sample.csv")


def write_sample(path: Path = SAMPLE) -> None:
    """Write the pictures to a CSV file: a header, whole numbers, lines that end in a line feed."""
    pixels, digits = load_digits(return_X_y=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*FEATURES, TARGET))
        writer.writerows((*map(int, row), int(digit)) for row, digit in zip(pixels, digits, strict=True))


if __name__ == "__main__":
    write_sample()
