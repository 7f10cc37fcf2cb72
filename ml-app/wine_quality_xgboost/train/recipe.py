"""What the wine-quality model is trained on, and by what."""

from pathlib import Path

from wine_quality.recipe import recipe

RECIPE = recipe(Path(__file__).parents[1], "wine_quality_xgboost.train.boosted:Boosted")
