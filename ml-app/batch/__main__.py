"""`python -m batch [PACKAGE] --files FOLDER --input FILE --output FILE`: see `main`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from batch.fetching import FilesError, fetched
from batch.job import Job
from batch.naming import NamingError, dated
from batch.places import OutputError, PlaceError, place_of
from batch.scored import ScorerError, WrongAnswerError
from batch.source import SourceError
from batch.tables import opened
from standardserver.printing import own_output

if TYPE_CHECKING:
    from batch.anymodel import AnyScorer
    from batch.scorer import Scorer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0; 2 if the table, the output or an option is wrong, or what the model makes of it, and
        would be wrong again; 1 if it is the model itself, or if what stores all these does not do so now.
    """
    options = _options(arguments)
    with own_output() as out:
        return _run(options, out)


def _run(options: argparse.Namespace, out: TextIO) -> int:
    try:
        place, output = place_of(dated(options.output, options.run))
        table = dated(options.input, options.run)
        with fetched(options.files) as files:
            scorer = _scorer(options.package, files)
        with opened(table, scorer.wanted, options.room) as source:
            model = {"name": options.name, "version": options.version}
            share = (options.worker, options.workers)
            manifest = Job(source, scorer, place, output, model, share, options.run).run(_tell)
    except (ScorerError, FilesError, PlaceError) as error:
        return _fail(error, 1)
    except (SourceError, OutputError, NamingError, WrongAnswerError) as error:
        return _fail(error, 2)
    if manifest is None:
        _say("the rows of this share are scored; whoever scores the last one puts all together")
    out.write(json.dumps(manifest) + "\n")
    return 0


def _scorer(package: str | None, files: Path) -> Scorer | AnyScorer:
    """What scores: the model of a package of the project, or one of others. Seconds of imports."""
    if package is None:
        from batch.anymodel import AnyScorer  # noqa: PLC0415

        return AnyScorer(files)
    from batch.scorer import Scorer  # noqa: PLC0415

    return Scorer(package, files)


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
    parser.add_argument("package", nargs="?", help="of the model, house_price; none for one that others have logged")
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
