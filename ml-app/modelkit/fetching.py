"""`python -m modelkit.fetching ADDRESS FILE`: writes what lies at the address of a training's data into a file.

Writes a JSON object to standard output: `problem`, why it cannot be had, or null.
"""

import json
import sys
from pathlib import Path

from modelkit.datasets import DataError, read_bytes


def main(address: str, file: str) -> None:
    """Run the command."""
    problem = None
    try:
        Path(file).write_bytes(read_bytes(address)[1])
    except DataError as error:
        problem = str(error)
    sys.stdout.write(f"{json.dumps({'problem': problem})}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
