"""Clients that others have written, as they come; those that this machine lacks are skipped."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from house_price.features import FEATURES
from model_process import HERE, ModelProcess, Rows

JAVA = """
import java.net.URI;
import java.net.http.*;

public class Ask {
    public static void main(String[] arguments) throws Exception {
        var client = HttpClient.newHttpClient();
        var body = HttpRequest.BodyPublishers.ofString(arguments[1]);
        var request = HttpRequest.newBuilder(URI.create(arguments[0])).POST(body).build();
        for (int i = 0; i < 3; i++) {
            var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.body());
        }
    }
}
"""


def needs(program: str) -> pytest.MarkDecorator:
    """Skips a test where a program is missing."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def run(*command: str, **how: object) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, **how).stdout  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def body(row: Rows) -> str:
    """A message with one row."""
    return json.dumps({"data": {"ndarray": row.tolist()}})


@needs("java")
def test_java(server: ModelProcess, row: Rows, body: str, tmp_path: Path) -> None:
    """It offers h2c with its first request."""
    source = tmp_path / "Ask.java"
    source.write_text(JAVA)
    answers = run("java", str(source), f"{server.url}/predict", body).splitlines()
    assert len(answers) == 3
    for answer in answers:
        status, _, content = answer.partition(" ")
        assert (status, json.loads(content)["data"]["ndarray"]) == ("200", server.prices(row))


@needs("curl")
@pytest.mark.parametrize(
    "how",
    [
        ["--http2", "--data"],
        ["--http1.0", "--data"],
        ["--http2", "-H", "Content-Type: application/json", "-H", "Transfer-Encoding: chunked", "--data"],
        ["-H", "Expect: 100-continue", "--data"],
        ["--data-urlencode"],
        ["-G", "--data-urlencode"],
        ["-F"],
    ],
    ids=" ".join,
)
def test_curl(server: ModelProcess, row: Rows, body: str, how: list[str]) -> None:
    form = how[-1] in {"--data-urlencode", "-F"}
    answer = run("curl", "-sS", "--fail-with-body", *how, f"json={body}" if form else body, f"{server.url}/predict")
    assert json.loads(answer)["data"]["ndarray"] == server.prices(row)


def test_seldons_tester(server: ModelProcess, tmp_path: Path) -> None:
    features = [{"name": name, "dtype": "FLOAT", "ftype": "continuous", "range": [1, 9]} for name in FEATURES]
    targets = [{"name": "price", "dtype": "FLOAT", "ftype": "continuous"}]
    contract = tmp_path / "contract.json"
    contract.write_text(json.dumps({"features": features, "targets": targets}))
    tester = (sys.executable, "-m", "seldon_core.microservice_tester")
    for port, more in ((server.rest, []), (server.rest, ["-t"]), (server.grpc, ["--grpc"])):
        told = run(*tester, str(contract), HERE, port, "-p", "-n", "2", *more)
        assert "house_price_predictions" in told, told
        assert "FAILURE" not in told, told
