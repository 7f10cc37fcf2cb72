"""The figures on the metrics port."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import requests
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.metrics import BINS, SeldonMetrics

from conftest import HOUSE_PRICE
from model_process import HERE, ModelProcess, Rows, tensor
from modelserver.metrics import MAX_SERIES, Metrics

Start = Callable[..., ModelProcess]
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
    values = [*edges, *np.nextafter(edges, np.inf), *np.nextafter(edges[1:], 0), 30.1, 1e9]
    values += np.random.default_rng(5).exponential(0.1, 500).tolist()
    for value in map(float, values):
        expected, _ = SeldonMetrics._update_hist(value, [0.0] * (len(BINS) - 1), 0.0)
        metrics = Metrics()
        # A power of two, so that the division by 1000 is that of the server alone.
        metrics.update([{"type": "TIMER", "key": "a", "value": value * 1000}], "predict")
        (family,) = (family for family in metrics.collect() if family.name == "a")
        counts = [sample.value for sample in family.samples if sample.name == "a_bucket"]
        if value * 1000 / 1000 == value:
            assert counts == np.cumsum(expected).tolist(), value


BAD: dict[str, dict[str, Any]] = {
    "a name that Prometheus does not know": {"key": "my-counter", "value": 1},
    "a value that is none": {"key": "a", "value": "1"},
    "NaN": {"key": "a", "value": math.nan},
    "infinite": {"key": "a", "value": math.inf},
    "so large that a sum would be infinite": {"key": "a", "value": 1e308},
    "a tag that is none": {"key": "a", "value": 1, "tags": {"a-b": "c"}},
    "a tag of a number": {"key": "a", "value": 1, "tags": {"b": 1}},
    "a tag that is no text in UTF-8": {"key": "a", "value": 1, "tags": {"b": "\ud800"}},
    "a tag without end": {"key": "a", "value": 1, "tags": {"b": "c" * 201}},
    "another type than before": {"type": "GAUGE", "key": "good", "value": 1},
    "a type that is none": {"type": "SUMMARY", "key": "a", "value": 1},
    "no key": {"value": 1},
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_metric_is_refused_and_the_others_count(case: str) -> None:
    metrics = Metrics()
    good = {"type": "COUNTER", "key": "good", "value": 2}
    metrics.update([good], "predict")
    for _ in range(2):
        with pytest.raises(SeldonMicroserviceException) as caught:
            metrics.update([{"type": "COUNTER", **BAD[case]}, good], "predict")
        assert (caught.value.reason, caught.value.status_code) == ("MICROSERVICE_BAD_METRIC", 500)
    text = generate_latest(metrics.registry).decode()
    samples = {
        sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples
    }
    assert samples["good_total"] == 6
    assert not {"a", "a_total", "my-counter_total"} & set(samples)


def test_figures_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    for number in [*range(MAX_SERIES + 9), 0]:
        metrics.update([{"key": "a", "value": 1, "tags": {"who": str(number)}}], "predict")
    (family,) = (family for family in metrics.collect() if family.name == "a")
    assert (len(family.samples), family.samples[0].value) == (MAX_SERIES, 2)
    assert len(caplog.records) == 1


def test_figures_are_read_while_others_are_added() -> None:
    metrics = Metrics()
    for name in ("a", "b"):
        metrics.update([{"type": "COUNTER", "key": name, "value": 1}], "predict")
    collected = iter(metrics.collect())
    next(collected)
    metrics.update([{"type": "COUNTER", "key": "c", "value": 1}], "predict")
    assert next(collected).name == "b"
    assert "c" not in {family.name for family in collected}


def requests_of(server: ModelProcess) -> dict[str, float]:
    """The server's figures of its requests, by name and labels."""
    text = requests.get(f"http://{HERE}:{server.metrics}/metrics", timeout=5).text
    return {
        " ".join([sample.name, *(sample.labels[label] for label in LABELS if label in sample.labels)]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("modelserver_")
        for sample in family.samples
        if sample.labels.get("le", "+Inf") == "+Inf"
    }


LABELS = ("protocol", "outcome", "direction", "reason", "name", "version")


def test_requests_are_measured_by_outcome(server: ModelProcess, rows: Rows) -> None:
    before = requests_of(server)
    server.prices(rows[:3])
    body = b'{"data": {"ndarray": [[1]]}}'
    server.post(body)
    server.post(b"x" * (1 << 20) + b"x")
    requests.get(f"{server.url}/nowhere", timeout=5)
    requests.post(f"{server.url}/metadata", timeout=5)
    server.call("Model", "Predict", tensor(rows[:1]))
    with pytest.raises(grpc.RpcError):
        server.call("Model", "Predict", tensor(rows[:1, :9]))
    grown = {name: value - before.get(name, 0) for name, value in requests_of(server).items()}
    assert {name: value for name, value in grown.items() if value and "duration_seconds_count" in name} == {
        "modelserver_request_duration_seconds_count rest answered": 1,
        "modelserver_request_duration_seconds_count rest refused": 2,
        "modelserver_request_duration_seconds_count grpc answered": 1,
        "modelserver_request_duration_seconds_count grpc refused": 1,
    }
    assert {name: value for name, value in grown.items() if value and "refused_requests_total" in name} == {
        "modelserver_refused_requests_total rest bad_data": 1,
        "modelserver_refused_requests_total rest too_large": 1,
        "modelserver_refused_requests_total rest unknown_path": 1,
        "modelserver_refused_requests_total rest method": 1,
        "modelserver_refused_requests_total grpc bad_data": 1,
    }
    assert 0 < grown["modelserver_request_duration_seconds_sum rest answered"] < 5
    assert grown["modelserver_body_bytes_total rest received"] > len(body)
    assert all(grown[f"modelserver_body_bytes_total {way}"] > 0 for way in ("rest sent", "grpc received", "grpc sent"))
    now = requests_of(server)
    assert now["modelserver_requests_in_flight rest"] == now["modelserver_requests_in_flight grpc"] == 0
    assert now["modelserver_model house-price 7"] == 1


def test_names_and_units_are_the_fields(server: ModelProcess) -> None:
    text = requests.get(f"http://{HERE}:{server.metrics}/metrics", timeout=5).text
    for family in text_string_to_metric_families(text):
        if family.name.startswith("modelserver_"):
            assert family.documentation.endswith((".", "1.")), family.name


def test_model_is_named_where_nobody_else_names_it(start: Start, model_dir: Path) -> None:
    server = start(HOUSE_PRICE, model_dir=str(model_dir), model_version="7")
    server.wait_until_ready()
    server.post({"data": {"ndarray": [[3, 1.5, 1340, 1340, 7, 1, 0, 5650, 0, 98178]]}})
    text = requests.get(f"http://{HERE}:{server.metrics}/metrics", timeout=5).text
    (line,) = (line for line in text.splitlines() if line.startswith(COUNT))
    assert 'model_name="house-price",model_version="7"' in line
    assert "NOT_IMPLEMENTED" not in text


def test_metrics_port_is_bounded(server: ModelProcess) -> None:
    idle = [socket.create_connection((HERE, int(server.metrics)), timeout=5) for _ in range(60)]
    try:
        assert requests.get(f"http://{HERE}:{server.metrics}/metrics", timeout=5).ok
        gone = sum(client.recv(1) == b"" for client in idle[:30])
        assert gone == 30
        assert requests.post(f"http://{HERE}:{server.metrics}/metrics", timeout=5).status_code == 405
    finally:
        for client in idle:
            client.close()
