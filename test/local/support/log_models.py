"""What a notebook of somebody else's does: logs models with plain MLflow, and registers them."""

import mlflow
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

rng = np.random.default_rng(0)
people = pd.DataFrame(
    {
        "age": rng.integers(18, 80, 100),
        "city": rng.choice(["Rome", "Oslo"], 100),
        "income": rng.normal(50, 10, 100),
        "vip": rng.random(100) > 0.5,
    }
)
spent = people.age * 2 + people.income + (people.city == "Rome") * 10
texts = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
model = make_pipeline(texts, Ridge()).fit(people, spent)
example = people.head(3)

log = mlflow.sklearn.log_model
log(model, name="model", input_example=example, registered_model_name="spending")
log(model, name="model", registered_model_name="unsigned")
log(
    model,
    name="model",
    input_example=example,
    serialization_format="cloudpickle",
    pip_requirements=["scikit-learn==99"],
    registered_model_name="pickled",
)
print(model.predict(example)[0])
