"""Pages in browsers: their scripts may read answers where their origin is named, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from model_process import ModelProcess
from modelserver import server as command
from modelserver.errors import ModelError

Start = Callable[..., ModelProcess]
PAGE = "https://app.example.com"


def ask(server: ModelProcess, method: str, origin: str) -> requests.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    message = {"data": {"ndarray": [[1]]}}
    return requests.request(method, f"{server.url}/predict", json=message, headers=headers, timeout=10)


def test_no_page_may_read_answers_unless_it_is_named(server: ModelProcess) -> None:
    for method in ("POST", "OPTIONS"):
        answer = ask(server, method, PAGE)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert answer.status_code == 405


def test_pages_that_are_named(start: Start) -> None:
    server = start("seldon_classes.Plain", MODELSERVER_CORS_ORIGINS=f"{PAGE}, http://localhost:3000")
    server.wait_until_ready()
    for origin in (PAGE, "http://localhost:3000"):
        answer = ask(server, "POST", origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
        assert answer.headers["vary"] == "origin"
        allowed = ask(server, "OPTIONS", origin)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, origin)
        assert "POST" in allowed.headers["access-control-allow-methods"]
        assert allowed.headers["access-control-allow-headers"] == "content-type"
    for origin in ("https://app.example.com.evil.org", "http://app.example.com", "null", ""):
        for method in ("POST", "OPTIONS"):
            answer = ask(server, method, origin)
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["vary"] == "origin"
    # What is refused tells the page why.
    refused = requests.post(f"{server.url}/predict", b"x", headers={"Origin": PAGE}, timeout=10)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, PAGE)


def test_all_pages(start: Start) -> None:
    server = start("seldon_classes.Plain", MODELSERVER_CORS_ORIGINS="*")
    server.wait_until_ready()
    assert ask(server, "POST", PAGE).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("text", ["example.com", "https://", "https://a/b", "https://u@a", "https://a, b"])
def test_origins_that_are_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MODELSERVER_CORS_ORIGINS", text)
    with pytest.raises(ModelError, match="which is no origin as in"):
        command._origins()
