"""The columns of the house-price model: one place for training, serving and tests."""

MODEL_NAME = "house-price"

FEATURES = (
    "bedrooms",
    "bathrooms",
    "sqft_living",
    "sqft_above",
    "grade",
    "floors",
    "view",
    "sqft_lot",
    "waterfront",
    "zipcode",
)
"""The inputs of the model, in the order of its columns; all are numbers."""

TARGET = "price"
"""What the model predicts: the sale price in US dollars."""

SKOPS_TRUSTED_TYPES = ["sklearn.tree._tree.Tree"]
"""What the model's skops file holds beyond skops' own list of types that are safe to load.

A tree's nodes are indices that scikit-learn follows without looking: a forged file runs no code, but could make it
read out of bounds. So `stored.py` reads the arrays, and checks them.
"""
