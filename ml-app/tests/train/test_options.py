"""The options that a model's manifest declares, on the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from house_price.features import FEATURES
from house_price.train.recipe import RECIPE
from modelkit import options

DECLARED = {
    "max-depth": {"type": "integer", "minimum": 1, "default": 6, "description": "levels"},
    "folds": {"type": "integer", "minimum": 2, "maximum": 10, "default": 5, "description": "parts"},
    "share": {
        "type": "number",
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 1,
        "default": 0.5,
        "description": "of the rows",
    },
}


def read(folder: Path, *arguments: str) -> tuple[dict[str, int | float], list[str]]:
    manifest = folder / "model.json"
    manifest.write_text(json.dumps({"training": {"options": DECLARED}}))
    parser, declared, problems = ArgumentParser(), options.declared(manifest), list[str]()
    options.add(parser, declared)
    return options.read(parser.parse_args(arguments), declared, problems), problems


def test_defaults_and_given_values(tmp_path: Path) -> None:
    assert read(tmp_path) == ({"max_depth": 6, "folds": 5, "share": 0.5}, [])
    given = read(tmp_path, "--max-depth", "1", "--folds", "10", "--share", "0.999")
    assert given == ({"max_depth": 1, "folds": 10, "share": 0.999}, [])


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "--max-depth", "six", "--folds", "1", "--share", "1")
    assert problems == [
        "--max-depth must be a whole number of at least 1, not 'six'",
        "--folds must be a whole number from 2 to 10, not '1'",
        "--share must be a number between 0 and 1, not '1'",
    ]


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "0", "-0.1", "1e9", "0,5"])
def test_no_share(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"--share={text}")[1] == [f"--share must be a number between 0 and 1, not {text!r}"]


def test_a_split_considers_no_more_features_than_there_are() -> None:
    assert {option.name: option.high for option in options.declared(RECIPE.manifest)}["max-features"] == len(FEATURES)
