"""The model: a logistic regression over the pixels of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from digits.stored import Logistic as Weights
from digits.stored import read_logistic
from modelkit.estimator import Estimator
from modelkit.splitting import Split

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo


class Logistic(Estimator):
    """A logistic regression of scikit-learn, stored as skops: nothing in its file is of a type that could run code."""

    libraries = ("scikit-learn", "numpy", "skops")

    def fit(self, data: Split, parameters: Mapping[str, int | float]) -> LogisticRegression:
        """Train it."""
        model = LogisticRegression(C=parameters["c"], max_iter=int(parameters["max_iter"]))
        return model.fit(data.train_x, data.train_y)

    def log(self, model: LogisticRegression, **how: Any) -> ModelInfo:
        """Store it with the run that is active; MLflow's own loader, too, then answers probabilities."""
        # Seconds, for which what only loads a model need not wait.
        import mlflow.sklearn  # noqa: PLC0415

        logged: ModelInfo = mlflow.sklearn.log_model(
            model, serialization_format="skops", pyfunc_predict_fn="predict_proba", **how
        )
        return logged

    def load(self, folder: Path) -> Weights:
        """Load it as the server does. Not by MLflow, which trusts whatever types the stored file asks it to trust."""
        return read_logistic(folder / "model.skops")

    def predict(self, model: LogisticRegression | Weights, rows: pd.DataFrame) -> npt.NDArray[np.floating[Any]]:
        """The probabilities of the ten digits, float64, shape (n, 10)."""
        answers: npt.NDArray[np.float64] = model.predict_proba(rows)
        return answers
