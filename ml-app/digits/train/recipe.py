"""What the digits model is trained on, and by what."""

from pathlib import Path

from digits.features import CLASSES, FEATURES, TARGET
from modelkit.recipe import Recipe

FOLDER = Path(__file__).parents[1]

RECIPE = Recipe(
    folder=FOLDER,
    sample=FOLDER / "sample.csv",
    features=FEATURES,
    target=TARGET,
    non_negative=(*FEATURES, TARGET),
    unit="class",
    estimator="digits.train.logistic:Logistic",
    classes=CLASSES,
)
