"""SIGTERM and Ctrl-C as an orderly end: what was begun is closed, and nothing half-done is left behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal asks the program to end. Like KeyboardInterrupt no `Exception`, so that nobody swallows it.

    Attributes:
        exit_code: what the program should end with: 128 and the number of the signal, as in a shell.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


class StopSignals:
    """Turns the signals into `Stopped`, raised in the main thread wherever it is."""

    def __init__(self) -> None:
        self._holding = False
        self._held: int | None = None
        for signum in SIGNALS:
            signal.signal(signum, self._arrived)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside the block a signal waits: it is raised at the end of it."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._held is not None:
            raise Stopped(self._held)

    def ignore(self) -> None:
        """From now on signals are ignored: for an end that is short and must not be cut in two."""
        for signum in SIGNALS:
            signal.signal(signum, signal.SIG_IGN)

    def _arrived(self, signum: int, _frame: FrameType | None) -> None:
        if self._holding:
            self._held = signum
        else:
            raise Stopped(signum)
