"""Asks several addresses in turns, each request as soon as the answer to the last is there; one JSON line of figures.

One client: several of Python's in a process would measure themselves. In rounds, so that all addresses meet the cluster
in the same states.
"""

import http.client
import json
import os
import time
from urllib.parse import urlsplit

ASKED = json.loads(os.environ["ASKED"])
SECONDS = float(os.environ["SECONDS"])
ROUNDS = 3
HEADERS = {"Content-Type": "application/json"}


class Place:
    """An address, and how long its answers took in milliseconds."""

    def __init__(self, name: str, url: str, body: str) -> None:
        self.name = name
        self._url = urlsplit(url)
        self._body = body.encode()
        self.took: list[float] = []
        self.failures = 0
        self.failure = ""

    def ask(self, seconds: float) -> None:
        """Ask for so long, on a connection that is kept."""
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=10)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            try:
                connection.request("POST", self._url.path, self._body, HEADERS)
                response = connection.getresponse()
                text = response.read()
                failure = "" if response.status == http.client.OK else f"{response.status}: {text[:200]!r}"
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)[:200]
                connection.close()
            if failure:
                self.failures += 1
                self.failure = self.failure or failure
                time.sleep(0.1)
            else:
                self.took.append((time.perf_counter() - began) * 1000)

    def figures(self) -> dict[str, float | str]:
        """The median and the slowest hundredth, in milliseconds; and what went wrong."""
        took = sorted(self.took) or [0.0]
        middle, slow = (took[int((len(took) - 1) * share)] for share in (0.5, 0.99))
        return {"p50": middle, "p99": slow, "failures": self.failures, "failure": self.failure}


places = [Place(**one) for one in ASKED]
for place in places:
    place.ask(SECONDS / 2)
    place.took = []
for _ in range(ROUNDS):
    for place in places:
        place.ask(SECONDS)
print(json.dumps({place.name: place.figures() for place in places}))
