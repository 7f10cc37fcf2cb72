"""The trees that training stored, as XGBoost's own JSON: looked at before XGBoost loads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xgboost import XGBRegressor

from wine_quality.features import FEATURES


def read_trees(path: Path) -> XGBRegressor:
    """Read a file. XGBoost follows the nodes of its trees without looking: a forged file could end the process.

    Raises:
        ValueError: it is no file of trees of `FEATURES`, or a node points outside of its tree.
    """
    try:
        model = json.loads(path.read_text())["learner"]
        booster = model["gradient_booster"]
        trees = booster["model"]["trees"]
        plain = (
            booster["name"] == "gbtree"
            and int(model["learner_model_param"]["num_feature"]) == len(FEATURES)
            and int(model["learner_model_param"]["num_target"]) == 1
            and set(booster["model"]["tree_info"]) <= {0}
            and booster["model"]["iteration_indptr"] == list(range(len(trees) + 1))
        )
        sound = all(_is_sound(tree) for tree in trees)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not a readable file of XGBoost's: {error!r}") from error
    if not plain:
        raise ValueError(f"{path} holds no trees that make one number of {len(FEATURES)} features")
    if not sound:
        raise ValueError(f"{path} is damaged or forged: a tree's nodes point outside of it")
    loaded = XGBRegressor()
    loaded.load_model(path)
    return loaded


def _is_sound(tree: Mapping[str, Any]) -> bool:
    """Whether every node points to later nodes of its tree, and to a feature there is."""
    count = int(tree["tree_param"]["num_nodes"])
    nodes = [tree[key] for key in ("left_children", "right_children", "split_indices", "split_type")]
    more = [tree[key] for key in ("split_conditions", "default_left", "base_weights", "sum_hessian", "loss_changes")]
    if count < 1 or any(len(values) != count for values in (*nodes, *more, tree["parents"])):
        return False
    return all(
        kind == 0
        and 0 <= feature < len(FEATURES)
        and (left == right == -1 or at < min(left, right) <= max(left, right) < count)
        for at, (left, right, feature, kind) in enumerate(zip(*nodes, strict=True))
    )
