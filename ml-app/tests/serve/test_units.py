"""Units of graphs, asked as Seldon's executor asks them (1.17.1): over HTTP, with a body and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from google.protobuf.struct_pb2 import ListValue
from seldon_core.proto import prediction_pb2

import house_listing
from house_listing.unit import SQUARE_FEET
from house_price.features import FEATURES
from model_process import ModelProcess, ndarray, tensor
from modelserver.units import MAX_CHILDREN

LISTING = json.loads(Path(house_listing.__file__).with_name("unit.json").read_text())
HOUSE = [3, 1.5, 1340, 1340, 7, 1, 0, 5651, 0, 98168]
"""The manifest's example, as the model takes it."""


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModelProcess]]:
    """A unit's server, as Seldon's operator would start it in a graph; one for each class."""
    started: dict[str, ModelProcess] = {}

    def run(class_name: str) -> ModelProcess:
        if class_name not in started:
            log = tmp_path_factory.mktemp("unit") / "log"
            started[class_name] = ModelProcess(["-m", "modelserver", class_name], log, {}, PREDICTIVE_UNIT_ID="node")
            started[class_name].wait_until_ready()
        return started[class_name]

    yield run
    for process in started.values():
        process.stop()


@pytest.fixture(scope="module")
def listing(unit: Callable[[str], ModelProcess]) -> ModelProcess:
    """The transformer of houses."""
    return unit(LISTING["class"])


@pytest.fixture(scope="module")
def average(unit: Callable[[str], ModelProcess]) -> ModelProcess:
    """The combiner."""
    return unit("average.unit.Average")


def _columns(**columns: list[Any]) -> dict[str, Any]:
    datatypes = {str: "BYTES", int: "INT64", float: "FP64"}
    return {
        "id": "7",
        "inputs": [
            {"name": name, "shape": [len(data), 1], "datatype": datatypes[type(data[0])], "data": data}
            for name, data in columns.items()
        ],
    }


def _told(data: list[Any], shape: list[int] | None = None, **more: Any) -> dict[str, Any]:
    """What MLServer answers."""
    output = {"name": "predict", "shape": shape or [len(data), 1], "datatype": "FP64", "data": data, **more}
    return {"model_name": "child", "model_version": None, "id": "7", "parameters": {}, "outputs": [output]}


def test_a_house_becomes_what_the_model_takes(listing: ModelProcess) -> None:
    answer = listing.post({"data": {"ndarray": [LISTING["example"]]}}, "/transform-input")
    assert answer.json()["data"] == {"names": list(FEATURES), "ndarray": [HOUSE]}
    names, cells = LISTING["takes"], LISTING["example"]
    by_name = {"data": {"names": names[::-1], "ndarray": [cells[::-1]]}, "meta": {"tags": {"mine": 1}}}
    answer = listing.post(by_name, "/transform-input").json()
    assert (answer["data"]["ndarray"], answer["meta"]["tags"]) == ([HOUSE], {"mine": 1})
    (told,) = listing.call("Transformer", "TransformInput", ndarray([cells], *names)).data.ndarray
    assert list(told) == HOUSE


def test_the_model_prices_it(listing: ModelProcess, server: ModelProcess) -> None:
    """The executor hands on what the transformer has answered as it is."""
    answer = listing.post({"data": {"ndarray": [LISTING["example"]]}}, "/transform-input")
    priced = requests.post(
        f"{server.url}/predict", answer.content, headers={"Content-Type": "application/json"}, timeout=9
    )
    assert priced.json()["data"]["ndarray"] == server.prices(np.array([HOUSE]))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"living_m2": 100}, "house 0: address does not end in a zip code, as in Burien, WA 98168"),
        ({"address": "98168"}, "house 0: living_m2 is missing"),
        (
            {"living_m2": "about 100", "address": "98168"},
            'house 0: living_m2 is "about 100"; write a number, as in 124.5',
        ),
        ({"living_m2": 1e8, "address": "98168"}, 'house 0: living_m2 is "100000000.0"; write a number, as in 124.5'),
        ({"living_m2": 9, "address": "98168", "view": "sea"}, 'house 0: view is "sea"; known are none, fair, average'),
        ({"living_ft2": 9}, "the columns must be some of bedrooms, bathrooms, living_m2,"),
    ],
)
def test_a_house_that_cannot_be_read(listing: ModelProcess, columns: dict[str, Any], said: str) -> None:
    answer = listing.post({"data": {"names": list(columns), "ndarray": [list(columns.values())]}}, "/transform-input")
    assert answer.status_code == 400
    assert answer.json()["status"]["info"].startswith(said)


def test_what_an_advertisement_leaves_out(listing: ModelProcess) -> None:
    message = {"data": {"names": ["address", "living_m2"], "ndarray": [["12 Road, WA 98168-1234", "100.5 m²"]]}}
    (row,) = listing.post(message, "/transform-input").json()["data"]["ndarray"]
    living = round(100.5 * SQUARE_FEET)
    assert row == [3, 2, living, living, 7, 1, 0, round(715 * SQUARE_FEET), 0, 98168]


def test_a_transformer_of_the_open_protocol(listing: ModelProcess) -> None:
    asked = _columns(living_m2=[124.5, 80.0], address=["Burien, WA 98168", "98002"])
    answer = listing.post(asked, "/v2/models/node/infer").json()
    assert (answer["model_name"], answer["id"]) == ("node", "7")
    assert [output["name"] for output in answer["outputs"]] == list(FEATURES)
    assert answer["outputs"][9] == {"name": "zipcode", "shape": [2, 1], "datatype": "FP64", "data": [98168, 98002]}
    described = requests.get(f"{listing.url}/v2/models/node", timeout=5).json()
    assert json.loads(described["parameters"]["example"]) == LISTING["example"]
    assert [one["name"] for one in described["inputs"]] == LISTING["takes"]
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/node/ready"):
        assert requests.get(listing.url + path, timeout=5).ok
    for path in ("/predict", "/aggregate", "/v2/models/other/infer"):
        assert listing.post(asked, path).status_code == 404


def test_an_average_of_the_open_protocol(average: ModelProcess) -> None:
    answer = average.post([_told([5.0, 6.0]), _told([6.0, 7.0])], "/v2/models/node/aggregate")
    output = {"name": "predict", "shape": [2, 1], "datatype": "FP64", "data": [5.5, 6.5]}
    assert answer.json() == {"model_name": "node", "id": "7", "outputs": [output]}
    several = [_told([0.2, 0.8], [1, 2]), _told([0.4, 0.6], [1, 2], parameters={"content_type": "np"})]
    (told,) = average.post(several, "/v2/models/node/aggregate").json()["outputs"]
    assert (told["shape"], told["data"]) == ([1, 2], pytest.approx([0.3, 0.7]))


def test_an_average_of_seldons_protocol(average: ModelProcess) -> None:
    def told(price: float) -> dict[str, Any]:
        return {"data": {"names": [], "ndarray": [price]}, "meta": {"tags": {f"p{price:.0f}": 1}}}

    answer = average.post([told(1), told(4)], "/aggregate").json()
    assert (answer["data"]["ndarray"], answer["meta"]["tags"]) == ([2.5], {"p1": 1, "p4": 1})
    sent = prediction_pb2.SeldonMessageList(seldonMessages=[tensor(np.array([[1.0]])), tensor(np.array([[4.0]]))])
    assert list(average.call("Combiner", "Aggregate", sent).data.tensor.values) == [2.5]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([], f"there are 0 answers to combine; send from 1 to {MAX_CHILDREN}"),
        ([{}] * (MAX_CHILDREN + 1), f"there are {MAX_CHILDREN + 1} answers to combine; send from 1 to {MAX_CHILDREN}"),
        ({}, "the body is not a Seldon message: Expected `array`, got `object`"),
        (b"[", "the body is not JSON: "),
        ([{}], "an answer to combine is no inference response: Object missing required field `outputs`"),
        ([{"outputs": []}], "outputs is empty: send at least one tensor"),
        ([_told([1.0]), _told([1.0, 2.0])], "the answers to average have different shapes: (1, 1), (2, 1)"),
        ([_told([1.0], [3, 1])], "tensor predict has 1 values, which do not fill the shape [3, 1]"),
        ([_told([], [0, 1000000000000])], "tensor predict has 0 values, which do not fill the shape"),
        ([_told([1.0], [1, 1, 1])], "tensor predict has the shape [1, 1, 1]: one dimension, or two"),
        ([_told(["a"])], "tensor predict holds what is not of FP64"),
        ([_told([None])], "an answer to average holds no numbers"),
        ([_told([True, 1.0])], "tensor predict has true or false among numbers: send 1 or 0"),
        ([_told([1.0], datatype="FP8")], "tensor predict is of FP8; known are FP64,"),
    ],
)
def test_what_cannot_be_averaged(average: ModelProcess, sent: object, said: str) -> None:
    answer = average.post(sent, "/v2/models/node/aggregate")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(said)


def test_bounds(average: ModelProcess) -> None:
    large = average.post(b"[" + b" " * (1 << 20) + b"]", "/v2/models/node/aggregate")
    assert (large.status_code, large.json()["error"]) == (413, f"the body is larger than {1 << 20} bytes")
    most = _told([1.5] * 60_000)
    assert average.post([most, most], "/v2/models/node/aggregate").json()["outputs"][0]["data"] == [1.5] * 60_000
    assert requests.get(f"{average.url}/v2/models/node/aggregate", timeout=5).status_code == 405


@pytest.mark.parametrize(("route", "is_one"), [(0, True), (1, True), (-1, True), (-2, True), (-3, False), (0.5, False)])
def test_routes(unit: Callable[[str], ModelProcess], route: float, is_one: bool) -> None:
    router = unit("seldon_classes.Router")
    answer = router.post({"data": {"ndarray": [[route]]}}, "/route")
    assert answer.ok == is_one
    tensors = {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [route]}]}
    openly = router.post(tensors, "/v2/models/node/route")
    assert openly.ok == is_one
    if is_one:
        assert answer.json()["data"]["ndarray"] == [[route]]
        assert openly.json() == [route], "the executor takes the first of a list"
        (told,) = router.call("Router", "Route", ndarray([[route]])).data.ndarray
        assert isinstance(told, ListValue)
        assert list(told) == [route]


def test_an_output_transformer(unit: Callable[[str], ModelProcess]) -> None:
    doubling = unit("seldon_classes.Doubling")
    assert doubling.post({"data": {"ndarray": [[2]]}}, "/transform-output").json()["data"]["ndarray"] == [[4]]
    # What a model has answered is sent as inputs.
    chained = {**_told([2.0]), "inputs": _told([2.0])["outputs"]}
    (told,) = doubling.post(chained, "/v2/models/node/infer").json()["outputs"]
    assert told == {"name": "predict", "shape": [1, 1], "datatype": "FP64", "data": [4.0]}
    assert doubling.call("OutputTransformer", "TransformOutput", tensor(np.array([[2.0]]))).data.tensor.values[0] == 4
