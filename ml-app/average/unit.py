"""The average of what several models answer to the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelserver.errors import BadRequest
from modelserver.unit import Unit


class Average(Unit):
    """Takes numbers: a grade of each row, or the probabilities of each row's classes."""

    def __init__(self) -> None:
        super().__init__(__file__)

    def aggregate(self, answers: Sequence[Any], names: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
        """The average, in the shape of the answers.

        Args:
            answers: of the models, one array each.
            names: of the answers' columns; not used.

        Raises:
            BadRequest: the answers are no numbers, or differ in shape.
        """
        if not all(isinstance(answer, np.ndarray) and answer.dtype.kind in "iuf" for answer in answers):
            raise BadRequest("an answer to average holds no numbers")
        shapes = [answer.shape for answer in answers]
        if len(set(shapes)) > 1:
            raise BadRequest(f"the answers to average have different shapes: {', '.join(map(str, shapes))}")
        average: npt.NDArray[np.float64] = np.mean(np.stack(answers), axis=0, dtype=np.float64)
        return average
