"""Training of the wine-quality model: `python -m wine_quality_sklearn.train`."""
