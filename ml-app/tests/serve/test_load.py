"""A model folder that is not as training left it is not served."""

from __future__ import annotations

import re
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
import treelite
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression

from house_price.features import FEATURES
from house_price.serve import HousePrice
from house_price.stored import read_forest
from model_folder import RUN_ID, change_record, write_mlmodel, write_model
from model_process import Rows
from modelkit.mlmodel import ModelFolder
from modelkit.skopsparts import READS
from modelserver.errors import ModelError


@pytest.fixture
def small(rows: Rows) -> RandomForestRegressor:
    """A forest of three trees, to be spoilt."""
    return RandomForestRegressor(n_estimators=3, max_depth=3, random_state=1).fit(rows, rows[:, 2] * 250)


@pytest.fixture
def folder(small: RandomForestRegressor, rows: Rows, tmp_path: Path) -> Path:
    """Its folder."""
    write_model(tmp_path, small, rows[:5])
    return tmp_path


def refused(folder: Path) -> str:
    """Why the folder is not served."""
    with pytest.raises(ModelError) as caught:
        HousePrice(model_dir=str(folder)).load()
    return str(caught.value)


def dump(folder: Path, model: Any) -> None:
    skops.io.dump(model, folder / "model.skops")


def test_sound_folder_is_loaded(folder: Path, small: RandomForestRegressor, rows: Rows) -> None:
    model = HousePrice(model_dir=str(folder))
    model.load()
    np.testing.assert_allclose(model.predict(rows), small.predict(rows), rtol=1e-6)


def test_version_is_the_one_that_the_folder_says(folder: Path) -> None:
    def tags(**parameters: str) -> tuple[str, str]:
        model = HousePrice(model_dir=str(folder), **parameters)
        model.load()
        name, version = model.tags()["model_name"], model.tags()["model_version"]
        assert model.tags()["run_id"] == RUN_ID
        assert (model.init_metadata()["name"], model.init_metadata()["versions"]) == (name, [version])
        return name, version

    assert tags() == ("house-price", "")
    (folder / "registered_model_meta").write_text("model_name: houses\nmodel_version: '12'\n")
    assert tags() == tags(model_name="mine") == ("houses", "12")
    assert tags(model_version="7") == ("house-price", "7")
    assert tags(model_name="mine", model_version="7") == ("mine", "7")
    (folder / "registered_model_meta").write_text("model_name: null\nmodel_version: null\n")
    assert tags() == ("house-price", "")


@pytest.mark.parametrize("content", [b"", b"text", b"a: [", b"\xff"])
def test_version_that_cannot_be_read(folder: Path, content: bytes) -> None:
    (folder / "registered_model_meta").write_bytes(content)
    assert refused(folder).startswith(f"{folder}/registered_model_meta cannot be used: ")


def test_no_mlmodel(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path} holds no MLmodel file; point it to the artifacts of a logged model"


@pytest.mark.parametrize("content", ["", "text", "a: [", "\x00", "[1]"])
def test_mlmodel_is_something_else(folder: Path, content: str) -> None:
    (folder / "MLmodel").write_text(content)
    assert refused(folder).startswith(f"{folder}/MLmodel cannot be used: ")


def test_no_record(folder: Path) -> None:
    incomplete: list[dict[str, Any] | None] = [None, {}, {"mlplatform": None}, {"mlplatform": {"names": []}}]
    for metadata in incomplete:
        write_mlmodel(folder, metadata)
        assert "the model carries no parity record" in refused(folder)


@pytest.mark.parametrize("change", [{"rows": []}, {"rows": [[1.0], [1.0, 2.0]]}, {"predictions": [1.0]}, {"names": []}])
def test_record_that_does_not_fit_together(folder: Path, change: dict[str, Any]) -> None:
    change_record(folder, **change)
    assert "a parity record needs rows, each with a value for each name and with its prediction" in refused(folder)


def test_record_of_unusable_rows(folder: Path) -> None:
    change_record(folder, rows=[[None] * 10], predictions=[1.0])
    assert "row 0, column 0 is not a number: null" in refused(folder)


def test_other_features(folder: Path) -> None:
    names = [*FEATURES[1:], FEATURES[0]]
    change_record(folder, names=names)
    assert f"takes {names}, this class sends " in refused(folder)


def test_a_library_whose_package_is_called_otherwise(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_record(folder, libraries={"boosting": "2.1.2"})
    (tmp_path / "boosting_cpu-2.1.3.dist-info").mkdir()
    (tmp_path / "boosting_cpu-2.1.3.dist-info" / "METADATA").write_text("Name: boosting-cpu\nVersion: 2.1.3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert ModelFolder.open(folder).record.libraries == {"boosting": "2.1.2"}


def test_other_libraries(folder: Path) -> None:
    change_record(folder, libraries={"absent-library": "1.0", "scikit-learn": "1.5.0"})
    assert refused(folder) == (
        f"the model in {folder} was made with other libraries: absent-library 1.0 in training, none here; "
        f"scikit-learn 1.5.0 in training, 1.7 here. "
        "Train it again with the lock file of this version, or serve it with the image of its own"
    )
    change_record(folder, libraries={"scikit-learn": 1.5})
    assert refused(folder).startswith(f"{folder}/MLmodel cannot be used: ")


def test_files_are_of_the_releases_that_training_uses() -> None:
    assert {library: version(library).rpartition(".")[0] for library in READS} == READS


def test_patch_releases_fit(folder: Path) -> None:
    minor = version("scikit-learn").rpartition(".")[0]
    change_record(folder, libraries={"scikit-learn": f"{minor}.99"})
    HousePrice(model_dir=str(folder)).load()


def test_no_model_file(folder: Path) -> None:
    (folder / "model.skops").unlink()
    assert refused(folder) == f"{folder} has no sklearn model file (MLmodel names 'model.skops')"


def test_damaged_model_file(folder: Path) -> None:
    content = (folder / "model.skops").read_bytes()
    for damaged in (b"", b"no zip file", content[: len(content) // 2]):
        (folder / "model.skops").write_bytes(damaged)
        assert refused(folder).startswith(f"{folder}/model.skops is not a readable skops file: ")


def test_other_model(folder: Path, rows: Rows) -> None:
    for model in (LinearRegression(), ExtraTreesRegressor(n_estimators=1)):
        dump(folder, model.fit(rows, rows[:, 2]))
        assert f"holds a {type(model).__name__}, not a RandomForestRegressor" in refused(folder)


def test_forest_that_was_not_fitted(folder: Path) -> None:
    dump(folder, RandomForestRegressor())
    assert "is not a readable skops file: " in refused(folder)


def test_other_shape(folder: Path, rows: Rows) -> None:
    forest = RandomForestRegressor(n_estimators=1)
    for features, target in ((rows[:, :9], rows[:, 9]), (rows, rows[:, :2])):
        dump(folder, forest.fit(features, target))
        assert "holds a forest that does not make one number of 10 features" in refused(folder)


def test_what_may_run_code_is_not_made(folder: Path, small: RandomForestRegressor, rows: Rows) -> None:
    small.note = types.SimpleNamespace(code=print)
    dump(folder, small)
    assert skops.io.get_untrusted_types(file=folder / "model.skops")
    model = HousePrice(model_dir=str(folder))
    model.load()
    np.testing.assert_allclose(model.predict(rows), small.predict(rows), rtol=1e-6)


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        (r'"protocol": 2', '"protocol": 3', "is of version 3 of skops' format, not 2"),
        (r'"__loader__": "ListNode"', '"__loader__": "CachedNode"', "a CachedNode is where a ListNode should be"),
        (r'"file": "\d+.npy"', '"file": "absent.npy"', "There is no item named 'absent.npy' in the archive"),
        (r'"estimators_"', '"estimators"', "KeyError: 'estimators_'"),
        (r'"content": "10"', '"content": "ten"', "JSONDecodeError"),
        (r"(?s)\A.*\Z", "[]", "TypeError"),
        (r"(?s)\A.*\Z", "[" * 100_000, "RecursionError"),
    ],
)
def test_forged_part(folder: Path, pattern: str, replacement: str, reason: str) -> None:
    forge(folder / "model.skops", pattern, replacement)
    assert reason in refused(folder)


@pytest.mark.parametrize(
    ("field", "node", "value"),
    [
        ("left_child", 0, 99),  # behind the tree's end
        ("right_child", 0, 0),  # itself
        ("right_child", 1, 0),  # back to the root
        ("left_child", 1, -5),  # before its beginning
        ("right_child", 0, -1),  # a leaf to one side
        ("feature", 0, 10),
        ("feature", 0, -1),
    ],
)
def test_forged_nodes(folder: Path, small: RandomForestRegressor, field: str, node: int, value: int) -> None:
    small.estimators_[1].tree_.__getstate__()["nodes"][field][node] = value
    dump(folder, small)
    assert refused(folder).endswith("is damaged or forged: a tree's nodes point outside of it")


@pytest.mark.parametrize("count", [0, -1])
def test_forged_number_of_nodes(folder: Path, small: RandomForestRegressor, count: int) -> None:
    dump(folder, small)
    forge(folder / "model.skops", r'("node_count": \{[^}]*"content": )"\d+"', rf'\1"{count}"')
    assert refused(folder).endswith("is damaged or forged: a tree's nodes point outside of it")


def forge(file: Path, pattern: str, replacement: str) -> None:
    """Change what a skops file says of its parts."""
    with zipfile.ZipFile(file) as sound:
        parts = {name: sound.read(name) for name in sound.namelist()}
    parts["schema.json"] = re.sub(pattern, replacement, parts["schema.json"].decode()).encode()
    with zipfile.ZipFile(file, "w") as forged:
        for name, content in parts.items():
            forged.writestr(name, content)


def test_other_answers(folder: Path, small: RandomForestRegressor, rows: Rows) -> None:
    answers = small.predict(rows[:5]).tolist()
    change_record(folder, predictions=[*answers[:4], answers[4] * 1.00001])
    message = refused(folder)
    assert f"the model in {folder} does not answer as it did at training: row 4: answered " in message
    assert message.count("training answered") == 1


def test_the_forest_is_the_libraries(folder: Path, small: RandomForestRegressor, rows: Rows) -> None:
    """It answers as treelite's own functions do, to the last bit, in several threads at once."""
    expected = treelite.gtil.predict(treelite.sklearn.import_model(small), rows.astype(np.float32)).ravel()
    forest = read_forest(folder / "model.skops")
    matrix = rows.astype(np.float32)

    def ask(_: int) -> list[float]:
        return [forest.predict(matrix[row : row + 1])[0] for row in range(200)]

    with ThreadPoolExecutor(4) as threads:
        for answers in threads.map(ask, range(8)):
            assert answers == expected[:200].tolist()
    assert forest.predict(matrix).tolist() == expected.tolist()
    assert forest.predict(np.asfortranarray(matrix)[::-1]).tolist() == expected[::-1].tolist()
    first, second = forest.predict(matrix[:1]), forest.predict(matrix[1:2])
    assert [first[0], second[0]] == expected[:2].tolist(), "the second call has not changed the first one's answer"
    for wrong in (matrix[:, :9], matrix[0], matrix[:0, :9]):
        with pytest.raises(ValueError, match="rows of shape"):
            forest.predict(wrong)
