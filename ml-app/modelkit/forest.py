"""A forest of regression trees, which treelite evaluates.

By its C interface, `treelite/c_api.h`. treelite's Python package would do as well, but brings scipy along, for sparse
rows; and of the 60 microseconds that its `predict` takes for a row, 45 go into finding out each time what is the same
each time: the configuration, the types, the shape of the answer, the addresses.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NODE_FIELDS = {
    "left_child": np.int64,
    "right_child": np.int64,
    "feature": np.int64,
    "threshold": np.float64,
    "missing_go_to_left": np.uint8,
    "n_node_samples": np.int64,
    "weighted_n_node_samples": np.float64,
    "impurity": np.float64,
}
"""What scikit-learn keeps of a tree's node, with its types; -1 in the place of a child is none."""


class Tree(NamedTuple):
    """A tree as scikit-learn keeps it.

    Attributes:
        nodes: structured array of shape (n,) with `NODE_FIELDS`; the first is the root.
        values: float64 array of shape (n,): what a leaf answers.
    """

    nodes: npt.NDArray[Any]
    values: npt.NDArray[np.float64]

    def is_sound(self, features: int) -> bool:
        """Whether it is one, and each node points to later nodes, and to one of so many features.

        treelite and scikit-learn follow them without looking, also out of the array.
        """
        fields: Mapping[str, Any] = self.nodes.dtype.fields or {}
        count = len(self.nodes)
        if self.nodes.ndim != 1 or count < 1 or self.values.shape != (count,) or self.values.dtype != np.float64:
            return False
        if any(name not in fields or fields[name][0] != kind for name, kind in NODE_FIELDS.items()):
            return False
        left, right, feature = (self.nodes[name] for name in ("left_child", "right_child", "feature"))
        inner = np.flatnonzero(left != -1)
        children = np.stack([left[inner], right[inner]])
        later = (children > inner).all() and (children < count).all()
        return bool(later and (feature[inner] >= 0).all() and (feature[inner] < features).all())


class Forest:
    """The mean of some trees.

    Args:
        trees: sound ones.
        features: how many numbers a row has.

    Raises:
        RuntimeError: treelite takes no such trees.
    """

    def __init__(self, trees: Sequence[Tree], features: int) -> None:
        self._features = features
        self._library = _library()
        self._handle, self._together, self._apart = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._trees = len(trees)
        counts = np.array([len(tree.nodes) for tree in trees], np.int64)
        # C arrays of their own, which have to be there until treelite has read them.
        columns = {
            name: [np.ascontiguousarray(tree.nodes[name], kind) for tree in trees] for name, kind in NODE_FIELDS.items()
        }
        values = [np.ascontiguousarray(tree.values) for tree in trees]
        _call(
            "TreeliteLoadSKLearnRandomForestRegressorEx",
            ctypes.c_int(len(trees)),
            ctypes.c_int(features),
            ctypes.c_int(1),
            ctypes.c_void_p(counts.ctypes.data),
            *(_pointers(columns[name]) for name in ("left_child", "right_child", "feature", "threshold")),
            _pointers(values),
            *(
                _pointers(columns[name])
                for name in ("missing_go_to_left", "n_node_samples", "weighted_n_node_samples", "impurity")
            ),
            ctypes.byref(self._handle),
        )
        # One thread: a single row gains nothing from more, and the pod has a share of a core.
        for kind, settings in ((b"default", self._together), (b"score_per_tree", self._apart)):
            text = b'{"predict_type": "%b", "nthread": 1}' % kind
            _call("TreeliteGTILParseConfig", ctypes.c_char_p(text), ctypes.byref(settings))
        # Calls run side by side, each with a row of its own.
        self._prepared = threading.local()

    def __del__(self) -> None:
        for settings in (self._together, self._apart):
            if settings:
                self._library.TreeliteGTILDeleteConfig(settings)
        if self._handle:
            self._library.TreeliteFreeModel(self._handle)

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The forest's numbers for rows of shape (n, features), shape (n,)."""
        # The trees compare float32 with their thresholds, which are float64.
        if rows.shape == (1, self._features):
            return self._predict_one(rows)
        if rows.ndim != 2 or rows.shape[1] != self._features:  # noqa: PLR2004 -- it would read beyond the rows
            raise ValueError(f"rows of shape {rows.shape}")
        return self._prepare(rows.astype(np.float64, order="C"), np.zeros(len(rows)), self._together).run()

    def _predict_one(self, row: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """What the trees say of a row, summed up here in their order, as treelite does.

        For its own sums and means treelite begins three more parallel sections, each of which calls the system to wake
        threads that are not there: 4 of 12 microseconds.
        """
        one = self._prepared.__dict__.get("call")
        if one is None:
            one = self._prepared.call = self._prepare(np.empty((1, self._features)), np.zeros(self._trees), self._apart)
        one.rows[:] = row
        return np.array([np.add.accumulate(one.run())[-1] / self._trees])

    def _prepare(
        self, rows: npt.NDArray[np.float64], answers: npt.NDArray[np.float64], settings: ctypes.c_void_p
    ) -> _Call:
        return _Call(
            rows,
            answers,
            partial(
                self._library.TreeliteGTILPredict,
                self._handle,
                ctypes.c_void_p(rows.ctypes.data),
                ctypes.c_char_p(b"float64"),
                ctypes.c_uint64(len(rows)),
                ctypes.c_void_p(answers.ctypes.data),
                settings,
            ),
        )


class _Call(NamedTuple):
    """Where treelite finds rows, and puts answers."""

    rows: npt.NDArray[np.float64]
    answers: npt.NDArray[np.float64]
    evaluate: Callable[[], int]

    def run(self) -> npt.NDArray[np.float64]:
        """The answers to what the rows are now."""
        if self.evaluate():
            raise RuntimeError(_last_error())
        return self.answers


@cache
def _library() -> ctypes.CDLL:
    """The library of treelite, of the wheel that is installed."""
    package = find_spec("treelite")
    if package is None or package.origin is None:
        raise RuntimeError("treelite is not installed")
    (file,) = (Path(package.origin).parent / "lib").glob("*treelite.*")
    library = ctypes.CDLL(str(file))
    library.TreeliteGetLastError.restype = ctypes.c_char_p
    return library


def _call(function: str, *arguments: Any) -> None:
    if getattr(_library(), function)(*arguments):
        raise RuntimeError(_last_error())


def _last_error() -> str:
    return str(_library().TreeliteGetLastError().decode())


def _pointers(arrays: Sequence[npt.NDArray[Any]]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
