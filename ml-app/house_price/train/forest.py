"""The model: a random forest over the features of a house."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from house_price.features import SKOPS_TRUSTED_TYPES
from house_price.stored import read_forest
from modelkit import skopsfile
from modelkit.estimator import Estimator
from modelkit.forest import Forest as Evaluated
from modelkit.splitting import Split

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo


class Forest(Estimator):
    """A random forest of scikit-learn, stored as skops."""

    libraries = ("scikit-learn", "numpy", "skops")

    def fit(self, data: Split, parameters: Mapping[str, int | float]) -> RandomForestRegressor:
        """Train a forest on all cores; what comes back answers on one."""
        forest = RandomForestRegressor(
            n_estimators=parameters["n_estimators"],
            max_depth=parameters["max_depth"],
            max_features=parameters["max_features"],
            random_state=parameters["seed"],
            n_jobs=-1,
            # That is: none. Of a forest with this option scikit-learn refuses NaN, in place of an answer by chance.
            monotonic_cst=[0] * data.train_x.shape[1],
        )
        forest.fit(data.train_x, data.train_y)
        # For the few rows of a request threads cost more than they bring, and their sums vary in the last digit.
        forest.set_params(n_jobs=None)
        return forest

    def log(self, model: RandomForestRegressor, **how: Any) -> ModelInfo:
        """Store it with the run that is active."""
        # Seconds, for which what only loads a model need not wait.
        import mlflow.sklearn  # noqa: PLC0415

        logged: ModelInfo = mlflow.sklearn.log_model(
            model, serialization_format="skops", skops_trusted_types=SKOPS_TRUSTED_TYPES, **how
        )
        return logged

    def load(self, folder: Path) -> Evaluated:
        """Load it as the server does. Not by MLflow, which trusts whatever types the stored file asks it to trust."""
        return read_forest(folder / "model.skops")

    def load_for_tables(self, folder: Path) -> RandomForestRegressor:
        """Load it with scikit-learn, which evaluates thousands of rows ten times as fast as what the server has."""
        path = folder / "model.skops"
        # scikit-learn follows the nodes of a forged tree wherever they point to.
        read_forest(path)
        return skopsfile.read(path, RandomForestRegressor, SKOPS_TRUSTED_TYPES)

    def predict(self, model: RandomForestRegressor | Evaluated, rows: pd.DataFrame) -> npt.NDArray[np.floating[Any]]:
        """What a forest that was trained or loaded makes of rows: float64, shape (n,)."""
        if isinstance(model, Evaluated):
            return model.predict(rows.to_numpy(np.float32))
        return super().predict(model, rows)
