"""What a Python function returns, as an array."""

from __future__ import annotations

from typing import Any

import numpy as np


def array_of(values: Any) -> np.ndarray[Any, Any]:
    """The array of values, a list of values or of rows, or one value."""
    if hasattr(values, "toarray"):  # a sparse matrix
        values = values.toarray()
    if isinstance(values, str | bytes):
        values = [values]
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
    # NumPy would make texts of numbers beside texts, and cut bytes that end with zeros.
    if array.dtype.kind in "US" and isinstance(values, list | tuple):
        array = np.array(values, dtype=object)
    found: np.ndarray[Any, Any] = np.atleast_1d(array)
    return found
