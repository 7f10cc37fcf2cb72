"""What the wine-quality models are trained on; by what, each of them says itself."""

from __future__ import annotations

from pathlib import Path

from modelkit.recipe import Recipe
from wine_quality.features import FEATURES, TARGET


def recipe(folder: Path, estimator: str) -> Recipe:
    """The recipe of one of the models.

    Args:
        folder: the model's, with its manifest.
        estimator: where its `Estimator` is, `module:Class`.
    """
    return Recipe(
        folder=folder,
        sample=Path(__file__).with_name("sample.csv"),
        features=FEATURES,
        target=TARGET,
        non_negative=(*FEATURES, TARGET),
        unit="grades",
        estimator=estimator,
    )
