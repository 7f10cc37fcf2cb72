"""Asks several addresses in turns, each request as soon as the answer to the last is there; one JSON line of figures.

Addresses are asked by one client, then by several at once, in rounds, so that all meet the cluster in the same states.
"""

import http.client
import json
import os
import threading
import time
from urllib.parse import urlsplit

ASKED = json.loads(os.environ["ASKED"])
SECONDS = float(os.environ["SECONDS"])
ROUNDS = 3
CLIENTS = (1, 4)
HEADERS = {"Content-Type": "application/json"}


class Place:
    """An address, and how long its answers took in milliseconds, by the number of clients."""

    def __init__(self, name: str, url: str, body: str) -> None:
        self.name = name
        self._url = urlsplit(url)
        self._body = body.encode()
        self.took: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
        self.failures: list[str] = []

    def ask(self, clients: int, seconds: float) -> None:
        """As many clients ask at once, each on a connection that it keeps."""
        end = time.perf_counter() + seconds
        threads = [threading.Thread(target=self._client, args=(end, self.took[clients])) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _client(self, end: float, took: list[float]) -> None:
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=10)
        while (began := time.perf_counter()) < end:
            try:
                connection.request("POST", self._url.path, self._body, HEADERS)
                response = connection.getresponse()
                text = response.read()
                failure = None if response.status == http.client.OK else f"{response.status}: {text[:200]!r}"
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
                connection.close()
            if failure is None:
                took.append((time.perf_counter() - began) * 1000)
            else:
                self.failures.append(f"{self.name}: {failure}")

    def figures(self, clients: int) -> dict[str, float]:
        """Medians and the slowest hundredth, in milliseconds; requests a second."""
        took = sorted(self.took[clients])
        if not took:
            return {}
        middle, slow = (took[int((len(took) - 1) * share)] for share in (0.5, 0.99))
        return {"p50": middle, "p99": slow, "perSecond": clients * 1000 * len(took) / sum(took)}


places = [Place(**one) for one in ASKED]
for place in places:
    place.ask(1, SECONDS / 2)
    place.took = {clients: [] for clients in CLIENTS}
for _ in range(ROUNDS):
    for clients in CLIENTS:
        for place in places:
            place.ask(clients, SECONDS)
print(
    json.dumps(
        {
            "failures": [failure for place in places for failure in place.failures],
            "places": {place.name: {clients: place.figures(clients) for clients in CLIENTS} for place in places},
        }
    )
)
