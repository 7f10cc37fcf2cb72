"""The wine-quality model of scikit-learn: a training; a standard server serves it."""
