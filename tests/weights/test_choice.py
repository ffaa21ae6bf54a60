"""A setting NAME or NAME=FILE means a row and a file, or a sentence says what to do."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.weights import choice
from videoclusternet.weights.assets import ASSETS
from videoclusternet.weights.choice import WeightsFile, choose, fetched_file, named


@dataclass(frozen=True)
class Net:
    name: str
    asset: str | None = None


TABLE = {"dlib": Net("dlib", "dlib_resnet"), "own": Net("own")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a=b, c.pth"
    path.write_bytes(b"parameters")
    return path


def test_the_file_of_an_asset_is_the_checked_one() -> None:
    row, file = choose(TABLE, "network", "dlib")
    assert row is TABLE["dlib"]
    assert file.sha256 == ASSETS["dlib_resnet"].sha256
    assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256


@pytest.mark.parametrize("name", ["own", "dlib"])
def test_a_file_can_be_named_for_any_row(file: Path, name: str) -> None:
    row, chosen = choose(TABLE, "network", f"{name}={file}")
    assert row is TABLE[name]
    assert chosen == WeightsFile(file, hashlib.sha256(b"parameters").hexdigest())


def test_the_home_may_be_written_as_shells_do(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    assert choose(TABLE, "network", f"own=~/{file.name}")[1].path == file


def test_a_file_that_was_fetched_needs_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match=r"network 'own' are yours to bring.* own=FILE\."):
        choose(TABLE, "network", "own")
    fetched_file("own").parent.mkdir()
    fetched_file("own").write_bytes(b"x")
    assert choose(TABLE, "network", "own")[1].path == fetched_file("own")


def test_a_file_that_changes_is_another(file: Path) -> None:
    before = WeightsFile.brought(file)
    file.write_bytes(b"other parameters")
    assert WeightsFile.brought(file).sha256 == hashlib.sha256(b"other parameters").hexdigest()
    assert WeightsFile.brought(file) != before


@pytest.mark.parametrize("name", ["", "OWN", "dlib ", "=x"])
def test_an_unknown_name_is_refused_and_the_known_ones_told(name: str) -> None:
    with pytest.raises(UsageError, match="use one of dlib, own"):
        choose(TABLE, "network", name)
    with pytest.raises(UsageError, match="no network"):
        named(TABLE, "network", name)


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "net")
    with pytest.raises(WeightsError, match="net is not there, or is not a file"):
        choose(TABLE, "network", f"own={tmp_path / 'net'}")


def test_a_file_that_is_too_large_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file.open("r+b") as sparse:
        sparse.truncate(choice.LARGEST + 1)
    monkeypatch.setattr(choice, "file_hash", lambda path: pytest.fail("it was read"))
    with pytest.raises(WeightsError, match="more than 2 GiB"):
        WeightsFile.brought(file)
