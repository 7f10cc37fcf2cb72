"""Models as other people log them, with plain MLflow.

    python logged_models.py FOLDER [NAME...]

Each is a folder below that one. Beside them `expected.json` says what each predicts for the example of its input when
MLflow loads it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import somebodys

rng = np.random.default_rng(0)
ROWS = 80
PEOPLE = pd.DataFrame(
    {
        "age": rng.integers(18, 80, ROWS),
        "city": rng.choice(["Rome", "Oslo", "Łódź"], ROWS),
        "income": rng.normal(50, 10, ROWS),
        "vip": rng.random(ROWS) > 0.5,
    }
)
NUMBERS = PEOPLE[["age", "income"]]
SPENT = PEOPLE.age * 2 + PEOPLE.income + (PEOPLE.city == "Rome") * 10
SENIOR = np.where(PEOPLE.age > 50, "senior", "junior")
# MLflow looks for the libraries itself unless it is told, which takes 20 s.
LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "lightgbm", "xgboost", "xgboost-cpu")
HERE = {found.name: found.version for found in distributions() if found.name in LIBRARIES}
NEEDS: dict[str, Any] = {
    "pip_requirements": [f"mlflow=={mlflow.__version__}", *(f"{name}=={version}" for name, version in HERE.items())]
}


class WithArtifact(PythonModel):
    """Reads a file that was logged with it."""

    def load_context(self, context: Any) -> None:
        """Read it."""
        self.factor = json.loads(Path(context.artifacts["factor"]).read_text())

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Answer with a series."""
        del context, params
        return model_input.age * self.factor


class TwoInputs(PythonModel):
    """Takes two tensors."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Weigh images."""
        del context, params
        return model_input["image"].sum(axis=(1, 2)) * model_input["weight"]


class TwoOutputs(PythonModel):
    """Answers two things by name."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Answer with lists."""
        del context, params
        old = [bool(age > 50) for age in model_input.age]
        return {"old": old, "name": [f"{city}!" if city < "R" else None for city in model_input.city]}


class OfDates(PythonModel):
    """Takes times, and a number that may be missing."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Answer with times."""
        del context, params
        days = model_input.nights.fillna(1)
        return pd.DataFrame({"until": model_input.since + pd.to_timedelta(days, unit="D"), "days": days})


class OneRow(PythonModel):
    """Answers a single row, and fails at others."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Answer with a number."""
        del context, params
        if len(model_input) != 1:
            raise ValueError("one row at a time")
        return float(model_input.age.iloc[0])


def sklearn(model: Any, inputs: Any, answers: Any, **more: Any) -> Callable[[Path], None]:
    """What saves a model of scikit-learn, in MLflow's own format."""
    import skops.io  # noqa: PLC0415 not in every environment

    said = infer_signature(inputs, answers)
    # Trees are among them.
    trusted = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    return lambda path: mlflow.sklearn.save_model(
        model, path, signature=said, input_example=inputs[:3], skops_trusted_types=trusted, **NEEDS, **more
    )


def pyfunc(model: Any, example: Any, answers: Any, **more: Any) -> Callable[[Path], None]:
    """What saves a Python function."""
    said = infer_signature(example, answers)
    return lambda path: mlflow.pyfunc.save_model(
        path, python_model=model, signature=said, input_example=example, **NEEDS, **more
    )


def forest() -> Any:
    model = RandomForestRegressor(20, random_state=0).fit(NUMBERS, SPENT)
    return sklearn(model, NUMBERS, model.predict(NUMBERS))


def texts() -> Any:
    coded = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    model = make_pipeline(coded, Ridge()).fit(PEOPLE, SPENT)
    return sklearn(model, PEOPLE, model.predict(PEOPLE))


def xgboost() -> Any:
    from xgboost import XGBRegressor  # noqa: PLC0415 not in every environment

    model = XGBRegressor(n_estimators=5).fit(NUMBERS, SPENT)
    said = infer_signature(NUMBERS, model.predict(NUMBERS))
    return lambda path: mlflow.xgboost.save_model(model, path, signature=said, input_example=NUMBERS[:3], **NEEDS)


def lightgbm() -> Any:
    from lightgbm import LGBMRegressor  # noqa: PLC0415 not in every environment

    model = LGBMRegressor(n_estimators=5, verbose=-1).fit(NUMBERS, SPENT)
    said = infer_signature(NUMBERS, model.predict(NUMBERS))
    return lambda path: mlflow.lightgbm.save_model(model, path, signature=said, input_example=NUMBERS[:3], **NEEDS)


def artifacts() -> Any:
    factor = Path(sys.argv[1]) / "factor.json"
    factor.write_text("2.5")
    return pyfunc(WithArtifact(), NUMBERS[:3], pd.Series([1.0]), artifacts={"factor": str(factor)})


def custom() -> Any:
    model = make_pipeline(somebodys.Scaled(), Ridge()).fit(NUMBERS, SPENT)
    return sklearn(model, NUMBERS, model.predict(NUMBERS), code_paths=[somebodys.__file__])


def two_inputs() -> Any:
    image = {"image": rng.random((3, 2, 2)).astype("float32"), "weight": np.array([1.0, 2.0, 3.0])}
    return pyfunc(TwoInputs(), image, np.array([1.0]))


def two_outputs() -> Any:
    return pyfunc(TwoOutputs(), PEOPLE[:3], pd.DataFrame({"old": [True], "name": ["Rome!"]}))


def probabilities() -> Any:
    model = LogisticRegression(max_iter=1000).fit(NUMBERS.to_numpy(), SENIOR)
    answers = model.predict_proba(NUMBERS.to_numpy())
    return sklearn(model, NUMBERS.to_numpy(), answers, pyfunc_predict_fn="predict_proba")


def strings() -> Any:
    model = DecisionTreeClassifier(random_state=0).fit(NUMBERS, SENIOR)
    return sklearn(model, NUMBERS, model.predict(NUMBERS))


def dates() -> Any:
    since = pd.to_datetime(["2026-01-31T12:00:00", "2026-02-28T00:00:00", "2026-03-01T00:00:00"])
    example = pd.DataFrame({"since": since, "nights": [1.0, None, 3.0]})
    answers = pd.DataFrame({"until": since, "days": [1.0, 1.0, 3.0]})
    return pyfunc(OfDates(), example, answers)


def missing() -> Any:
    cities = [city if vip else None for city, vip in zip(PEOPLE.city, PEOPLE.vip, strict=True)]
    table = NUMBERS.assign(income=NUMBERS.income.where(NUMBERS.age % 3 > 0), city=pd.Series(cities))
    table = table.astype({"age": "float64"}).sort_values("income", na_position="first", ignore_index=True)
    coded = make_column_transformer((OneHotEncoder(sparse_output=False), ["city"]), remainder="passthrough")
    model = make_pipeline(coded, HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=3)).fit(table, SPENT)
    return sklearn(model, table, model.predict(table))


def one_row() -> Any:
    return pyfunc(OneRow(), NUMBERS[:1], np.array([1.0]))


def no_outputs() -> Any:
    return pyfunc(OneRow(), NUMBERS[:1], None)


def large() -> Any:
    many = rng.random((6_500_000, 2))
    model = KNeighborsRegressor(1, algorithm="brute").fit(many, many[:, 0])
    return lambda path: mlflow.sklearn.save_model(
        model, path, signature=infer_signature(many[:3], many[:3, 0]), input_example=many[:3], **NEEDS
    )


MODELS: list[Callable[[], Any]] = [
    *(forest, texts, xgboost, lightgbm, artifacts, custom, two_inputs, two_outputs),
    *(probabilities, strings, dates, missing, one_row, no_outputs, large),
]


def plain(answer: Any) -> list[list[Any]]:
    """An answer's outputs, each as the list of its values."""
    if isinstance(answer, pd.DataFrame):
        columns = [answer[name] for name in answer.columns]
    else:
        columns = list(answer.values()) if isinstance(answer, dict) else [answer]
    return [
        [value.isoformat() if isinstance(value, pd.Timestamp) else value for value in pd.Series(flat).tolist()]
        for flat in (np.ravel(column) if not isinstance(column, pd.Series) else column for column in columns)
    ]


def main(folder: Path, names: list[str]) -> None:
    """Save the models of these names, or all."""
    expected = {}
    for model in MODELS:
        if names and model.__name__ not in names:
            continue
        path = folder / model.__name__
        model()(path)
        loaded = mlflow.pyfunc.load_model(str(path))
        expected[model.__name__] = plain(loaded.predict(loaded.metadata.load_input_example(str(path))))
    (folder / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
