"""What is fitted: the part of a training that knows its library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from mlflow.models.model import ModelInfo

    from modelkit.splitting import Split


class Estimator(ABC):
    """A kind of model: how it is fitted, stored, and loaded again.

    Attributes:
        libraries: the packages whose versions decide whether a stored model can be loaded, by their names on PyPI.
    """

    libraries: tuple[str, ...]

    @abstractmethod
    def fit(self, data: Split, parameters: Mapping[str, int | float]) -> Any:
        """Train a model.

        Args:
            data: what to train on.
            parameters: the options of the manifest by their keys, `max_depth`.
        """

    @abstractmethod
    def log(self, model: Any, **how: Any) -> ModelInfo:
        """Store a model with the run that is active, in the form that the manifest names.

        Args:
            model: what `fit` has made.
            how: for `log_model` of MLflow, the name and the signature among them.
        """

    @abstractmethod
    def load(self, folder: Path) -> Any:
        """Load a stored model, without trusting what its files ask for.

        Raises:
            Exception: it cannot be loaded.
        """

    def load_for_tables(self, folder: Path) -> Any:
        """Load a stored model for many rows at once: as `load`, with as little trust, and by whatever is faster then.

        Raises:
            Exception: it cannot be loaded.
        """
        return self.load(folder)

    def predict(self, model: Any, rows: pd.DataFrame) -> npt.NDArray[np.floating[Any]]:
        """What a model makes of rows of features: float64 or float32, shape (n,)."""
        answers: npt.NDArray[np.floating[Any]] = model.predict(rows)
        return answers
