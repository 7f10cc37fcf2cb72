"""The file of XGBoost's trees is looked at before XGBoost follows their nodes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from xgboost import XGBRegressor

from wine_quality.features import FEATURES
from wine_quality_xgboost.train.stored import read_trees

ROW = [[7.4, 0.7, 0, 1.9, 0.076, 11, 34, 0.9978, 3.51, 0.56, 9.4]]


def test_sound_file_is_loaded(trained: dict[str, Path]) -> None:
    plain = XGBRegressor()
    plain.load_model(trained["xgboost"] / "model.json")
    assert read_trees(trained["xgboost"] / "model.json").predict(ROW) == plain.predict(ROW)


def node(field: str, at: int, value: Any) -> Callable[[Any], None]:
    def change(learner: Any) -> None:
        learner["gradient_booster"]["model"]["trees"][1][field][at] = value

    return change


def shorter(learner: Any) -> None:
    learner["gradient_booster"]["model"]["trees"][1]["split_conditions"].pop()


def more_trees(learner: Any) -> None:
    learner["gradient_booster"]["model"]["iteration_indptr"][-1] += 1_000


def more_features(learner: Any) -> None:
    learner["learner_model_param"]["num_feature"] = "12"


OUTSIDE = "is damaged or forged: a tree's nodes point outside of it"
FORGED = [
    (node("left_children", 0, 999_999_999), OUTSIDE),
    (node("right_children", 0, 0), OUTSIDE),
    (node("left_children", 1, 0), OUTSIDE),
    (node("left_children", 0, -1), OUTSIDE),
    (node("split_indices", 0, len(FEATURES)), OUTSIDE),
    (node("split_type", 0, 1), OUTSIDE),
    (shorter, OUTSIDE),
    (more_trees, "holds no trees that make one number of 11 features"),
    (more_features, "holds no trees that make one number of 11 features"),
    (node("left_children", 0, "1"), "is not a readable file of XGBoost's: TypeError"),
    (dict.clear, "is not a readable file of XGBoost's: KeyError"),
]


@pytest.mark.parametrize(("change", "reason"), FORGED)
def test_forged_file_is_refused(
    trained: dict[str, Path], tmp_path: Path, change: Callable[[Any], None], reason: str
) -> None:
    content = json.loads((trained["xgboost"] / "model.json").read_text())
    change(content["learner"])
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=reason):
        read_trees(tmp_path / "model.json")
