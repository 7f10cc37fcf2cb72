"""Trains a wine-quality model on the sample, without MLflow, into a folder that both servers of the bench read.

`python wine.py PACKAGE FOLDER ROWS` writes the model's file and `recorded.json`, and prints as JSON the first ROWS rows
with the library's predictions, and how often in a second the library answers when it is called without a server.
"""

import json
import sys
import time
import warnings
from importlib import import_module, metadata
from pathlib import Path

import cloudpickle
import pandas as pd
from modelkit.options import declared
from modelkit.parity import Record
from modelkit.splitting import split

SECONDS = 1


def calls_per_second(size: int) -> float:
    """How often the model answers so many rows."""
    batches = [rows[start : start + size] for start in range(0, count, size)]
    done, began = 0, time.perf_counter()
    while time.perf_counter() < began + SECONDS:
        model.predict(batches[done % len(batches)])
        done += 1
    return done / (time.perf_counter() - began)


package, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
recipe = import_module(f"{package}.train.recipe").RECIPE
parameters = {option.key: option.default for option in declared(recipe.manifest)}
table = pd.read_csv(recipe.sample, sep=";")
estimator = recipe.make_estimator()
model = estimator.fit(split(recipe, table, parameters), parameters)
rows = table[list(recipe.features)].to_numpy(float)[:count]
with warnings.catch_warnings():
    # The servers give arrays to it, as is done here.
    warnings.filterwarnings("ignore", "X does not have valid feature names")
    predictions = model.predict(rows)
    calls = {size: calls_per_second(size) for size in (1, 100)}

if hasattr(model, "save_model"):
    model.save_model(folder / "model.json")
else:
    (folder / "model.pkl").write_bytes(cloudpickle.dumps(model))
libraries = {name: metadata.version(name) for name in ("scikit-learn", "numpy")}
recorded = predictions[:5].tolist()
Record(list(recipe.features), rows[:5].tolist(), recorded, libraries, str(predictions.dtype)).write(folder)
print(json.dumps({"rows": rows.tolist(), "predictions": predictions.tolist(), "callsPerSecond": calls}))  # noqa: T201
