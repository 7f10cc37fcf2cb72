"""What the digits model takes and answers: one place for training, serving and tests."""

MODEL_NAME = "digits"

SIDE = 8
"""Pixels of a side."""

INK = 16
"""The value of a pixel that is all ink; one that is all paper is 0."""

FEATURES = tuple(f"pixel_{row}_{column}" for row in range(SIDE) for column in range(SIDE))
"""The pixels, row by row from the top left, each from 0 to `INK`."""

TARGET = "digit"
"""What is written there."""

CLASSES = tuple(range(10))
