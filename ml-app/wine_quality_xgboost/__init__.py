"""The wine-quality model of XGBoost: a training; a standard server serves it."""
