"""What a pod asks of stores outside: with a driver that stands in, the real S3 client, and a store of a few lines."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

PROJECT = Path(__file__).parents[3]
USERS = ("tracking", "serving", "training")
WRONG = 'connection to server at "db", port 5432 failed: FATAL:  password authentication failed for user "mlflow"'


class Store(BaseHTTPRequestHandler):
    """An S3 store whose users may do everything but what `refusals` says: (user, method) to (status, code)."""

    # The client waits for its "100 Continue".
    protocol_version = "HTTP/1.1"
    refusals: dict[tuple[str, str], tuple[int, str]]
    # Of the folder of copies.
    copy_refusals: dict[tuple[str, str], tuple[int, str]]
    objects: dict[str, bytes]
    requests: list[str]

    def answer(self) -> None:
        """Lists nothing, and keeps what it is given."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        user = re.search("Credential=([^/]*)/", self.headers["Authorization"])
        path, _, query = self.path.partition("?")
        method = "LIST" if "list-type" in query else self.command
        self.requests.append(f"{user and user[1]} {method} {path.split('-check-')[0]}")
        copies = "/copies/" in path or "prefix=copies" in query
        refused = (self.copy_refusals if copies else self.refusals).get((user[1] if user else "", method))
        if refused is None and method == "GET" and path not in self.objects:
            refused = (404, "NoSuchKey")
        if method == "PUT" and refused is None:
            self.objects[path] = body
        if method == "DELETE" and refused is None:
            self.objects.pop(path, None)
        status, code = refused or (200, "")
        text = f"<Error><Code>{code}</Code><Message>no.</Message></Error>" if code else "<ListBucketResult/>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    """Of the store, which is as good as a database for who only connects."""
    Store.refusals, Store.copy_refusals, Store.objects, Store.requests = {}, {}, {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_port
        server.shutdown()


class Driver(ModuleType):
    """A driver of a database that says `refusal` to who connects, and `said` to who makes a table."""

    Error = type("Error", (Exception,), {})
    OperationalError = type("OperationalError", (Error,), {})
    refusal = said = ""
    owners: tuple[tuple[str], ...] = ()
    kept: list[str]

    def connect(self, **_: object) -> Driver:
        """Is its own connection."""
        if self.refusal:
            raise self.OperationalError(self.refusal)
        return self

    def cursor(self) -> Driver:
        """Is its own cursor."""
        return self

    def execute(self, statement: str) -> None:
        """Takes a statement."""
        if statement.startswith("CREATE"):
            self.kept.append(statement)
            if self.said:
                raise self.Error(self.said)

    def rollback(self) -> None:
        """Forgets what was made."""
        self.kept.clear()

    def fetchall(self) -> tuple[tuple[str], ...]:
        """Whose the tables are."""
        return self.owners

    def close(self) -> None:
        """Ends it."""


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    stand_in = Driver("psycopg2")
    stand_in.kept = []
    monkeypatch.setitem(sys.modules, "psycopg2", stand_in)
    return stand_in


Ask = Callable[..., list[dict[str, str]]]


@pytest.fixture
def ask(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], port: int
) -> Ask:
    """Runs the script, with another address than that of what stands in if one is given."""
    for folder in ("cli/preflight", "components/tracking"):
        monkeypatch.syspath_prepend(str(PROJECT / folder))
    for name in ("stores", "migration"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    stores = import_module("stores")
    monkeypatch.setattr(stores, "PATIENCE_SECONDS", 0)

    def run(*, database: dict[str, Any] | None = None, store: dict[str, Any] | None = None) -> list[dict[str, str]]:
        address = {"host": "127.0.0.1", "port": port}
        log_in = {"name": "db", "username": "mlflow", "password": "secret"}
        buckets = {"region": "here", "modelBucket": "models", "dataBucket": "data", "copiesFolder": "copies"}
        users = {name: {"accessKeyId": name, "secretAccessKey": "secret"} for name in USERS}
        endpoint = {"endpoint": f"http://127.0.0.1:{port}"}
        file = tmp_path / "question.json"
        asked = {
            "database": None if database is None else address | log_in | database,
            "store": None if store is None else buckets | endpoint | {"users": users} | store,
        }
        file.write_text(json.dumps(asked))
        monkeypatch.setattr(sys, "argv", ["stores.py", str(file)])
        stores.main()
        out, _ = capsys.readouterr()
        assert "secret" not in out
        facts: list[dict[str, str]] = json.loads(out.splitlines()[-1])["facts"]
        return facts

    return run


def told(facts: list[dict[str, str]], *keys: str) -> list[tuple[str, ...]]:
    return [tuple(one.get(key, "") for key in keys) for one in facts]


def test_nothing_is_wrong_and_nothing_is_left(ask: Ask, driver: Driver) -> None:
    assert ask(database={}, store={}) == []
    assert (driver.kept, Store.objects) == ([], {})
    assert Store.requests == [
        "tracking LIST /models",
        "tracking PUT /models/mlflow/mlplatform",
        "tracking GET /models/mlflow/mlplatform",
        "serving LIST /models",
        "serving GET /models/mlflow/mlplatform",
        "training LIST /data",
        "training GET /data/mlplatform-check",
        "tracking DELETE /models/mlflow/mlplatform",
        "training PUT /data/copies/mlplatform-check",
        "tracking LIST /data",
        "tracking GET /data/copies/mlplatform-check",
        "tracking DELETE /data/copies/mlplatform-check",
    ]


def test_what_is_not_outside_is_not_asked(ask: Ask, driver: Driver) -> None:
    driver.refusal = WRONG
    assert (ask(store={}), len(Store.requests) > 0) == ([], True)
    Store.requests.clear()
    assert told(ask(database={}), "fault") == [("login",)]
    assert Store.requests == []


@pytest.mark.parametrize("kind", ["database", "store"])
def test_unknown_names_and_closed_ports_are_told_apart(ask: Ask, kind: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        closed = silent.getsockname()[1]
        for host, port, fault in [("nowhere.invalid", 1, "name"), ("127.0.0.1", closed, "closed")]:
            place = {"host": host, "port": port} if kind == "database" else {"endpoint": f"https://{host}:{port}"}
            facts = ask(**{kind: place})
            assert told(facts, "about", "fault") == [(kind, fault)]
            assert facts[0]["said"]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (WRONG, "login"),
        ('FATAL:  role "mlflow" does not exist', "login"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x", database "db", no encryption', "login"),
        ('FATAL:  database "db" does not exist', "database"),
        ("FATAL:  sorry, too many clients already", "busy"),
        ("server closed the connection unexpectedly", "other"),
    ],
)
def test_database_that_refuses(ask: Ask, driver: Driver, said: str, fault: str) -> None:
    driver.refusal = f"{said}\nHINT:  none"
    assert told(ask(database={}), "about", "fault", "said") == [("database", fault, said)]


def test_schema_that_takes_no_tables_or_has_another_owner(ask: Ask, driver: Driver) -> None:
    driver.said = "no schema has been selected to create in\nLINE 1: CREATE"
    assert told(ask(database={}), "fault", "said") == [("schema", "no schema has been selected to create in")]
    driver.said, driver.owners = "", (("postgres",),)
    assert told(ask(database={}), "fault", "said") == [("owner", "postgres")]
    assert driver.kept == []


def test_refused_user_is_asked_no_more_and_the_others_are(ask: Ask) -> None:
    Store.refusals = {("tracking", "LIST"): (403, "InvalidAccessKeyId"), ("training", "LIST"): (404, "NoSuchBucket")}
    assert told(ask(store={}), "about", "fault", "bucket", "said") == [
        ("tracking", "login", "models", "InvalidAccessKeyId: no"),
        ("training", "bucket", "data", "NoSuchBucket: no"),
    ]
    assert [one.split(" /")[0] for one in Store.requests] == [
        "tracking LIST",
        "serving LIST",
        "serving GET",
        "training LIST",
    ]


@pytest.mark.parametrize(
    ("user", "method", "right"),
    [
        ("tracking", "LIST", "list"),
        ("tracking", "PUT", "write"),
        ("tracking", "GET", "read"),
        ("tracking", "DELETE", "delete"),
        ("serving", "LIST", "list"),
        ("serving", "GET", "read"),
        ("training", "LIST", "list"),
        ("training", "GET", "read"),
    ],
)
def test_each_right_that_is_missing_is_told(ask: Ask, user: str, method: str, right: str) -> None:
    Store.refusals = {(user, method): (403, "AccessDenied")}
    facts = ask(store={})
    assert told(facts, "about", "fault", "right") == [(user, "forbidden", right)]
    left = [key.removeprefix("/models/") for key in Store.objects]
    assert left == ([facts[0]["key"]] if method == "DELETE" else [])


@pytest.mark.parametrize(
    ("user", "method", "right"),
    [
        ("training", "PUT", "write"),
        ("tracking", "LIST", "list"),
        ("tracking", "GET", "read"),
        ("tracking", "DELETE", "delete"),
    ],
)
def test_each_right_to_copies_that_is_missing_is_told(ask: Ask, user: str, method: str, right: str) -> None:
    for refusal in ((403, "AccessDenied"), (501, "NotImplemented"), (405, "MethodNotAllowed")):
        Store.copy_refusals, Store.objects = {(user, method): refusal}, {}
        facts = ask(store={})
        assert told(facts, "about", "fault", "bucket", "folder", "right") == [
            (user, "forbidden", "data", "copies/", right)
        ]
        left = [key.removeprefix("/data/") for key in Store.objects]
        assert left == ([facts[0]["key"]] if method == "DELETE" else [])


@pytest.mark.parametrize(
    ("refusal", "fault"),
    [
        ((403, "RequestTimeTooSkewed"), "clock"),
        ((400, "AuthorizationHeaderMalformed"), "region"),
        ((400, "Nonsense"), "other"),
    ],
)
def test_store_that_nobody_can_use_is_told_once(ask: Ask, refusal: tuple[int, str], fault: str) -> None:
    Store.refusals = {(user, "LIST"): refusal for user in USERS}
    assert told(ask(store={}), "about", "fault") == [("store", fault)]


def test_plain_server_at_an_https_address(ask: Ask, port: int) -> None:
    facts = ask(store={"endpoint": f"https://127.0.0.1:{port}"})
    assert told(facts, "about", "fault") == [("store", "other")]
    assert "SSL" in facts[0]["said"]
