"""What people see of the page, without a browser."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from frontend.listed import Listed
from stand_ins import Answering, StandIn, churn, digit, prices

Serve = Callable[[Answering], StandIn]
ListModels = Callable[..., None]

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR4nGM8wQABTAwUMQA6AADYhMgK6QAAAABJRU5ErkJggg=="
)


def page(name: str) -> AppTest:
    source = f"from frontend.views import {name}\n{name}.show()\n"
    return AppTest.from_string(source, default_timeout=20).run()


def texts(app: AppTest) -> str:
    """All that is told, without what keeps it from being taken for Markdown."""
    parts = [app.error, app.warning, app.info, app.text, app.caption, app.metric, app.title]
    return "\n".join(f"{getattr(one, 'label', '')} {one.value}" for part in parts for one in part).replace("\\", "")


@pytest.fixture
def price(serve: Serve) -> Listed:
    return Listed("price", "seldon", serve(prices).address, "price", "7", ("R²", 0.654321))


def test_models_with_score_health_and_latency(serve: Serve, list_models: ListModels, price: Listed) -> None:
    down = serve(prices)
    list_models(price, Listed("<i>down</i>", "seldon", down.address, "x"))
    down.stop()
    app = page("models")
    assert not app.exception
    rows = app.table[0].value.map(lambda cell: cell.replace("\\", "")).to_dict("records")
    assert rows[0]["Model"] == "price"
    assert rows[0]["Version"] == "7"
    assert rows[0]["Score"] == "R² 0.654"
    assert [row["Health"] for row in rows] == ["answers", "does not answer"]
    # As Streamlit gets it, it is no HTML.
    assert app.table[0].value["Model"][1] == "\\<i\\>down\\</i\\>"
    assert "nothing listens at" in texts(app)


def test_no_model_and_no_list(list_models: ListModels, monkeypatch: pytest.MonkeyPatch) -> None:
    list_models()
    assert "No model is in service yet" in texts(page("models"))
    monkeypatch.delenv("MLPLATFORM_FRONTEND_MODELS")
    assert "The list of models cannot be read" in texts(page("one"))


def test_form_has_the_example_and_predicts(list_models: ListModels, price: Listed) -> None:
    list_models(price)
    app = page("one")
    assert [one.value for one in app.text_input] == ["3", "80.5"]
    # A name of the model's is no HTML.
    assert app.text_input[1].label == "area \\<b\\>m²\\</b\\>"
    assert "price version 7, R² 0.654 on its test rows" in texts(app)
    app.text_input[0].set_value("4")
    app.button[1].click().run()
    assert app.metric[0].value.replace("\\", "") == "4,080.50"
    app.button[0].click().run()
    assert app.text_input[0].value == "3"


def test_wrong_input_is_told_before_and_by_the_model(list_models: ListModels, price: Listed) -> None:
    list_models(price)
    app = page("one")
    app.text_input[0].set_value("many")
    app.button[1].click().run()
    assert "rooms is “many”, which is no number." in texts(app)
    app.text_input[0].set_value("-1")
    app.button[1].click().run()
    assert "price does not take this: row 0, column 0 is -1: there are no negative rooms" in texts(app)
    assert not app.exception


def test_server_that_goes_while_somebody_looks(serve: Serve, list_models: ListModels) -> None:
    server = serve(prices)
    list_models(Listed("price", "seldon", server.address, "price"))
    app = page("one")
    server.answering = lambda *_: (503, b"")
    app.button[1].click().run()
    assert "price is not ready (HTTP 503)." in texts(app)
    assert not app.exception


def test_form_of_texts_and_truths(serve: Serve, list_models: ListModels) -> None:
    server = serve(churn)
    list_models(Listed("churn", "v2", server.address, "churn"))
    app = page("one")
    assert [one.value for one in app.text_input] == ["1.5", "gold", ""]
    assert [one.value for one in app.selectbox] == ["churn", "true"]
    app.selectbox[1].select("false")
    app.button[1].click().run()
    assert app.metric[0].value == "3"
    assert server.asked[-1][1]["inputs"][2]["data"] == [False]
    assert server.asked[-1][1]["inputs"][3]["data"] == [None]


def test_picture(serve: Serve, list_models: ListModels) -> None:
    server = serve(digit)
    list_models(Listed("digit", "seldon", server.address, "digit"))
    app = page("one")
    app.file_uploader[0].upload("seven.png", PNG, "image/png").run()
    assert not app.exception
    assert app.metric[0].value == "yes"
    assert "with a probability of 75.0%" in texts(app)
    assert base64.b64decode(server.asked[-1][1]["binData"]) == PNG
    server.answering = lambda path, body: digit(path, body) if body is None else (400, {"status": {"info": "animated"}})
    app.file_uploader[0].upload("other.png", PNG, "image/png").run()
    assert "digit does not take this: animated" in texts(app)
    # Whatever a model takes, what cannot be shown here is not.
    server.answering = digit
    app.file_uploader[0].upload("cut.png", PNG[:40], "image/png").run()
    assert not app.exception
    assert app.metric[0].value == "yes"


def test_table_is_scored_with_rejected_rows(list_models: ListModels, price: Listed) -> None:
    list_models(price)
    app = page("table")
    rows = "\n".join(f"{at},{at * 2},=x" for at in range(1, 1001))
    content = f"rooms,area <b>m²</b>,note\n{rows}\n-5,1,a\nmany,1,b\n"
    app.file_uploader[0].upload("rows.csv", content.encode(), "text/csv").run()
    assert not app.exception
    assert "1,000 rows answered, 2 rejected" in texts(app)
    answered, rejected = app.dataframe[0].value, app.dataframe[1].value
    assert answered["price"].tolist()[:2] == [1002, 2004]
    assert rejected.to_dict("records") == [
        {"line": 1002, "reason": "column 0 is -5: there are no negative rooms"},
        {"line": 1003, "reason": "rooms is “many”, which is no number"},
    ]


def test_file_that_is_no_table_is_told(list_models: ListModels, price: Listed) -> None:
    list_models(price)
    app = page("table")
    app.file_uploader[0].upload("rows.csv", b"a,b\n1,2\n", "text/csv").run()
    assert "The rows lack what price takes: rooms" in texts(app)


def test_two_models_on_the_same_rows(serve: Serve, list_models: ListModels, price: Listed) -> None:
    dear = serve(lambda path, body: _dearer(*prices(path, body)))
    list_models(price, Listed("dear", "seldon", dear.address, "dear"))
    app = page("compare")
    assert not app.exception
    assert [one.value for one in app.selectbox] == ["price", "dear"]
    assert app.metric[0].value == "10"
    assert app.dataframe[0].value.to_dict("records") == [
        {"line": 2, "price": 3080.5, "dear": 3090.5, "difference": 10.0}
    ]
    app.radio[0].set_value("a CSV file").run()
    app.file_uploader[0].upload("rows.csv", "rooms,area <b>m²</b>\n1,2\n-1,2\n".encode(), "text/csv").run()
    assert "1 rows answered by both, 1 rejected by one of them" in texts(app)
    assert "dear rejects line 3" in texts(app)


def test_models_called_as_the_other_columns(serve: Serve, list_models: ListModels) -> None:
    server = serve(prices)
    list_models(*(Listed(name, "seldon", server.address, "price") for name in ("line", "difference")))
    app = page("compare")
    assert not app.exception
    assert app.dataframe[0].value.to_dict("records") == [
        {"line": 2, "line (model)": 3080.5, "difference (model)": 3080.5, "difference": 0.0}
    ]


def _dearer(status: int, said: Any) -> tuple[int, Any]:
    if "ndarray" in said.get("data", {}):
        said["data"]["ndarray"] = [value + 10 for value in said["data"]["ndarray"]]
    return status, said
