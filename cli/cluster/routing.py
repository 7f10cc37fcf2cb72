"""Finds out, in a pod, whether names of the cluster are resolved and which addresses take a connection.

The question is a file of JSON, the only argument; the answer is one line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

CONNECT_SECONDS = 3
LOOKUP_SECONDS = 8


def unresolved(name: str) -> str:
    """Why a name has no address; empty if it has one."""
    try:
        socket.getaddrinfo(name, None)
    except OSError as error:
        return str(error.strerror)
    return ""


def answers(address: str) -> bool:
    """Whether a port takes a connection; a Service may just be changing, so it is asked twice."""
    host, _, port = address.rpartition(":")
    for pause in (1, 0):
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
            return True
        except OSError:
            time.sleep(pause)
    return False


def outcome(lookup: Future[str], deadline: float) -> str:
    """The outcome of a lookup. The system's own may take longer than anybody waits."""
    try:
        return lookup.result(max(0, deadline - time.monotonic()))
    except TimeoutError:
        return f"no answer within {LOOKUP_SECONDS} s"


def main() -> None:
    """Answers the question."""
    question = json.loads(Path(sys.argv[1]).read_text())
    deadline = time.monotonic() + LOOKUP_SECONDS
    pool = ThreadPoolExecutor(max_workers=64)
    lookups = {name: pool.submit(unresolved, name) for name in question["names"]}
    open_ports = pool.map(answers, question["addresses"])
    reached = [address for address, answer in zip(question["addresses"], open_ports, strict=True) if answer]
    said = {name: outcome(lookup, deadline) for name, lookup in lookups.items()}
    unknown = {name: why for name, why in said.items() if why}
    sys.stdout.write(json.dumps({"unknown": unknown, "reached": reached}) + "\n")
    sys.stdout.flush()
    # A lookup that still waits would hold the program.
    os._exit(0)


if __name__ == "__main__":
    main()
