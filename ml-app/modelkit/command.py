"""`python -m MODEL.train`: what is printed where, and the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from modelkit import tables, tracking
from modelkit.arguments import parse
from modelkit.connecting import SettingError
from modelkit.datasets import DataError
from modelkit.recipe import Recipe
from modelkit.stopping import Stopped, StopSignals
from modelkit.sufficiency import LEAST_ROWS

if TYPE_CHECKING:
    from modelkit.outcome import Outcome


def main(recipe: Recipe, arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        recipe: of the model.
        arguments: the words after the program's name; by default the process's own.

    Returns:
        The exit code: 0, 1 if a run broke off, 2 if an option, a variable, the data or the
        server's address is wrong, 130 or 143 after Ctrl-C or SIGTERM.
    """
    try:
        stop = StopSignals()
        options = parse(recipe, arguments)
        asked = options.parameters
        least = asked.get("least_rows", LEAST_ROWS)
        table = tables.read(recipe, options.data, asked["test_size"], least, keep=options.keep_data)
        tracking.prepare(options.tracking_uri)
        # Seconds of imports, which a wrong option or a wrong file need not wait for.
        from modelkit.run import Training  # noqa: PLC0415

        outcome = Training(recipe, options, table, stop).run()
    except (DataError, SettingError) as error:
        return _fail(error, 2)
    except tracking.TrackingError as error:
        return _fail(error, error.exit_code)
    except Stopped as stopped:
        return _fail(stopped, stopped.exit_code)
    if outcome.warning:
        sys.stderr.write(f"warning: {outcome.reason}\n")
    sys.stdout.write((json.dumps(asdict(outcome)) if options.json else _summary(recipe, outcome)) + "\n")
    return 0


def _fail(error: BaseException, exit_code: int) -> int:
    word = "stopped by" if isinstance(error, Stopped) else "error:"
    sys.stderr.write("\n".join([f"{word} {error}", *getattr(error, "__notes__", [])]) + "\n")
    return exit_code


def _summary(recipe: Recipe, outcome: Outcome) -> str:
    metrics, data = outcome.metrics, outcome.dataset
    standing = f"is the {outcome.alias}" if outcome.alias else "has no alias"
    lines = [
        f"{outcome.model} version {outcome.version} {standing}: {outcome.reason}",
        f"{recipe.score} {metrics['test_score']:.3f} on test rows ({metrics['train_score']:.3f} in training), "
        f"{_error(recipe, metrics)}",
        f"data {data.source}, {data.rows:,} rows",
        f"run {outcome.run_id}",
    ]
    return "\n".join(lines)


def _error(recipe: Recipe, metrics: dict[str, float]) -> str:
    """How far off a model is, in words."""
    if recipe.classes:
        return f"log loss {metrics['test_log_loss']:.3f}"
    error = metrics["test_mae"]
    # Of a large error the digits behind the point say nothing.
    return f"mean error {error:,.{0 if error >= 100 else 2}f} {recipe.unit}"  # noqa: PLR2004
