"""`python -m batch PACKAGE --files FOLDER --input FILE --output FILE`: see `main`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from batch.job import Job, OutputError
from batch.source import Source, SourceError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0, 2 if the table or the output is wrong, 1 if the model is.
    """
    options = _options(arguments)
    # Seconds of imports.
    from batch.scorer import Scorer, ScorerError  # noqa: PLC0415

    try:
        scorer = Scorer(options.package, options.files)
        source = Source(options.input, scorer.features)
        model = {"name": options.name, "version": options.version}
        job = Job(source, scorer, options.output, model, (options.worker, options.workers))
        manifest = job.run(_say)
    except ScorerError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except (SourceError, OutputError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(json.dumps(manifest) + "\n")
    return 0


def _say(pieces: int, rows: int) -> None:
    sys.stderr.write(f"{rows:,} rows scored, in piece {pieces}\n")
    sys.stderr.flush()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m batch", description="Score a table with a model.")
    parser.add_argument("package", help="of the model: house_price")
    parser.add_argument("--files", type=Path, required=True, help="folder of the version's files")
    parser.add_argument("--name", required=True, help="of the registered model")
    parser.add_argument("--version", required=True, help="of it")
    parser.add_argument("--input", type=Path, required=True, help="the table, CSV")
    parser.add_argument("--output", type=Path, required=True, help="the file for the scores")
    parser.add_argument("--worker", type=int, default=0, help="which of the workers this is, from 0")
    parser.add_argument("--workers", type=int, default=1, help="how many share the table")
    options = parser.parse_args(arguments)
    if not 0 <= options.worker < options.workers:
        parser.error(f"--worker is from 0 to --workers - 1, and is {options.worker} of {options.workers}")
    return options


if __name__ == "__main__":
    sys.exit(main())
