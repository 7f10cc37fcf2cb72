"""Custom metrics of a Seldon class, kept in the memory of the one process that serves it."""

import os
import threading
from bisect import bisect_right
from typing import Any

from prometheus_client import CollectorRegistry, Metric, start_http_server
from seldon_core.metrics import BINS, SeldonMetrics


class InProcessMetrics(SeldonMetrics):  # type: ignore[misc]
    """Seldon's metrics, names and labels as in `SeldonMetrics`, without its `multiprocessing.Manager`.

    The manager is a second process that is asked a dozen times for each request, to gather the figures of
    several gunicorn workers; it costs about a millisecond a request. Here there is one process to gather from.
    """

    def __init__(self) -> None:
        # The parent, too, takes it, for a part of what it does: it read and wrote a copy.
        self._lock = threading.RLock()
        self.data: dict[int, Any] = {}
        self.worker_id_func = os.getpid
        self._extra_default_labels: dict[str, str] = {}

    def __del__(self) -> None:
        """Nothing to shut down here, where the parent class stops its manager."""

    def update(self, custom_metrics: list[dict[str, Any]], method: str) -> None:
        """Add what one call of the class reported; `method` becomes a label."""
        # REST and gRPC calls come from different threads, and the parent reads, changes and writes back.
        with self._lock:
            super().update(custom_metrics, method)

    def collect(self) -> list[Metric]:
        """The figures as Prometheus takes them, all of one moment."""
        with self._lock:
            return list(super().collect())

    @staticmethod
    def _update_hist(value: float, counts: list[float], total: float) -> tuple[list[float], float]:
        # np.histogram, which the parent calls for this single value, takes 40 microseconds.
        counts[min(bisect_right(BINS, value), len(counts)) - 1] += 1
        return counts, total + value

    def serve(self, host: str, port: int) -> None:
        """Answer Prometheus on every path of `host:port`, from a thread of its own.

        Every path, because the operator scrapes `/prometheus` and people look at `/metrics`.

        Raises:
            OSError: the port is in use.
        """
        registry = CollectorRegistry()
        registry.register(self)
        start_http_server(port, addr=host, registry=registry)
