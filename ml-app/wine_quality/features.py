"""The columns of the wine-quality models: one place for training, serving and tests."""

FEATURES = (
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
)
"""The inputs of the models, in the order of their columns; all are numbers.

Names, order and units are those of the UCI data set 186: acids, sugar, chlorides and sulphates in g/l, sulfur dioxide
in mg/l, density in g/ml, alcohol in percent by volume.
"""

TARGET = "quality"
"""What the models predict: the grade that tasters gave, from 0 (very bad) to 10 (excellent)."""
