"""The model: trees boosted by scikit-learn, stored as a pickle."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
from sklearn.ensemble import GradientBoostingRegressor

from modelkit.estimator import Estimator
from modelkit.splitting import Split
from wine_quality.recipe import boosted

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo

# It warns of pickles with each that it writes; why this is one stands below.
logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)


class Boosted(Estimator):
    """Boosted trees of scikit-learn; their answers are grades, float64."""

    libraries = ("scikit-learn", "numpy")

    def fit(self, data: Split, parameters: Mapping[str, int | float]) -> GradientBoostingRegressor:
        """Train the trees, each of which mends those before it."""
        return boosted(GradientBoostingRegressor, data, parameters)

    def log(self, model: GradientBoostingRegressor, **how: Any) -> ModelInfo:
        """Store it as `model.pkl`: a pickle runs code when it is loaded, but SKLEARN_SERVER reads nothing else."""
        # Seconds, for which what only loads a model need not wait.
        import mlflow.sklearn  # noqa: PLC0415

        logged: ModelInfo = mlflow.sklearn.log_model(model, serialization_format="cloudpickle", **how)
        return logged

    def load(self, folder: Path) -> GradientBoostingRegressor:
        """Load a version of the registry that this training registers in.

        That runs what the file holds. The manifest allows it because the server does the same with the same file: who
        may write to the registry and its store decides what runs here anyway.
        """
        with (folder / "model.pkl").open("rb") as file:
            trees = cloudpickle.load(file)
        if not isinstance(trees, GradientBoostingRegressor):
            raise TypeError(f"it is a {type(trees).__name__}")
        return trees
