"""What scoring a table takes at least: its model called once, in a process that has all rows already.

`python whole.py PACKAGE FOLDER TABLE` prints the seconds that the call takes.
"""

import sys
import time
from importlib import import_module
from pathlib import Path

import pandas as pd

package, folder, table = sys.argv[1:]
recipe = import_module(f"{package}.train.recipe").RECIPE
estimator = recipe.make_estimator()
model = estimator.load(Path(folder))
rows = pd.read_csv(table)[list(recipe.features)]
began = time.perf_counter()
estimator.predict(model, rows)
print(time.perf_counter() - began)  # noqa: T201
