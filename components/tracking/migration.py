"""Makes or renews MLflow's tables, in a Job: the database's address and log-in are libpq's PG… variables.

A new pod's first connections may be refused even where they are allowed, since network policies reach it a moment
after its start: so they are tried again for a minute. What the database itself refuses is told at once.
"""

import os
import re
import socket
import sys
import time

import psycopg2

PATIENCE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 8
# Of a server that starts, ends, or is full: https://www.postgresql.org/docs/current/errcodes-appendix.html
PASSING = ("starting up", "shutting down", "recovery mode", "too many", "remaining connection slots")


def told(error: Exception) -> str:
    """The line of a driver's error that says why: what the server says, else the first; hints come after it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return next((line for line in lines if "FATAL:" in line), lines[0])


def passes(reason: str) -> bool:
    """Whether what a server says may be otherwise in a moment; names of users and databases are in quotes."""
    return any(words in re.sub('"[^"]*"', "", reason) for words in PASSING)


def wait_for_database() -> None:
    """Connect once.

    Raises:
        SystemExit: it cannot be reached, or refuses; with a sentence that names both ends.
    """
    database = f"the database {os.environ['PGHOST']}:{os.environ['PGPORT']}"
    began, pause = time.monotonic(), 0.5
    while True:
        try:
            psycopg2.connect("", connect_timeout=5).close()
            return
        except psycopg2.OperationalError as error:
            reason = told(error)
            if "FATAL:" in reason and not passes(reason):
                sys.exit(f"error: {database} refuses: {reason}")
            if time.monotonic() - began + pause > PATIENCE_SECONDS:
                sys.exit(
                    f"error: {socket.gethostname()} has tried to reach {database} for {PATIENCE_SECONDS} s: {reason}: "
                    "is it running, is the address right, and do the network policies of both namespaces allow it?"
                )
            sys.stderr.write(f"{database} does not answer yet: {reason}; asking again in {pause:g} s\n")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def migrate() -> None:
    """Bring the tables to what this version of MLflow needs; an empty database gets them all."""
    from mlflow.store.db import utils

    # As in the chart: `mlflow db upgrade` takes an empty database for a broken one. The driver is named because
    # SQLAlchemy 2.1 would take psycopg 3.
    utils._initialize_tables(utils.create_sqlalchemy_engine_with_retry("postgresql+psycopg2://"))


if __name__ == "__main__":
    wait_for_database()
    migrate()
