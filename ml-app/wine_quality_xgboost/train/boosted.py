"""The model: trees boosted by XGBoost, stored as XGBoost's own JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xgboost import XGBRegressor

from modelkit.estimator import Estimator
from modelkit.splitting import Split
from wine_quality.recipe import boosted
from wine_quality_xgboost.train.stored import read_trees

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo


class Boosted(Estimator):
    """Boosted trees of XGBoost; their answers are grades, float32."""

    libraries = ("xgboost", "numpy")

    def fit(self, data: Split, parameters: Mapping[str, int | float]) -> XGBRegressor:
        """Train the trees, each of which mends those before it, on all cores."""
        return boosted(XGBRegressor, data, parameters)

    def log(self, model: XGBRegressor, **how: Any) -> ModelInfo:
        """Store it as `model.json`, which every server of Seldon's reads, and which holds no code."""
        # Seconds, for which what only loads a model need not wait.
        import mlflow.xgboost  # noqa: PLC0415

        logged: ModelInfo = mlflow.xgboost.log_model(model, model_format="json", **how)
        return logged

    def load(self, folder: Path) -> XGBRegressor:
        """Load it with XGBoost itself, which is shown nothing that would end the process."""
        return read_trees(folder / "model.json")
