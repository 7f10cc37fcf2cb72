"""Seldon classes that only tests serve."""

from __future__ import annotations

import atexit
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from seldon_core.user_model import SeldonComponent


class Plain:
    """As little as a Seldon class can be: it returns its input."""

    def predict(self, rows: npt.NDArray[Any], names: list[str]) -> npt.NDArray[Any]:
        """The rows."""
        return rows


class Derived(SeldonComponent):  # type: ignore[misc]
    """Seldon's base class, whose methods say that they are not there, with one that is."""

    def predict(self, rows: npt.NDArray[Any], names: list[str], meta: Any = None) -> npt.NDArray[Any]:
        """The rows."""
        return rows


class Robbed:
    """Loses its REST port to somebody else while it loads."""

    def load(self) -> None:
        """Be the somebody else."""
        self.other = socket.socket()
        self.other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.other.bind(("127.0.0.1", int(os.environ["PREDICTIVE_UNIT_HTTP_SERVICE_PORT"])))
        self.other.listen()

    def predict(self, rows: npt.NDArray[Any], names: list[str]) -> npt.NDArray[Any]:
        """The rows."""
        return rows


class Failing:
    """Fails as a programming error does."""

    def predict(self, rows: npt.NDArray[Any], names: list[str]) -> npt.NDArray[Any]:
        """Raise."""
        raise RuntimeError("an inside of the server")


class Slow:
    """Takes two seconds for an answer; puts a file into a folder when it begins with one."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def predict(self, rows: npt.NDArray[Any], names: list[str]) -> npt.NDArray[np.float64]:
        """One, after two seconds."""
        (self._folder / str(rows[0, 0])).touch()
        time.sleep(2)
        return np.ones(1)


class Counting(Plain):
    """Says which threads are left when Python ends."""

    def __init__(self) -> None:
        atexit.register(lambda: sys.stdout.write(f"left: {[thread.name for thread in threading.enumerate()]}\n"))


class Undescribed:
    """Describes itself in a way that Seldon does not know."""

    def init_metadata(self) -> dict[str, Any]:
        """A name that is no text."""
        return {"name": 5}


class Odd:
    """Answers what JSON has nothing for, and reports what Prometheus does not take."""

    class_names = np.array(["x", "y"])

    def predict(self, rows: npt.NDArray[Any], names: list[str]) -> npt.NDArray[Any]:
        """The rows; NaN where they are negative."""
        return np.where(rows < 0, np.nan, rows)

    def metrics(self) -> list[dict[str, Any]]:
        """One that is none."""
        return [{"type": "COUNTER", "key": "a-b", "value": 1}]


class Classes(Odd):
    """The same with nothing to report."""

    def metrics(self) -> list[dict[str, Any]]:
        """None."""
        return []


class Router:
    """Chooses the child that a request names."""

    def route(self, rows: npt.NDArray[Any], names: list[str]) -> Any:
        """The first number, whole if it is."""
        chosen = float(rows.flat[0])
        return int(chosen) if chosen.is_integer() else chosen


class Doubling(SeldonComponent):  # type: ignore[misc]
    """Doubles what a model has answered."""

    def transform_output(self, rows: npt.NDArray[Any], names: list[str], meta: Any = None) -> npt.NDArray[Any]:
        """Twice the rows."""
        return rows * 2
