"""The command line of a training: `python -m MODEL.train`."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from modelkit import options as declared
from modelkit.recipe import Recipe

PLACE = re.compile(r"s3://[a-z0-9][a-z0-9.-]+(/[\w.=-]+)+")
"""A folder of a bucket."""

KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
"""What a filter of MLflow's search takes as it is."""


@dataclass(frozen=True)
class Options:
    """What a training run is asked to do; see `--help`, whose names these are."""

    data: str
    tracking_uri: str
    experiment: str
    register_as: str
    parameters: dict[str, int | float]
    """The options of the manifest by their keys, `max_depth`: all that decides which model comes out of the same data.
    They are logged as the run's parameters."""
    tags: dict[str, str]
    once: str | None
    compare: str | None
    keep_data: bool
    data_copies: str | None
    json: bool


def parse(recipe: Recipe, arguments: Sequence[str] | None = None) -> Options:
    """Read the command line.

    Args:
        recipe: of the model.
        arguments: the words after the program's name; by default the process's own.

    Raises:
        SystemExit: with 0 after `--help`; with 2 after saying on stderr everything that is wrong.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {recipe.folder.name}.train",
        description=f"Train the {recipe.name} model, log it with MLflow and register it.",
        allow_abbrev=False,
    )

    def option(flag: str, default: str | None, metavar: str, text: str) -> None:
        parser.add_argument(flag, default=default, metavar=metavar, help=text)

    option(
        "--data", str(recipe.sample), "ADDRESS", "CSV table: a path, https://… or s3://bucket/key (default: a sample)"
    )
    option(
        "--tracking-uri", os.environ.get("MLFLOW_TRACKING_URI"), "URI", "MLflow server (default: MLFLOW_TRACKING_URI)"
    )
    option("--experiment", recipe.name, "NAME", "MLflow experiment (default: %(default)s)")
    option("--register-as", recipe.name, "NAME", "registered model that gets the new version (default: %(default)s)")
    parameters = declared.declared(recipe.manifest)
    declared.add(parser, parameters)
    parser.add_argument(
        "--tag", action="append", default=[], metavar="KEY=VALUE", help="tag of the run and the version; repeatable"
    )
    parser.add_argument(
        "--once",
        metavar="KEY",
        help="mark the version with this key, and train only if there is none with it yet",
    )
    parser.add_argument(
        "--compare",
        metavar="VERSION",
        help="train nothing: compare this version with the champion again, on the test rows of these data",
    )
    parser.add_argument(
        "--no-data-copy",
        action="store_false",
        dest="keep_data",
        help="keep no copy of the data, by which the run could be repeated when they are gone",
    )
    option(
        "--data-copies",
        os.environ.get("DATA_COPIES"),
        "ADDRESS",
        "s3://bucket/folder for copies of data (default: DATA_COPIES, else where MLflow has its artifacts)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    given = parser.parse_args(arguments)

    problems: list[str] = []
    options = Options(
        data=given.data,
        tracking_uri=given.tracking_uri or "",
        experiment=given.experiment.strip(),
        register_as=given.register_as,
        parameters=declared.read(given, parameters, problems),
        tags=_tags(given.tag, problems),
        once=given.once,
        compare=given.compare,
        keep_data=given.keep_data,
        data_copies=(given.data_copies or "").rstrip("/") or None,
        json=given.json,
    )
    if not options.tracking_uri:
        problems.append("which MLflow server? give --tracking-uri or set MLFLOW_TRACKING_URI")
    elif "@" in urlsplit(options.tracking_uri).netloc:
        problems.append(
            "--tracking-uri must hold no password: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    if options.once is not None and not KEY.fullmatch(options.once):
        problems.append(f"--once must be at most 100 letters, digits, '.', '_' and '-', not {options.once!r}")
    if options.compare is not None and not re.fullmatch("[1-9][0-9]*", options.compare):
        problems.append(f"--compare must be the number of a version, not {options.compare!r}")
    if options.compare is not None and (options.once is not None or options.tags):
        problems.append("--compare trains nothing: leave --once and --tag out")
    if options.data_copies is not None and not PLACE.fullmatch(options.data_copies):
        problems.append(f"--data-copies must be s3://bucket/folder, not {options.data_copies!r}")
    if not options.experiment:
        problems.append("--experiment is empty")
    if not options.register_as.strip() or set(options.register_as) & set("/:"):
        problems.append(f"--register-as must be a name without '/' and ':', not {options.register_as!r}")
    if problems:
        parser.error("\n  ".join(["", *problems]) if len(problems) > 1 else problems[0])
    return options


def _tags(pairs: Sequence[str], problems: list[str]) -> dict[str, str]:
    problems += [f"--tag must be KEY=VALUE, not {pair!r}" for pair in pairs if pair.find("=") < 1]
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
