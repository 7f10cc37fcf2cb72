"""Model servers that stand in for the real ones, in this process."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[str, Any], tuple[int, Any]]
"""What a server does: for a path and a body (None of a GET) a status, and what is answered, as JSON or as bytes."""


class StandIn:
    """A server of one model, at a free port."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.asked: list[tuple[str, Any]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: Any) -> None:
                stand_in.asked.append((self.path, body))
                status, said = stand_in.answering(self.path, body)
                content = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", content.decode())
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def prices(path: str, body: Any) -> tuple[int, Any]:
    """A model over Seldon's protocol: a price of two numbers, of which the rooms must not be negative."""
    if path.endswith("/metadata"):
        columns = {"names": ["rooms", "area <b>m²</b>"], "shape": [-1, 2]}
        return 200, {
            "name": "price",
            "versions": ["7"],
            "inputs": [{"messagetype": "ndarray", "schema": columns}],
            "outputs": [{"messagetype": "ndarray", "schema": {"names": ["price"], "shape": [-1]}}],
            "custom": {"example": "[3.0, 80.5]"},
        }
    if path.endswith("/health/status"):
        return 200, {"data": {}}
    rows = body["data"]["ndarray"]
    for at, (rooms, _) in enumerate(rows):
        if rooms < 0:
            info = f"row {at}, column 0 is {rooms}: there are no negative rooms"
            return 400, {"status": {"status": 1, "info": info, "code": -1, "reason": "MICROSERVICE_BAD_DATA"}}
    return 200, {"data": {"names": [], "ndarray": [rooms * 1000 + area for rooms, area in rows]}}


def digit(path: str, body: Any) -> tuple[int, Any]:
    """A model over Seldon's protocol that takes pictures, and tells two classes apart."""
    if path.endswith("/metadata"):
        return 200, {
            "versions": ["1"],
            "inputs": [
                {"messagetype": "ndarray", "schema": {"names": ["a", "b"], "shape": [-1, 2]}},
                {"messagetype": "binData"},
            ],
            "custom": {"example": "[1, 2]", "classes": '["no", "yes"]'},
        }
    if path.endswith("/health/status"):
        return 200, {}
    if "binData" in body:
        return 200, {"data": {"names": ["no", "yes"], "tensor": {"shape": [1, 2], "values": [0.25, 0.75]}}}
    return 200, {"data": {"names": ["no", "yes"], "ndarray": [[0.75, 0.25] for _ in body["data"]["ndarray"]]}}


def churn(path: str, body: Any) -> tuple[int, Any]:
    """A model over the protocol v2, of columns of four types, of which one may be left out."""
    if path == "/v2/models/churn/ready":
        return 200, b""
    if path == "/v2/models/churn":
        return 200, {
            "name": "churn",
            "versions": ["2"],
            "platform": "",
            "inputs": [
                {"name": "rooms", "datatype": "FP64", "shape": [-1, 1], "parameters": {"nullable": True}},
                {"name": "plan", "datatype": "BYTES", "shape": [-1, 1]},
                {"name": "active", "datatype": "BOOL", "shape": [-1, 1]},
                {"name": "calls", "datatype": "INT64", "shape": [-1, 1], "parameters": {"optional": True}},
            ],
            "parameters": {"example": '[1.5, "gold", true, null]'},
        }
    columns = {one["name"]: one["data"] for one in body["inputs"]}
    answers = [(rooms or 0) * 2 for rooms in columns["rooms"]]
    outputs = [{"name": "score", "datatype": "FP64", "shape": [len(answers), 1], "data": answers}]
    return 200, {"model_name": "churn", "outputs": outputs}
