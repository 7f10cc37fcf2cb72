"""First connections: a new pod's may be refused even where it is allowed, since policies reach it a moment later.

So whoever asks somebody for the first time asks again for a while, and then says who could not reach whom.
"""

from __future__ import annotations

import http.client
import math
import os
import socket
import ssl
import sys
import time
import urllib.error
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

PATIENCE_VARIABLE = "MLPLATFORM_CONNECT_SECONDS"
"""Says for how many seconds a first connection is tried again; 60 in a pod if it is not set, else 5."""

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0


class SettingError(Exception):
    """A variable of the environment is set to what it cannot be; the message is meant for the user."""


def patience() -> float:
    """For how many seconds a first connection is tried again.

    Raises:
        SettingError: the variable is set, and not to a number of seconds.
    """
    in_a_pod = "KUBERNETES_SERVICE_HOST" in os.environ
    text = os.environ.get(PATIENCE_VARIABLE) or ("60" if in_a_pod else "5")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SettingError(f"{PATIENCE_VARIABLE} must be a number of seconds, 0 or more, not {text!r}")
    return seconds


def first_answer(ask: Callable[[], T], whom: str, unreachable: Callable[[Exception], object]) -> T:
    """Ask somebody for the first time, and again with growing pauses while there is no connection.

    Args:
        ask: asks once.
        whom: is asked, in words for the log: "the tracking server http://…".
        unreachable: the reason why an error means that nobody was reached, which may pass; None for any other error.

    Raises:
        SettingError: how long to try is set to what is no time.
        Exception: what `ask` raised last. If nobody was reached in time it has a note that names both ends.
    """
    limit, began = patience(), time.monotonic()
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return ask()
        except Exception as error:
            reason = unreachable(error)
            if reason is None:
                raise
            spent = time.monotonic() - began
            if spent + pause > limit:
                error.add_note(both_ends(whom, spent))
                raise
            sys.stderr.write(f"{whom} does not answer yet: {reason}; asking again in {pause:g} s\n")
            sys.stderr.flush()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def unreachable(error: Exception) -> object:
    """Why nobody was reached over HTTP, for `first_answer`; None if somebody answered, or the address is none."""
    reason = getattr(error, "reason", error)
    final = (urllib.error.HTTPError, http.client.InvalidURL)
    if isinstance(error, final) or isinstance(reason, ssl.SSLCertVerificationError):
        return None
    return reason if isinstance(error, OSError | http.client.HTTPException) else None


def noted(told: E, cause: Exception) -> E:
    """The error that is told to the user, with what was noted about its cause."""
    for note in getattr(cause, "__notes__", []):
        told.add_note(note)
    return told


def both_ends(whom: str, seconds: float) -> str:
    """Who could not reach whom, and what may stand between them; in a pod the host's name is the pod's."""
    return (
        f"{socket.gethostname()} has tried to reach {whom} for {seconds:.0f} s: is it running, is the address right, "
        "and do the network policies of both namespaces allow it?"
    )
