"""Times in texts, as MLflow's columns of times hold them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)


def time_of(text: str) -> np.datetime64 | None:
    """The time, of UTC where a zone is said; None if it is none, or not between 1678 and 2261."""
    if not _TIME.fullmatch(text):
        return None
    try:
        time = pd.Timestamp(text)
        # MLflow's have no zone. NumPy would make another time of one that nanoseconds do not reach; pandas raises.
        return (time.tz_convert(None) if time.tzinfo else time).as_unit("ns").to_datetime64()
    except ValueError:
        return None
