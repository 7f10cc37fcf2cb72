"""What a pod finds out of names and addresses."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "cli" / "cluster" / "routing.py"
SLOW = """
import time
def unresolved(name): time.sleep(60)
LOOKUP_SECONDS = 0.1
"""


def ask(folder: Path, names: list[str], addresses: list[str], *, patch: str = "") -> dict[str, object]:
    """The answer of the script, with some of it put in another's place."""
    question = folder / "question.json"
    question.write_text(json.dumps({"names": names, "addresses": addresses}))
    script = SCRIPT.read_text().replace('if __name__ == "__main__":', f"{patch}\nif True:")
    done = subprocess.run(
        [sys.executable, "-c", script, question], capture_output=True, text=True, check=True, timeout=30
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_open_and_closed_ports(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        reached, closed = (f"127.0.0.1:{one.getsockname()[1]}" for one in (listening, bound))
        assert ask(tmp_path, ["localhost"], [closed, reached]) == {"unknown": {}, "reached": [reached]}


def test_unknown_name(tmp_path: Path) -> None:
    unknown = ask(tmp_path, ["localhost", "nowhere.invalid"], [])["unknown"]
    assert isinstance(unknown, dict)
    assert list(unknown) == ["nowhere.invalid"]
    assert unknown["nowhere.invalid"]


def test_lookup_that_does_not_end_is_not_waited_for(tmp_path: Path) -> None:
    answer = ask(tmp_path, ["db"], [], patch=SLOW)
    assert answer == {"unknown": {"db": "no answer within 0.1 s"}, "reached": []}
