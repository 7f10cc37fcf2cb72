"""The front end's page makes its form of what a server tells: of all these models, whatever their signatures."""

from __future__ import annotations

import pytest

from frontend import client
from frontend.listed import Listed
from frontend.signature import read_row, shown
from others import NAMES, Others
from standard_server import Server


def listed(server: Server) -> Listed:
    """The server's model as the page has it listed."""
    return Listed("wine", "v2", f"http://127.0.0.1:{server.port}", "wine")


@pytest.mark.parametrize("name", NAMES)
def test_example_goes_through_the_form_and_is_answered(others: Others, name: str) -> None:
    model = listed(others.servers[name])
    description = client.describe(model)
    assert description.fields
    assert len(description.example) == len(description.fields), "it has none"
    row = read_row(description.fields, [shown(value) for value in description.example])
    assert row == list(description.example)
    answer = client.predict(model, description, [row])
    assert len(answer.rows) == 1


def test_model_with_a_record(server: Server) -> None:
    model = listed(server)
    description = client.describe(model)
    assert len(client.predict(model, description, [description.example] * 2).rows) == 2
    assert client.healths([model])[0].problem is None
