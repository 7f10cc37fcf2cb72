"""The digits model: which digit a picture of handwriting shows."""
