"""What the house-price model is trained on, and by what."""

from pathlib import Path

from house_price.features import FEATURES, TARGET
from modelkit.recipe import Recipe

RECIPE = Recipe(
    folder=Path(__file__).parents[1],
    features=FEATURES,
    target=TARGET,
    non_negative=(*FEATURES, TARGET),
    unit="dollars",
    estimator="house_price.train.forest:Forest",
)
