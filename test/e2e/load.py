"""Asks a model for predictions, steadily and by several clients, and counts how it goes; one JSON line a second.

Half of the clients keep their connection for as long as the server does, the others open one for each request: a
Service chooses a pod per connection, so both ways meet a version that comes and one that goes.
"""

import http.client
import json
import os
import select
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

URL = urlsplit(os.environ["URL"])
BODY = os.environ["BODY"]
CLIENTS = 4
PAUSE = float(os.environ.get("PAUSE", "0.02"))
HEADERS = {"Content-Type": "application/json"}

outcomes: Counter[str] = Counter()
answers: dict[str, dict[str, float]] = {}
lock = threading.Lock()


def ask(connection: http.client.HTTPConnection) -> tuple[str, str | None]:
    """One request: how it went, and what was answered, which tells the versions of a model apart."""
    try:
        connection.request("POST", URL.path, BODY, HEADERS)
        response = connection.getresponse()
        text = response.read()
    except ConnectionRefusedError:
        return "refused", None
    except (OSError, http.client.HTTPException) as error:
        return f"broken: {type(error).__name__}", None
    if response.status != http.client.OK:
        return f"status {response.status}", None
    answer = json.loads(text)
    values = answer["outputs"][0]["data"] if "outputs" in answer else answer["data"]["ndarray"]
    return "answered", json.dumps(values)


def count(outcome: str, answer: str | None) -> None:
    """Note how a request went, and when an answer came first and last."""
    now = time.time()
    with lock:
        outcomes[outcome] += 1
        if answer is not None:
            seen = answers.setdefault(answer, {"count": 0, "first": now, "last": now})
            seen["count"] += 1
            seen["last"] = now


def closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed it while nothing was asked, which common clients look for before they ask."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])


def client(keep: bool) -> None:
    """Asks for ever."""
    connection = http.client.HTTPConnection(URL.hostname or "", URL.port, timeout=10)
    while True:
        # The next request opens it again.
        if not keep or closed(connection):
            connection.close()
        outcome, answer = ask(connection)
        count(outcome, answer)
        if outcome != "answered":
            connection.close()
        time.sleep(PAUSE)


for number in range(CLIENTS):
    threading.Thread(target=client, args=(number % 2 == 0,), daemon=True).start()
while True:
    time.sleep(1)
    with lock:
        print(json.dumps({"now": time.time(), "outcomes": outcomes, "answers": answers}), flush=True)
