"""What the wine-quality models are trained on; by what, each of them says itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelkit.recipe import Recipe
from wine_quality.features import FEATURES, TARGET

if TYPE_CHECKING:
    from modelkit.splitting import Split


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


def boosted(regressor: Callable[..., Any], data: Split, parameters: Mapping[str, int | float]) -> Any:
    """Train boosted trees, each of which mends those before it.

    Args:
        regressor: a library's class; all of them call these options the same.
        data: what to train on.
        parameters: the options of the manifests by their keys.
    """
    trees = regressor(
        n_estimators=parameters["n_estimators"],
        max_depth=parameters["max_depth"],
        learning_rate=parameters["learning_rate"],
        random_state=parameters["seed"],
    )
    return trees.fit(data.train_x, data.train_y)
