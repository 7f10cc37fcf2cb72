"""The Job that makes MLflow's tables, with a driver and an MLflow that stand in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MIGRATION = Path(__file__).parents[3] / "components" / "tracking" / "migration.py"
DRIVER = """
import pathlib
class OperationalError(Exception): pass
class Connection:
    def close(self): pass
def connect(*_, **__):
    lines = pathlib.Path(__file__).with_name("said")
    first, _, rest = lines.read_text().partition("\\n")
    lines.write_text(rest)
    if first: raise OperationalError(first.replace("\\\\n", "\\n").replace("EMPTY", ""))
    return Connection()
"""
UTILS = """
create_sqlalchemy_engine_with_retry = str
_initialize_tables = print
"""
REFUSED = "connection to server at db, port 5432 failed: Connection refused"
STARTING = "FATAL:  the database system is starting up"
WRONG = 'FATAL:  password authentication failed for user "mlflow"'


def migrate(folder: Path, *said: str, patience: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs the Job; the driver fails with each of these words in turn, then connects; EMPTY is none."""
    package = folder / "mlflow" / "store" / "db"
    package.mkdir(parents=True)
    for parent in (package, package.parent, package.parent.parent):
        (parent / "__init__.py").touch()
    (package / "utils.py").write_text(UTILS)
    (folder / "psycopg2.py").write_text(DRIVER)
    (folder / "said").write_text("\n".join([*(words.replace("\n", "\\n") for words in said), ""]))
    script = MIGRATION.read_text().replace("PATIENCE_SECONDS = 60", f"PATIENCE_SECONDS = {patience}")
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(folder), "PGHOST": "db", "PGPORT": "5432"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_tables_are_made_once_the_database_answers(tmp_path: Path) -> None:
    done = migrate(tmp_path, REFUSED, STARTING)
    assert (done.returncode, done.stdout) == (0, "postgresql+psycopg2://\n")
    assert done.stderr.splitlines() == [
        f"the database db:5432 does not answer yet: {REFUSED}; asking again in 0.5 s",
        f"the database db:5432 does not answer yet: {STARTING}; asking again in 1 s",
    ]


REFUSALS = [
    WRONG,
    'FATAL:  role "x" is not permitted to log in\nHINT:  ask',
    'FATAL:  password authentication failed for user "too many"',
    'connection to server at "db", port 5432 failed: FATAL:  database "recovery mode" does not exist',
]


@pytest.mark.parametrize("said", REFUSALS)
def test_refused_log_in_is_told_at_once(tmp_path: Path, said: str) -> None:
    done = migrate(tmp_path, said)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: the database db:5432 refuses: {said.splitlines()[0]}\n"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('FATAL:  sorry, too many clients already\nHINT:  "wait"', "FATAL:  sorry, too many clients already"),
        (f"could not send data\n{STARTING}\nDETAIL:  redo", STARTING),
        ('root certificate file "/x" does not exist\nEither provide it', 'root certificate file "/x" does not exist'),
        ("EMPTY", "OperationalError"),
    ],
)
def test_what_may_pass_is_tried_again_with_its_reason(tmp_path: Path, said: str, reason: str) -> None:
    done = migrate(tmp_path, said)
    assert done.returncode == 0
    assert done.stderr == f"the database db:5432 does not answer yet: {reason}; asking again in 0.5 s\n"


@pytest.mark.parametrize("patience", [0, 0.6])
def test_both_ends_are_named_where_nobody_answers(tmp_path: Path, patience: float) -> None:
    done = migrate(tmp_path, *[REFUSED] * 9, patience=patience)
    assert (done.returncode, done.stdout) == (1, "")
    last = done.stderr.splitlines()[-1]
    assert " has tried to reach the database db:5432 for " in last
    assert f": {REFUSED}: is it running, " in last
