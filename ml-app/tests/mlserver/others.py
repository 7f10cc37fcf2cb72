"""Models that others have logged with plain MLflow, each served in an environment that has what it requires."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from standard_server import ML_APP, Server, python_of
from standardserver.logged import example, signature

SCRIPT = Path(__file__).with_name("logged_models.py")
COMPUTE = """
import sys
from pathlib import Path
from standardserver.expected import compute
for described in Path(sys.argv[1]).glob("*/MLmodel"):
    compute(described.parent)
"""
"""As the platform does for each of them, in one process for all."""
OLD = "xgboost 2.1"
"""The one of an older MLflow, and in its environment."""
NAMES = (
    *("forest", "texts", "xgboost", "lightgbm", "artifacts", "custom", "two_inputs", "two_outputs"),
    *("probabilities", "strings", "dates", "missing", "one_row", "no_outputs", "large", OLD),
)


class Others:
    """The models, served."""

    def __init__(self, folder: Path, serve: Callable[..., Server]) -> None:
        expected: dict[str, Any] = {}
        self.servers: dict[str, Server] = {}
        for environment, only in (("any-model", []), ("mlserver-mlflow", ["xgboost"])):
            files, python = folder / environment, python_of(environment)
            files.mkdir()
            subprocess.run(
                [python, "-W", "ignore", str(SCRIPT), str(files), *only],
                check=True,
                capture_output=True,
                cwd=files,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""},
            )
            subprocess.run(
                [python, "-W", "ignore", "-c", COMPUTE, str(files)],
                check=True,
                capture_output=True,
                env=os.environ | {"PYTHONPATH": str(ML_APP), "PYTHONDONTWRITEBYTECODE": ""},
            )
            predicted = json.loads((files / "expected.json").read_text())
            expected |= {OLD if only else name: values for name, values in predicted.items()}
            for name in predicted:
                self.servers[OLD if only else name] = serve("mlflow", files / name, python=python)
        self.expected = expected
        for server in self.servers.values():
            server.wait_until_ready()

    def request(self, name: str) -> Any:
        """What asks a model for the example of its input."""
        files = self.servers[name].files
        return example(files, signature(files))[0]
