"""What a Python function returns, as an array with an answer for each row, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def array_of(values: Any) -> np.ndarray[Any, Any]:
    """The array of values, a list of values or of rows, or one value."""
    if isinstance(values, pd.Series):
        values = in_order(values)
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


def in_order(answer: pd.DataFrame | pd.Series[Any]) -> Any:
    """Answers in the order of the rows that were asked.

    A function that sorts, groups or merges may answer in another one, and says so by the index, the numbers of the
    rows. An index that is anything else says nothing.
    """
    index = answer.index
    if not pd.api.types.is_integer_dtype(index.dtype) or index.is_monotonic_increasing:
        return answer
    places = index.to_numpy()
    in_all = np.array_equal(np.sort(places), np.arange(len(places)))
    return answer.iloc[np.argsort(places)] if in_all else answer
