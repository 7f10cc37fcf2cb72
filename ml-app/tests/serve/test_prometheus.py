"""The figures on the metrics port."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from seldon_core.metrics import BINS, SeldonMetrics

from model_process import HERE, ModelProcess, Rows, tensor
from modelserver.metrics import InProcessMetrics

COUNT = "house_price_predictions_total"


@pytest.mark.parametrize("path", ["/metrics", "/prometheus"])
def test_rows_are_counted_over_both_protocols(server: ModelProcess, rows: Rows, path: str) -> None:
    server.prices(rows[:1])
    before = server.samples(path)
    server.prices(rows[:3])
    server.call("Model", "Predict", tensor(rows[:4]))
    server.post({"data": {"ndarray": [[1]]}})
    price = server.prices(rows[7:8])
    after = server.samples(path)
    assert after[COUNT] - before[COUNT] == 8
    assert after["house_price_inference_count"] - before["house_price_inference_count"] == 3
    assert 0 < after["house_price_inference_sum"] - before["house_price_inference_sum"] < 1
    assert [after["house_price_last_prediction"]] == price


def test_histogram_is_cumulative(server: ModelProcess, row: Rows) -> None:
    server.prices(row)
    samples = server.samples()
    buckets = {name: value for name, value in samples.items() if name.startswith("house_price_inference_bucket")}
    assert len(buckets) == len(BINS) - 1
    assert list(buckets.values()) == sorted(buckets.values())
    assert list(buckets)[-1] == "house_price_inference_bucket{+Inf}"
    assert list(buckets.values())[-1] == samples["house_price_inference_count"]


def test_no_update_is_lost_between_threads(server: ModelProcess, rows: Rows) -> None:
    server.prices(rows[:1])
    before = server.samples()

    def ask(thread: int) -> None:
        for count in range(1, 16):
            if thread % 2:
                server.call("Model", "Predict", tensor(rows[:count]))
            else:
                server.prices(rows[: 700 if count == 1 else count])  # 700 rows: answered in a thread

    with ThreadPoolExecutor(8) as threads:
        scrapes = threads.submit(lambda: [server.samples() for _ in range(20)])
        list(threads.map(ask, range(8)))
    after = server.samples()
    assert after[COUNT] - before[COUNT] == 8 * sum(range(1, 16)) + 4 * 699
    assert after["house_price_inference_count"] - before["house_price_inference_count"] == 8 * 15
    counts = [scrape[COUNT] for scrape in scrapes.result()]
    assert counts == sorted(counts)


def test_labels_are_those_of_seldon(server: ModelProcess, row: Rows) -> None:
    server.prices(row)
    text = requests.get(f"http://{HERE}:{server.metrics}/prometheus", timeout=5).text
    (line,) = (line for line in text.splitlines() if line.startswith(COUNT))
    for label in (
        'deployment_name="houses"', 'seldon_deployment_name="houses"', 'predictor_name="default"',
        'model_name="forest"', 'model_image="house-price-serve"', 'model_version="1.2"', 'method="predict"',
    ):  # fmt: skip
        assert label in line


def test_times_go_into_the_bins_of_seldon() -> None:
    edges = np.array(BINS[:-1])
    values = [*edges, *np.nextafter(edges, np.inf), *np.nextafter(edges[1:], 0), 30.1, 1e9, np.inf]
    values += np.random.default_rng(5).exponential(0.1, 500).tolist()
    for value in map(float, values):
        empty = [0.0] * (len(BINS) - 1)
        expected = SeldonMetrics._update_hist(value, list(empty), 1.5)
        assert InProcessMetrics._update_hist(value, list(empty), 1.5) == expected, value


def test_figures_are_read_while_others_are_added() -> None:
    metrics = InProcessMetrics()
    for name in ("a", "b"):
        metrics.update([{"type": "COUNTER", "key": name, "value": 1}], "predict")
    collected = iter(metrics.collect())
    next(collected)
    metrics.update([{"type": "COUNTER", "key": "c", "value": 1}], "predict")
    assert [family.name for family in collected] == ["b"]
