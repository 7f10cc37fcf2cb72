"""Logs and registers models that are not served as they are. Beside this file a model needs `somebodys.py`."""

import sys
from pathlib import Path

import mlflow
import numpy as np
from mlflow.models import infer_signature
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

code = Path(__file__).parents[3] / "ml-app" / "tests" / "mlserver" / "somebodys.py"
sys.path.insert(0, str(code.parent))
from somebodys import Scaled  # noqa: E402

rows = np.random.default_rng(0).random((20, 2))
model = make_pipeline(Scaled(), Ridge()).fit(rows, rows[:, 0])
plain = Ridge().fit(rows, rows[:, 0])
log = mlflow.sklearn.log_model

log(plain, name="model", registered_model_name="unsigned", pip_requirements=["scikit-learn"])
log(
    plain,
    name="model",
    input_example=rows[:3],
    serialization_format="cloudpickle",
    pip_requirements=["mlflow", "scikit-learn==99"],
    registered_model_name="pickled",
)
log(
    plain,
    name="model",
    signature=infer_signature(rows, rows[:, 0]),
    pip_requirements=["scikit-learn", "skops"],
    registered_model_name="silent",
)
log(
    model,
    name="model",
    input_example=rows[:3],
    code_paths=[str(code)],
    skops_trusted_types=["somebodys.Scaled"],
    registered_model_name="custom",
)
