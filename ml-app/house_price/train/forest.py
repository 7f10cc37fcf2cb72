"""The model: a random forest over the features of a house."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split

from house_price.features import FEATURES, TARGET
from house_price.train.options import Options
from modelkit.datasets import DataError
from modelkit.sufficiency import LEAST_ROWS, unseen
from modelkit.training import regression_metrics


@dataclass(frozen=True)
class Split:
    """House sales, shuffled and divided.

    Attributes:
        train_x: features to train on, shape (n, 10), int64 or float64 as in the file, columns `FEATURES`.
        train_y: their prices in US dollars, shape (n,), int64 or float64.
        test_x: features kept for the test, shape (m, 10), likewise; none of its rows is in `train_x`.
        test_y: their prices in US dollars, shape (m,), likewise.
    """

    train_x: pd.DataFrame
    train_y: pd.Series[float]
    test_x: pd.DataFrame
    test_y: pd.Series[float]


def split(sales: pd.DataFrame, options: Options) -> Split:
    """Divide sales into those to train on and those to test with; the same seed divides them the same way.

    Rows of the test whose features are in the training too are left out.

    Args:
        sales: shape (at least n + m, 11), int64 or float64, columns `FEATURES` and `TARGET`.
        options: `test_size` and `seed`.

    Raises:
        DataError: too few rows are left for the test, or one of the parts has a single price, so that nothing can be
            learned, or measured.
    """
    size, seed = options.parameters["test_size"], options.parameters["seed"]
    train_x, test_x, train_y, test_y = train_test_split(
        sales[list(FEATURES)], sales[TARGET], test_size=size, random_state=seed
    )
    drawn, new = len(test_x), unseen(*(part.itertuples(index=False, name=None) for part in (train_x, test_x)))
    test_x, test_y = test_x[new], test_y[new]
    if (different := len(test_x.drop_duplicates())) < LEAST_ROWS:
        raise DataError(
            f"of {drawn} rows to test with only {different} differ from those to train on and from each other, apart "
            f"from the {TARGET}; {LEAST_ROWS} are the least: give more data, or divide them otherwise "
            "(--test-size, --seed)"
        )
    for part, prices in (("to train on", train_y), ("to test with", test_y)):
        if prices.nunique() == 1:
            raise DataError(
                f"the {len(prices)} rows {part} all have the {TARGET} {prices.iloc[0]:g}: "
                "give more data, or divide them otherwise (--test-size, --seed)"
            )
    return Split(train_x, train_y, test_x, test_y)


def fit(data: Split, options: Options) -> RandomForestRegressor:
    """Train a forest on all cores; what comes back answers on one."""
    forest = RandomForestRegressor(
        n_estimators=options.parameters["n_estimators"],
        max_depth=options.parameters["max_depth"],
        max_features=options.parameters["max_features"],
        random_state=options.parameters["seed"],
        n_jobs=-1,
    )
    forest.fit(data.train_x, data.train_y)
    # For the few rows of a request threads cost more than they bring, and their sums vary in the last digit.
    forest.set_params(n_jobs=None)
    return forest


def scores(forest: RandomForestRegressor, data: Split) -> dict[str, float]:
    """R², root mean squared and mean absolute error (US dollars) of both parts of the data."""
    return {
        **regression_metrics("train", data.train_y.to_numpy(), forest.predict(data.train_x)),
        **regression_metrics("test", data.test_y.to_numpy(), forest.predict(data.test_x)),
    }
