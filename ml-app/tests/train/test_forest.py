"""How sales are divided into those to train on and those to test with."""

from __future__ import annotations

import pandas as pd
import pytest

from house_price.features import FEATURES
from house_price.train.recipe import RECIPE
from modelkit.arguments import parse
from modelkit.datasets import DataError
from modelkit.splitting import split

OPTIONS = parse(RECIPE, ["--tracking-uri", "http://127.0.0.1:1"])


def test_nothing_is_left_out_of_a_test_without_repeated_houses() -> None:
    data = split(RECIPE, pd.read_csv(RECIPE.sample), OPTIONS.parameters)
    assert (len(data.train_x), len(data.test_x), len(data.test_y)) == (1400, 600, 600)


def test_houses_that_were_trained_on_are_left_out_of_the_test() -> None:
    sales = pd.read_csv(RECIPE.sample)
    again = sales.assign(price=sales["price"] + 1)
    data = split(RECIPE, pd.concat([sales, again]), OPTIONS.parameters)
    assert len(data.train_x) == 2800
    assert 300 < len(data.test_x) < 400
    assert list(data.test_x.index) == list(data.test_y.index)
    assert data.test_x.merge(data.train_x, on=list(FEATURES)).empty


def test_a_few_houses_many_times_are_refused() -> None:
    sales = pd.concat([pd.read_csv(RECIPE.sample).head(20)] * 50)
    with pytest.raises(DataError, match="of 300 rows to test with only 0 differ"):
        split(RECIPE, sales, OPTIONS.parameters)
