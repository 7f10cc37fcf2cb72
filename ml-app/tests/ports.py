"""Ports for servers that are processes of their own."""

from __future__ import annotations

import random
import socket

_candidates = iter(random.sample(range(10_000, 32_000), 3_000))


def free_port() -> str:
    """A port that nobody gets by chance while a server takes its seconds to start: none that the kernel hands out."""
    for port in _candidates:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return str(port)
    raise AssertionError("there is no free port")
