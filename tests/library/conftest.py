"""A library of small films, in which a photograph of each person is drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faces.films import draw_in_turns, photograph
from tests.test_pipeline import POCKET
from videoclusternet.library.job import Outcome, do
from videoclusternet.library.shelf import Library


class InTurn:
    """An engine that does one job after the other, here; it notes which."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def run(self, jobs, told):
        for film, job in jobs.items():
            self.jobs.append(Path(job.film).name)
            yield film, do(job, lambda *now, film=film: told(film, *now))


def run(library: Library, **options) -> dict[str, Outcome]:
    engine = InTurn()
    done = {film.name: outcome for film, outcome in library.run(engine, device="cpu", **options)}
    assert sorted(done) == sorted(engine.jobs)
    return done


def draw(path: Path, names: list[str], seed: int) -> Path:
    """Draw a film in which these are seen one after the other, each twice."""
    draw_in_turns(path, [(name, photograph(name)) for name in names], seed)
    return path


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> list[Path]:
    """Biden and Obama, Obama and Biden, Obama alone, and what is no film."""
    folder = tmp_path_factory.mktemp("films")
    biden, obama = "demo_biden", "demo_obama_smiling"
    paths = [
        draw(folder / "one.mp4", [biden, obama], 1),
        draw(folder / "two.mp4", [obama, biden], 11),
        draw(folder / "three.mp4", [obama], 21),
    ]
    (folder / "bad.mp4").write_text("no film")
    return [*paths, folder / "bad.mp4"]


@pytest.fixture(scope="session")
def made(films, tmp_path_factory) -> Iterator[Path]:
    """The library of these films, run; the network is the real one, so that faces are told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        library = Library.init(tmp_path_factory.mktemp("made") / "library", settings=POCKET)
        assert [new for _, new in library.add(films)] == [True] * 4
        outcomes = run(library)
        assert {name: one.code for name, one in outcomes.items()} == {
            "one.mp4": 0, "two.mp4": 0, "three.mp4": 0, "bad.mp4": 3,
        }  # fmt: skip
        # Three strangers are known, which is too few to be sure of anybody who changed.
        assert [one.films for one in library.people()] == [3, 1, 1]
        (doubt,) = library.doubts()
        library.same(doubt.left.id, doubt.right.id)
        yield library.folder


@pytest.fixture
def library(made, tmp_path) -> Library:
    shutil.copytree(made, tmp_path / "library")
    return Library(tmp_path / "library")
