"""Checks the rows of a request against the columns of a tabular model."""

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelserver.errors import BadRequest

# What becomes infinite in float32 is refused, with its place.
warnings.filterwarnings("ignore", "overflow encountered in cast", RuntimeWarning)


def to_matrix(rows: Any, names: Sequence[str] | None, features: Sequence[str]) -> npt.NDArray[np.float32]:
    """The rows of a request as the model takes them.

    Args:
        rows: the request's array; must be numeric, finite and of shape (n, len(features)), n >= 1.
        names: the request's feature names. When there are any, the columns are matched by name, in whatever
            order they come, since by position a row in another order is silently priced as another one.
        features: the model's feature names, in the order of its columns.

    Returns:
        float32 array of shape (n, len(features)), in the order of `features`. float32 is what scikit-learn's
        trees compare with.

    Raises:
        BadRequest: the rows do not fit, with what is wrong and where.
    """
    width = len(features)
    if not isinstance(rows, np.ndarray):
        raise BadRequest("this model takes rows of numbers: send data.ndarray or data.tensor")
    if rows.size == 0:
        raise BadRequest(f"there are no rows; send at least one of {width} numbers")
    if rows.ndim != 2:  # noqa: PLR2004
        raise BadRequest(f"the array has {rows.ndim} dimension(s), not 2: send a list of rows, [[…], …]")
    if rows.dtype.kind == "O":
        rows = _with_large(rows)
    if rows.dtype.kind not in "iuf":
        raise BadRequest(_not_numeric(rows))
    order = None if names is None or len(names) == 0 else _order(names, features)
    if rows.shape[1] != width:
        raise BadRequest(f"each row needs {width} numbers ({', '.join(features)}), not {rows.shape[1]}")
    matrix: npt.NDArray[np.float32] = rows.astype(np.float32)
    # The sum of the squares tells of all at a fifth of the price; only that of huge numbers is infinite without one.
    if not (math.isfinite(np.vdot(matrix, matrix)) or np.isfinite(matrix).all()):
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise BadRequest(f"row {row}, column {column} is not a finite number, or too large: {rows[row, column]}")
    return matrix if order is None else matrix[:, order]


def _with_large(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers of which one is beyond 64 bits, as floats: JavaScript writes 1e20 with all of its digits."""
    if not set(map(type, rows.flat)) <= {int, float}:
        return rows
    try:
        return rows.astype(np.float64)
    except OverflowError:
        return rows


def _order(names: Sequence[str], features: Sequence[str]) -> list[int]:
    """Where in a request each feature stands."""
    names = list(names)
    position = {name: index for index, name in enumerate(names)}
    unknown = [name for name in position if name not in features]
    missing = [name for name in features if name not in position]
    repeated = [name for name in position if names.count(name) > 1] if len(position) < len(names) else []
    if unknown or missing or repeated:
        problems = [
            *([f"unknown: {', '.join(unknown)}"] if unknown else []),
            *([f"missing: {', '.join(missing)}"] if missing else []),
            *([f"repeated: {', '.join(repeated)}"] if repeated else []),
        ]
        raise BadRequest(f"the feature names do not fit the model ({'; '.join(problems)})")
    return [position[name] for name in features]


def _not_numeric(rows: npt.NDArray[Any]) -> str:
    # One cell that is no number makes numpy turn all of them into text or objects: find the one.
    for (row, column), cell in np.ndenumerate(rows):
        try:
            # Of texts float() takes "1_000" and the digits of every script, too.
            plain = not isinstance(cell, str) or ("_" not in cell and cell.isascii())
            if plain and not isinstance(cell, bool | np.bool_) and math.isfinite(float(cell)):
                continue
        except OverflowError:  # an integer of hundreds of digits
            continue
        except (TypeError, ValueError):
            pass
        # As whoever sent it has written it.
        sent = json.dumps(cell.item() if isinstance(cell, np.generic) else cell, default=str, ensure_ascii=False)
        return f"row {row}, column {column} is not a number: {sent}"
    if rows.dtype.kind == "O":
        return "a number is too large"
    return "there are numbers in quotes: send them without"
