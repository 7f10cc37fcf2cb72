"""The end of a pod of MLServer: its clients go elsewhere before it ends.

    python farewell.py

A hook before SIGTERM. MLServer's image may start it by a shell, which keeps SIGTERM to itself, so that it is killed
when its time is over; and at SIGTERM MLServer closes connections on which a request may be on its way. Either loses
requests. Here it waits until nobody is led to the pod any more, then each answer asks its client to close the
connection, and then it is ended.

It needs nothing but the standard library of Python 3.10.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

VARIABLE = "MLPLATFORM_PID_FILE"
"""Names the file with the number of MLServer's process. Without it nothing is written, and nobody is told."""

UNKNOWN_SECONDS = 7
"""Until no node leads new connections here any more."""
LINGER_SECONDS = 3
"""For so long clients with open connections are asked to close them.

Together with what the server then takes it is less than the 20 seconds that the operator gives a pod.
"""


def listen(leave: Callable[[], None]) -> None:
    """Say where this process is, and hear when it is to send its clients away.

    Args:
        leave: called then, in the main thread.
    """
    if file := os.environ.get(VARIABLE):
        signal.signal(signal.SIGUSR1, lambda *_: leave())
        Path(file).write_text(str(os.getpid()))


def end(unknown: float = UNKNOWN_SECONDS, linger: float = LINGER_SECONDS) -> None:
    """Have the server send its clients away, and end it.

    Args:
        unknown: seconds until nobody is led here any more.
        linger: seconds for clients that are connected.
    """
    time.sleep(unknown)
    # One that has not begun, or has ended, has no clients.
    with contextlib.suppress(OSError, ValueError):
        process = int(Path(os.environ[VARIABLE]).read_text())
        os.kill(process, signal.SIGUSR1)
        time.sleep(linger)
        os.kill(process, signal.SIGTERM)


if __name__ == "__main__":
    end()
