"""The figures on the metrics port: a Seldon class's own, and the server's of its requests.

All are kept in the memory of the one process that serves.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from http import HTTPStatus
from itertools import accumulate
from typing import Any, Literal

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString
from seldon_core import metrics as seldon
from seldon_core.flask_utils import SeldonMicroserviceException

logger = logging.getLogger(__name__)

MAX_SERIES = 1000
"""Figures of a class, each with its tags. Those that would be more are left out: a class may make a tag of what a
request holds, and no client is to fill the memory."""

LARGEST = 1e18
"""Of what is added at once; sums of more would be infinite, and so useless, some time."""

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of requests, in seconds."""

UNKNOWN = "NOT_IMPLEMENTED"
"""What Seldon says for a name that the operator has not set."""

MAX_TAG = 200
"""Characters of a tag's text; all of them stand in each scrape."""

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")

BINS = [float(bound) for bound in seldon.BINS]
"""Seldon's bounds of a TIMER, in seconds; numpy's numbers are compared at a third of the speed."""

Protocol = Literal["rest", "grpc"]
Outcome = Literal["answered", "refused", "failed"]
"""`refused`: for what the request holds, 4xx; `failed`: for what the server does, 5xx."""


class Requests:
    """What the server measures of its requests, whatever its model is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Protocol, int] = {"rest": 0, "grpc": 0}
        self._seconds: dict[tuple[Protocol, Outcome], list[float]] = {}
        self._bytes: dict[tuple[Protocol, str], int] = {}
        self._refused: dict[tuple[Protocol, str], int] = {}

    def begin(self, protocol: Protocol) -> None:
        """A request is taken up."""
        with self._lock:
            self._under_way[protocol] += 1

    def end(self, protocol: Protocol, outcome: Outcome, seconds: float, received: int, sent: int) -> None:
        """It is answered: how, after how long, and of how many bytes its body and the answer's are."""
        with self._lock:
            self._under_way[protocol] -= 1
            figures = self._seconds.get((protocol, outcome))
            if figures is None:
                figures = self._seconds[protocol, outcome] = [0.0] * (len(SECONDS) + 2)
            figures[bisect_left(SECONDS, seconds)] += 1
            figures[-1] += seconds
            for key, size in (((protocol, "received"), received), ((protocol, "sent"), sent)):
                self._bytes[key] = self._bytes.get(key, 0) + size

    def refuse(self, protocol: Protocol, reason: str) -> None:
        """A request is refused; `reason` is one of a few."""
        with self._lock:
            self._refused[protocol, reason] = self._refused.get((protocol, reason), 0) + 1

    def collect(self, labels: Mapping[str, str]) -> Iterator[Metric]:
        """The figures as Prometheus takes them, with these labels and their own."""
        with self._lock:
            under_way, seconds, sizes, refused = (
                dict(self._under_way),
                {key: list(figures) for key, figures in self._seconds.items()},
                dict(self._bytes),
                dict(self._refused),
            )
        names, values = list(labels), list(labels.values())
        gauge = GaugeMetricFamily(
            "modelserver_requests_in_flight", "Requests that are being answered.", labels=[*names, "protocol"]
        )
        for protocol, count in under_way.items():
            gauge.add_metric([*values, protocol], count)
        histogram = HistogramMetricFamily(
            "modelserver_request_duration_seconds",
            "From the beginning of a prediction's or feedback's request to its answer.",
            labels=[*names, "protocol", "outcome"],
        )
        for (protocol, outcome), figures in seconds.items():
            bounds = [*map(floatToGoString, SECONDS), "+Inf"]
            counts = [list(pair) for pair in zip(bounds, accumulate(figures[:-1]), strict=True)]
            histogram.add_metric([*values, protocol, outcome], counts, sum_value=figures[-1])
        volume = CounterMetricFamily(
            "modelserver_body_bytes",
            "Bytes of bodies, or of gRPC's messages.",
            labels=[*names, "protocol", "direction"],
        )
        for (protocol, direction), size in sizes.items():
            volume.add_metric([*values, protocol, direction], size)
        counter = CounterMetricFamily(
            "modelserver_refused_requests",
            "Requests that were refused, by reason.",
            labels=[*names, "protocol", "reason"],
        )
        for (protocol, reason), count in refused.items():
            counter.add_metric([*values, protocol, reason], count)
        yield from (gauge, histogram, volume, counter)


class Metrics:
    """What a Seldon class reports, by Seldon's names and labels, and the server's `requests`.

    It stands where seldon-core's `SeldonMetrics` would, whose figures lie in a second process, a
    `multiprocessing.Manager`, that is asked a dozen times for each request, to gather those of several workers; here
    there is one process.

    Args:
        name: of the model, as it describes itself; the label `model_name` where the operator sets none.
        version: of the model, likewise; as Seldon does, the operator has `model_version` be that of the image.
    """

    def __init__(self, name: str = "", version: str = "") -> None:
        self.requests = Requests()
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], Any] = {}
        self._kinds: dict[str, str] = {}
        self._is_full = False
        self._model = {"name": name, "version": version}
        known = {label: value for label, value in seldon.DEFAULT_LABELS.items() if value != UNKNOWN}
        told = {"model_name": name, "model_version": version}
        self._labels = {**dict.fromkeys(seldon.DEFAULT_LABELS, ""), **told, **known, "worker_id": str(os.getpid())}

    def update_reward(self, reward: float) -> None:
        """Count a feedback and its reward, as seldon-core does."""
        if reward:
            self.update(
                [
                    {"type": seldon.COUNTER, "key": seldon.FEEDBACK_KEY, "value": 1},
                    {"type": seldon.COUNTER, "key": seldon.FEEDBACK_REWARD_KEY, "value": reward},
                ],
                seldon.FEEDBACK_METRIC_METHOD_TAG,
            )

    def update(self, reported: list[dict[str, Any]], method: str) -> None:
        """Add what one call of the class reported; `method` becomes a label.

        Raises:
            SeldonMicroserviceException: one of them is no metric that Prometheus would take; the others count.
        """
        if not isinstance(reported, list):
            raise _bad([f"{reported!r:.100} is no list"])
        with self._lock:
            problems = [problem for metric in reported if (problem := self._add(metric, method)) is not None]
        if problems:
            raise _bad(problems)

    def _add(self, metric: dict[str, Any], method: str) -> str | None:
        """Add a metric. Returns why it is none."""
        try:
            kind, name, value, tags = (
                metric.get("type", seldon.COUNTER),
                metric["key"],
                metric["value"],
                metric.get("tags"),
            )
            key = (kind, name, method, tuple(sorted(tags.items())) if tags else ())
            held = self._series.get(key)
            # What is there already has a name and tags that are right.
            if held is None:
                problem = self._problem(kind, name, tags or {})
                if problem is not None:
                    return problem
                if len(self._series) >= MAX_SERIES:
                    if not self._is_full:
                        logger.warning("more than %d figures: %s and others are left out", MAX_SERIES, name)
                    self._is_full = True
                    return None
            if not -LARGEST <= value <= LARGEST:
                return f"{name} is {value}"
            if kind == seldon.COUNTER:
                self._series[key] = (held or 0.0) + value
            elif kind == seldon.GAUGE:
                self._series[key] = float(value)
            else:
                counts, total = held or ([0.0] * (len(seldon.BINS) - 1), 0.0)
                seconds = value / 1000
                counts[min(bisect_right(BINS, seconds), len(counts)) - 1] += 1
                self._series[key] = (counts, total + seconds)
        except (TypeError, KeyError, AttributeError, ValueError):
            return f"{metric!r:.100} has no key, value and tags of texts"
        if held is None:
            self._kinds[name] = kind
        return None

    def _problem(self, kind: str, name: str, tags: dict[str, str]) -> str | None:
        """Why a figure that is not there yet cannot be."""
        if kind not in {seldon.COUNTER, seldon.GAUGE, seldon.TIMER}:
            return f"{name} is of type {kind}"
        if not NAME.fullmatch(name):
            return f"{name!r} is no name: letters, digits and _"
        if not all(LABEL.fullmatch(tag) and _is_plain(text) for tag, text in tags.items()):
            return f"{name} has tags {tags!r:.100}, which are not names with texts of at most {MAX_TAG} characters"
        if self._kinds.get(name, kind) != kind:
            return f"{name} is of type {kind}, and was of type {self._kinds[name]}"
        return None

    def collect(self) -> Iterator[Metric]:
        """The figures as Prometheus takes them, all of one moment."""
        with self._lock:
            series = [
                (key, (list(held[0]), held[1]) if key[0] == seldon.TIMER else held)
                for key, held in self._series.items()
            ]
        families: dict[tuple[str, tuple[str, ...]], Any] = {}
        for (kind, name, method, tags), held in series:
            labels = {**dict(tags), "method": method, **self._labels}
            family = families.get((name, tuple(labels)))
            if family is None:
                family = families[name, tuple(labels)] = FAMILIES[kind](name, "", labels=list(labels))
            if kind == seldon.TIMER:
                bounds = [*map(floatToGoString, seldon.BINS[1:])]
                counts = [list(pair) for pair in zip(bounds, accumulate(held[0]), strict=True)]
                family.add_metric(list(labels.values()), counts, sum_value=held[1])
            else:
                family.add_metric(list(labels.values()), held)
        yield from families.values()
        info = GaugeMetricFamily("modelserver_model", "The model that is served: 1.", labels=list(self._model))
        info.add_metric(list(self._model.values()), 1)
        yield info
        yield from self.requests.collect(
            {name: self._labels[name] for name in ("deployment_name", "predictor_name", "model_name")}
        )


FAMILIES = {
    seldon.COUNTER: CounterMetricFamily,
    seldon.GAUGE: GaugeMetricFamily,
    seldon.TIMER: HistogramMetricFamily,
}


def _is_plain(text: Any) -> bool:
    """Whether a tag's text can be written for Prometheus: a lone surrogate cannot, and ends each scrape."""
    return isinstance(text, str) and len(text) <= MAX_TAG and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _bad(problems: list[str]) -> SeldonMicroserviceException:
    message = f"Bad metric created during request: {'; '.join(problems)}"[:500]
    return SeldonMicroserviceException(message, status_code=500, reason="MICROSERVICE_BAD_METRIC")


class Scraped:
    """The figures as an ASGI application, on every path.

    Every path, because the operator scrapes `/prometheus` and people look at `/metrics`.
    """

    most_connections = 20
    at_once_urls: Collection[bytes] = ()

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(
        self, scope: dict[str, Any], receive: Any, send: Callable[[dict[str, Any]], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        looks = scope["method"] in {"GET", "HEAD"}
        content = generate_latest(self._metrics.registry) if looks else b""
        headers = ((b"content-type", CONTENT_TYPE_LATEST.encode()), (b"content-length", b"%d" % len(content)))
        await send({"type": "http.response.start", "status": 200 if looks else 405, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def at_once(self, url: bytes, headers: Any, body: bytes) -> None:
        """Nothing is answered so here."""

    def refused(self, status: HTTPStatus) -> None:
        """Nothing is counted here."""
