"""Room is asked for before the work: with numbers, and before anything is written."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.command import Vcn
from tests.faces.films import draw_two_people
from videoclusternet import resources
from videoclusternet.config import Config
from videoclusternet.models.registry import BACKBONES
from videoclusternet.results.people import People
from videoclusternet.run_view import RunView
from videoclusternet.video.stream import VideoInfo

DLIB, LARGE = BACKBONES["dlib_resnet"], BACKBONES["arcface_r100"]


def info(seconds: float | None = 60.0, width: int = 640, height: int = 360) -> VideoInfo:
    return VideoInfo(width, height, 25.0, seconds, None, "h264")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return draw_two_people(tmp_path / "film.mp4")


def test_more_film_and_larger_networks_take_more() -> None:
    for needed in (resources.disk_needed, resources.memory_needed):
        little = needed(info(), DLIB, Config())
        assert needed(info(7200), DLIB, Config()) > little
        assert needed(info(), LARGE, Config()) > little
        assert needed(info(None), DLIB, Config()) == needed(info(3600), DLIB, Config())
    assert resources.memory_needed(info(width=8192, height=8192), DLIB, Config()) > 5e9


def test_the_estimate_is_more_than_what_a_run_took(demo_run: RunView) -> None:
    """Not by much more than the state of its training, which is gone when it is done."""
    took = sum(path.stat().st_size for path in demo_run.folder.iterdir())
    people: People = demo_run.people
    needed = resources.disk_needed(info(people.duration), DLIB, Config())
    assert took < needed < 10 * took


def test_too_little_disk_is_told_before_the_work(
    vcn: Vcn, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    code, _, err = vcn("run", film, "--out", tmp_path / "run")
    assert code == 4
    assert err.count("\n") == 1
    assert "1 MB are free" in err
    assert not (tmp_path / "run").exists()


def test_too_little_memory_is_told_before_the_work(
    vcn: Vcn, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = SimpleNamespace(available=300_000_000)
    monkeypatch.setattr(resources.psutil, "virtual_memory", lambda: few)
    code, _, err = vcn("run", film, "--out", tmp_path / "run")
    assert (code, err.count("\n")) == (4, 1)
    assert "300 MB are free" in err
    assert not (tmp_path / "run").exists()


def test_what_is_there_already_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = resources.disk_needed(info(), DLIB, Config())
    monkeypatch.setattr(
        resources.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed - 500)
    )
    (tmp_path / "crops.npy").write_bytes(bytes(1000))
    resources.check_resources(tmp_path, info(), DLIB, Config())
