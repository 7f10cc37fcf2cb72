"""Which model is in service: champion and challenger."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import skops.io
from mlflow import MlflowClient
from sklearn.dummy import DummyRegressor

from house_price.features import SKOPS_TRUSTED_TYPES
from house_price.train.recipe import RECIPE
from modelkit.registry import CHALLENGER, CHAMPION, CHAMPION_SCORE, COMPARED_WITH, Decision, decide, register

Train = Callable[..., subprocess.CompletedProcess[str]]


def aliases(name: str) -> dict[str, str]:
    return {alias: str(number) for alias, number in MlflowClient().get_registered_model(name).aliases.items()}


def test_champion_moves_only_to_a_model_that_is_at_least_as_good(call: Train) -> None:
    scores: dict[str | None, float] = {}

    def version(*options: str) -> tuple[str, str, str | None]:
        result = json.loads(call("--register-as", "duel", "--n-estimators", "20", "--json", *options).stdout)
        number, champion = result["version"], result["previous_champion"]
        # Same rows: the champion reaches what it reached at its own training.
        assert result["metrics"].get(CHAMPION_SCORE) == scores.get(champion)
        found = MlflowClient().get_model_version("duel", number)
        assert found.tags.get(COMPARED_WITH) == champion
        assert MlflowClient().get_run(result["run_id"]).data.metrics == result["metrics"]
        scores[number] = result["metrics"]["test_score"]
        return number, result["alias"], champion

    assert version("--max-depth", "1") == ("1", "champion", None)
    assert version() == ("2", "champion", "1")  # better
    assert version() == ("3", "champion", "2")  # the same again: equal
    assert version("--max-depth", "1") == ("4", "challenger", "3")  # worse
    assert aliases("duel") == {CHAMPION: "3", CHALLENGER: "4"}


def test_champion_that_cannot_be_scored_stays_with_a_warning(call: Train) -> None:
    frame = pd.DataFrame({"rooms": [1.0, 2.0]})
    stranger = DummyRegressor().fit(frame, [1.0, 2.0])
    mlflow.set_experiment("strangers")
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(stranger, name="model", input_example=frame, pip_requirements=["scikit-learn"])
    register("stranger", info.model_uri, {}, CHAMPION)

    done = call("--register-as", "stranger", "--n-estimators", "5")
    assert done.returncode == 0
    assert done.stdout.startswith("stranger version 2 is the challenger: ")
    assert re.search(r"\nR² 0\.\d{3} on test rows .*\n.*2,000 rows\nrun [0-9a-f]{32}\n$", done.stdout)
    assert done.stderr.startswith("warning: the champion, version 1, could not be scored")
    assert done.stderr.endswith("its columns are rooms\n")
    assert aliases("stranger") == {CHAMPION: "1", CHALLENGER: "2"}
    assert COMPARED_WITH not in MlflowClient().get_model_version("stranger", "2").tags


def test_forged_champion_is_not_followed_out_of_its_trees(call: Train, store: Path) -> None:
    first = json.loads(call("--register-as", "forged", "--n-estimators", "2", "--json").stdout)
    file = store / first["artifact_uri"].partition(":/")[2] / "model.skops"
    forest = skops.io.load(file, trusted=SKOPS_TRUSTED_TYPES)
    forest.estimators_[1].tree_.__getstate__()["nodes"]["left_child"][0] = 999_999_999
    skops.io.dump(forest, file)

    second = json.loads(call("--register-as", "forged", "--n-estimators", "2", "--json").stdout)
    assert (second["alias"], second["warning"]) == (CHALLENGER, True)
    assert second["reason"].endswith("model.skops is damaged or forged: a tree's nodes point outside of it")
    # Of other data both would be scored.
    MlflowClient().set_registered_model_alias("forged", CHAMPION, "2")
    done = call("--register-as", "forged", "--compare", "1", "--data", str(other_data(store)))
    assert (done.returncode, done.stdout) == (1, "")
    assert "forged version 1 cannot be scored: " in done.stderr


def other_data(folder: Path) -> Path:
    """Other data: the sample without its last rows."""
    other = folder.parent / "other.csv"
    other.write_text("".join(RECIPE.sample.read_text().splitlines(keepends=True)[:1_500]))
    return other


def test_a_single_price_among_the_test_rows_is_refused_before_anything_is_logged(
    call: Train, sales: list[dict[str, str]], stored: Callable[[list[dict[str, str]]], str]
) -> None:
    # One row has another price. Wherever it comes to lie, the other part has a single one.
    odd = [row | {"price": "300000"} for row in sales]
    refusals = []
    for index in range(len(odd)):
        rows = [row | ({"price": "1"} if number == index else {}) for number, row in enumerate(odd)]
        done = call("--register-as", "odd", "--experiment", "odd", "--data", stored(rows))
        assert (done.returncode, done.stdout) == (2, "")
        refusals.append(done.stderr)
    with_test = "error: the 6 rows to test with all have the price 300000: give more data, or divide them otherwise"
    train_on = "error: the 14 rows to train on all have the price 300000: give more data, or divide them otherwise"
    assert sorted(text.partition(" (")[0] for text in refusals) == [train_on] * 6 + [with_test] * 14
    assert mlflow.get_experiment_by_name("odd") is None


def test_champion_of_other_data_is_compared_again_on_the_data_asked_for(call: Train, tmp_path: Path) -> None:
    dear = tmp_path / "dear.csv"
    with RECIPE.sample.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with dear.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row | {"price": str(5 * float(row["price"]))} for row in rows)

    def result(*options: str) -> dict[str, Any]:
        done = call("--register-as", "markets", "--n-estimators", "20", "--json", *options)
        assert (done.returncode, done.stderr) == (0, "")
        outcome: dict[str, Any] = json.loads(done.stdout)
        return outcome

    first = result()
    second = result("--data", str(dear))
    assert (second["version"], second["alias"], second["previous_champion"]) == ("2", "champion", "1")
    assert "version 1 (trained on other data, sample), reaches -" in second["reason"]

    again = result("--compare", "1")
    assert again == first | {"previous_champion": "2", "reason": again["reason"]}
    assert "version 2 (trained on other data, dear), reaches -" in again["reason"]
    assert aliases("markets") == {CHAMPION: "1"}
    assert result("--compare", "1")["reason"] == "it is the champion"

    # Of the same data: it stays, whoever has chosen it.
    third = result("--max-depth", "1")
    assert (third["version"], third["alias"]) == ("3", "challenger")
    MlflowClient().set_registered_model_alias("markets", CHAMPION, "3")
    stays = result("--compare", "1")
    assert (stays["alias"], stays["reason"]) == (None, "version 3 stays, not known to be of other data")
    # Better on other rows, it loses its second alias with the first comparison that it wins.
    MlflowClient().set_registered_model_alias("markets", CHAMPION, "2")
    assert result("--compare", "3")["alias"] == "champion"
    assert aliases("markets") == {CHAMPION: "3"}
    assert len(MlflowClient().search_model_versions("name = 'markets'")) == 3


def test_compare_names_what_there_is_not_and_what_does_not_go_with_it(call: Train) -> None:
    done = call("--register-as", "nobody-yet", "--compare", "7")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody-yet" in done.stderr
    for wrong in (["--compare", "newest"], ["--compare", "1", "--tag", "a=b"]):
        with pytest.raises(SystemExit, match="2"):
            call(*wrong)


@pytest.fixture(scope="module")
def champion(tracking_uri: str) -> str:
    """The name of a registered model whose champion is version 1 of nothing that could be loaded."""
    client = MlflowClient()
    client.create_registered_model("bare")
    client.create_model_version("bare", source=f"{tracking_uri}/none", await_creation_for=0)
    client.create_model_version("bare", source=f"{tracking_uri}/none", await_creation_for=0)
    client.set_registered_model_alias("bare", CHAMPION, "1")
    return "bare"


@pytest.mark.parametrize(
    ("score", "alias"), [(0.71, CHAMPION), (0.7, CHAMPION), (0.69, CHALLENGER), (float("nan"), CHALLENGER)]
)
def test_scores_decide(champion: str, score: float, alias: str) -> None:
    decision = decide(champion, score, {"models:/bare/1": 0.7}.__getitem__)
    assert (decision.alias, decision.previous_champion, decision.warning) == (alias, "1", False)


def test_a_champion_whose_files_cannot_be_read_stays(champion: str) -> None:
    def gone(_: str) -> float:
        raise FileNotFoundError("no such\nobject")

    expected = "the champion, version 1, could not be scored on this run's test rows and stays: no such object"
    assert decide(champion, 1.0, gone) == Decision(CHALLENGER, "1", expected, warning=True)


@pytest.mark.parametrize("name", ["nobody", "no-alias"])
def test_without_a_champion_the_first_becomes_it(tracking_uri: str, name: str) -> None:
    if name == "no-alias":
        MlflowClient().create_registered_model(name)
    assert decide(name, -1.0, lambda _: pytest.fail("nothing to score")).alias == CHAMPION
