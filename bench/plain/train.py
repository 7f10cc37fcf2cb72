"""Trains the house-price forest on the sample, without MLflow, into a folder that both servers of the bench read.

`python train.py FOLDER ROWS` writes `MLmodel` and `model.skops`, and prints the first ROWS rows with scikit-learn's
predictions as JSON.
"""

import csv
import json
import sys
from importlib import metadata
from pathlib import Path

import house_price
import skops.io
import yaml
from house_price.features import FEATURES, TARGET
from modelkit.parity import Record
from sklearn.ensemble import RandomForestRegressor

folder, count = Path(sys.argv[1]), int(sys.argv[2])
with (Path(house_price.__file__).parent / "sample.csv").open() as file:
    table = list(csv.DictReader(file))
rows = [[float(row[name]) for name in FEATURES] for row in table]
prices = [float(row[TARGET]) for row in table]
forest = RandomForestRegressor(n_estimators=100, max_depth=6, max_features=10, random_state=3).fit(rows, prices)
predictions = forest.predict(rows[:count]).tolist()
libraries = {name: metadata.version(name) for name in ("scikit-learn", "numpy", "skops")}
record = Record(list(FEATURES), rows[:5], predictions[:5], libraries)

skops.io.dump(forest, folder / "model.skops")
content = {"flavors": {"sklearn": {"pickled_model": "model.skops"}}, "metadata": record.to_metadata()}
(folder / "MLmodel").write_text(yaml.safe_dump(content))
print(json.dumps({"rows": rows[:count], "predictions": predictions}))  # noqa: T201
