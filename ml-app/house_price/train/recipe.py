"""What the house-price model is trained on, and by what."""

from pathlib import Path

from house_price.features import FEATURES, TARGET
from modelkit.recipe import Recipe

FOLDER = Path(__file__).parents[1]

RECIPE = Recipe(
    folder=FOLDER,
    sample=FOLDER / "sample.csv",
    features=FEATURES,
    target=TARGET,
    non_negative=(*FEATURES, TARGET),
    unit="dollars",
    estimator="house_price.train.forest:Forest",
)
