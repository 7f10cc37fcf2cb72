"""Runs the cells of a notebook in their order: python run_notebook.py FILE"""

import json
import sys
from pathlib import Path

file = Path(sys.argv[1])
scope: dict[str, object] = {}
for cell in json.loads(file.read_text())["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), file.name, "exec"), scope)
