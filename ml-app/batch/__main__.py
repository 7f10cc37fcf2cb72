"""`python -m batch PACKAGE --files FOLDER --input FILE --output FILE`: see `main`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from batch.fetching import FilesError, fetched
from batch.job import Job
from batch.naming import NamingError, dated
from batch.places import OutputError, PlaceError, place_of
from batch.source import SourceError
from batch.tables import opened


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0; 2 if the table, the output or an option is wrong, and would be wrong again; 1 if it is the
        model, or if what stores all these does not do so now.
    """
    options = _options(arguments)
    # Seconds of imports.
    from batch.scorer import Scorer, ScorerError  # noqa: PLC0415

    try:
        place, output = place_of(dated(options.output, options.run))
        table = dated(options.input, options.run)
        with fetched(options.files) as files:
            scorer = Scorer(options.package, files)
        with opened(table, scorer.features, options.room) as source:
            model = {"name": options.name, "version": options.version}
            share = (options.worker, options.workers)
            manifest = Job(source, scorer, place, output, model, share, options.run).run(_tell)
    except (ScorerError, FilesError, PlaceError) as error:
        return _fail(error, 1)
    except (SourceError, OutputError, NamingError) as error:
        return _fail(error, 2)
    if manifest is None:
        _say("the rows of this share are scored; whoever scores the last one puts all together")
    sys.stdout.write(json.dumps(manifest) + "\n")
    return 0


def _fail(error: Exception, exit_code: int) -> int:
    _say("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]))
    return exit_code


def _tell(rows: int, read: float) -> None:
    _say(f"{rows:,} rows scored, {read:.0%} of the table read")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m batch", description="Score a table with a model.")
    parser.add_argument("package", help="of the model: house_price")
    parser.add_argument("--files", required=True, help="folder of the version's files, or where MLflow has it")
    parser.add_argument("--name", required=True, help="of the registered model")
    parser.add_argument("--version", required=True, help="of it")
    parser.add_argument("--input", required=True, help="the table, CSV or Parquet: a path, or s3://bucket/key")
    parser.add_argument("--output", required=True, help="the file for the scores; .parquet, or CSV")
    parser.add_argument("--worker", type=int, default=0, help="which of the workers this is, from 0")
    parser.add_argument("--workers", type=int, default=1, help="how many share the table")
    parser.add_argument("--run", help="what these workers are called, so that they notice a table that changes")
    parser.add_argument("--room", type=int, help="bytes for a copy of a table from a bucket")
    options = parser.parse_args(arguments)
    if not 0 <= options.worker < options.workers:
        parser.error(f"--worker is from 0 to --workers - 1, and is {options.worker} of {options.workers}")
    return options


if __name__ == "__main__":
    sys.exit(main())
