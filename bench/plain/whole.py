"""What scoring a table takes at least: its model called once, in a process that has all rows already.

`python whole.py PACKAGE FOLDER TABLE OUTPUT` prints the seconds that the call takes, and those of the whole script that an
engineer would write: reading the table, the call, and writing the scores, all of it in memory at once.
"""

import sys
import time
from importlib import import_module
from pathlib import Path

import pandas as pd

package, folder, table, output = sys.argv[1:]
recipe = import_module(f"{package}.train.recipe").RECIPE
estimator = recipe.make_estimator()
model = estimator.load_for_tables(Path(folder))
began = time.perf_counter()
rows = pd.read_csv(table)[list(recipe.features)]
called = time.perf_counter()
answers = estimator.predict(model, rows)
took = time.perf_counter() - called
pd.DataFrame({recipe.target: answers}).to_csv(output)
print(took, time.perf_counter() - began)  # noqa: T201
