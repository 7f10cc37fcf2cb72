"""Trains boosted trees with an XGBoost that is newer than MLServer's: `python next_xgboost.py SAMPLE FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xgboost

from modelkit.parity import Record
from wine_quality.features import FEATURES

if __name__ == "__main__":
    sample, folder = sys.argv[1], Path(sys.argv[2])
    table = np.loadtxt(sample, delimiter=";", skiprows=1)
    wines, grades = table[:, :-1], table[:, -1]
    names = list(FEATURES)
    trees = xgboost.train({"max_depth": 2}, xgboost.DMatrix(wines, grades, feature_names=names), num_boost_round=5)
    trees.save_model(folder / "model.json")
    rows = wines[:5]
    predictions = trees.predict(xgboost.DMatrix(rows, feature_names=names))
    libraries = {"xgboost": xgboost.__version__}
    Record(names, rows.tolist(), predictions.tolist(), libraries, predictions.dtype.name).write(folder)
