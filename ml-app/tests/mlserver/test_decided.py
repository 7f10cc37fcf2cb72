"""A standard server loads the files that were decided on, or none: whichever differs is named."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from standard_server import Server
from standardserver.decided import ANSWERS_FILE, VARIABLE, OtherFilesError, check_files


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def told(folder: Path) -> str:
    """What a pod is told of the files as they are now."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return json.dumps({path.relative_to(folder).as_posix(): digest(path.read_bytes()) for path in files})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that were decided on."""
    where = tmp_path / "files"
    (where / "data").mkdir(parents=True)
    (where / "MLmodel").write_text("flavors:")
    (where / "data" / "model $é.ubj").write_bytes(b"\0\xff" * 2_000_000)
    monkeypatch.setenv(VARIABLE, told(where))
    return where


def refused(folder: Path) -> str:
    with pytest.raises(OtherFilesError) as caught:
        check_files(folder)
    return str(caught.value).removeprefix(f"{folder} is not what was decided on: ")


def test_the_files_that_were_decided_on(folder: Path) -> None:
    (folder / "empty").mkdir()
    check_files(folder)


def test_what_the_platform_puts_beside_them_itself(folder: Path) -> None:
    (folder / ANSWERS_FILE).write_text("{}")
    check_files(folder)
    (folder / "data" / ANSWERS_FILE).write_text("{}")
    assert refused(folder) == f"data/{ANSWERS_FILE} is beside the files of the version"


def test_a_pod_that_is_told_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "more").write_text("")
    monkeypatch.delenv(VARIABLE)
    check_files(folder)


def test_a_changed_byte(folder: Path) -> None:
    file = folder / "data" / "model $é.ubj"
    before = file.read_bytes()
    file.write_bytes(before[:-1] + b"\0")
    now, then = (digest(content)[:12] for content in (file.read_bytes(), before))
    assert refused(folder) == f"data/model $é.ubj has sha256 {now}… instead of {then}…"


def test_a_missing_file(folder: Path) -> None:
    (folder / "MLmodel").unlink()
    assert refused(folder) == "MLmodel is missing"
    (folder / "MLmodel").mkdir()
    assert refused(folder) == "MLmodel is missing"
    assert refused(folder / "nowhere") == "MLmodel is missing; data/model $é.ubj is missing"


def test_a_file_beside_them(folder: Path) -> None:
    (folder / "data" / "code.py").write_text("")
    (folder / ".hidden").symlink_to("MLmodel")
    assert refused(folder) == (
        ".hidden is beside the files of the version; data/code.py is beside the files of the version"
    )


def test_one_line_of_bounded_length(folder: Path) -> None:
    for number in range(9):
        (folder / f"{number}\n{'x' * 200}").write_text("")
    said = refused(folder)
    assert "\n" not in said
    assert len(said) < 1000
    assert said.startswith("'0\\nxxx")
    assert said.endswith("; and 4 more")


@pytest.mark.parametrize(("closed", "named"), [("data", "data"), ("", "the folder itself")])
def test_a_folder_that_can_be_entered_and_not_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, closed: str, named: str
) -> None:
    # Whoever runs the tests may be one to whom no folder is closed.
    def listed(path: str | Path) -> Any:
        if Path(path) == folder / closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", listed)
    assert refused(folder) == f"{named} cannot be listed: Permission denied"


def test_folders_deep_in_folders(folder: Path) -> None:
    deep = [Path(f"{folder}{'/d' * depth}") for depth in range(1, 1501)]
    for path in deep:
        path.mkdir()
    (deep[-1] / "code.py").touch()
    try:
        assert len(refused(folder)) < 1000
    finally:
        (deep[-1] / "code.py").unlink()
        for path in reversed(deep):
            path.rmdir()


@pytest.mark.parametrize("text", ["", "{", "null", "7", '["a"]', '{"a": 1}', '{"a": null}', "[" * 100_000])
def test_what_is_no_list_of_files(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(OtherFilesError, match=f"{VARIABLE} is no list of files"):
        check_files(folder)


def test_the_server_serves_them_and_ends_where_one_is_another(
    serve: Callable[..., Server], trained: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(trained["xgboost"], tmp_path / "files")
    decided = {VARIABLE: told(folder)}
    server = serve("xgboost", folder, **decided)
    server.wait_until_ready()
    assert server.startup().returncode == 0
    file = folder / "model.json"
    file.write_bytes(file.read_bytes() + b" ")
    for runtime in ("xgboost", "mlflow"):
        server = serve("xgboost", folder, runtime, **decided)
        assert server.wait_until_it_ends() == 1
        *_, said = server.log.read_text().splitlines()
        assert said.startswith(f"{folder} is not what was decided on: model.json has sha256 ")
