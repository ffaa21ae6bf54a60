from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from videoclusternet.demo import film as film_module
from videoclusternet.demo.cuts import SHOTS
from videoclusternet.demo.film import FPS, LABEL, SIZE, build_demo_film
from videoclusternet.errors import WeightsError
from videoclusternet.faces.detectors import choose_detector, load_detector
from videoclusternet.records import Array
from videoclusternet.results.truth import Truth, read_truth
from videoclusternet.tracks.boxes import iou
from videoclusternet.video.stream import open_video

Film = tuple[Path, Truth]
FIRST = np.cumsum([0, *(shot.frames for shot in SHOTS)])  # the first frame of each shot


@pytest.fixture(scope="module")
def film(demo_film: tuple[Path, Path]) -> Film:
    path, truth = demo_film
    return path, read_truth(truth)


@pytest.fixture(scope="module")
def labelled(film: Film) -> dict[int, Array]:
    """Every fourth labelled frame of the film."""
    frames = open_video(film[0]).frames()
    return {frame.index: frame.rgb() for frame in frames if frame.index % (4 * LABEL) == 0}


def test_it_is_a_film_of_a_minute(film: Film) -> None:
    video = open_video(film[0])
    times = [frame.seconds for frame in video.frames()]
    assert video.damaged == 0
    assert (video.info.width, video.info.height) == SIZE
    assert len(times) == FIRST[-1]
    assert np.allclose(times, np.arange(len(times)) / FPS)
    assert 55 < len(times) / FPS < 75


def test_people_return_and_meet(film: Film) -> None:
    _, truth = film
    shots = np.searchsorted(FIRST, truth.frame, side="right") - 1
    people = np.unique(truth.name)
    assert len(people) >= 10
    assert all(len(np.unique(shots[truth.name == name])) >= 3 for name in people)
    together = np.unique(truth.frame, return_counts=True)[1]
    assert {1, 2, 3} < set(together)
    assert len(np.unique(shots)) < len(SHOTS)  # some shots show nobody


def test_truth_is_complete(film: Film) -> None:
    _, truth = film
    expected = {
        (frame, name)
        for number, shot in enumerate(SHOTS)
        for frame in range(FIRST[number], FIRST[number + 1])
        for part in shot.parts
        for name in part.people
        if frame % LABEL == 0
    }
    rows = list(zip(truth.frame.tolist(), truth.name.tolist(), strict=True))
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_true_boxes_lie_in_the_picture(film: Film) -> None:
    box = film[1].box
    assert np.all(box >= 0)
    assert np.all(box[:, 2:] <= SIZE)
    assert np.all(box[:, 2:] - box[:, :2] > 25)


def test_a_cut_changes_the_picture() -> None:
    for before, after in pairwise(SHOTS):
        assert not {part.picture for part in before.parts} & {part.picture for part in after.parts}


def test_a_detector_sees_what_the_truth_says(film: Film, labelled: dict[int, Array]) -> None:
    _, truth = film
    detector = load_detector(*choose_detector("centerface"))
    found, strangers = [], 0
    for frame, picture in labelled.items():
        true = truth.box[truth.frame == frame]
        seen = detector([picture], 0.5)[0].boxes
        overlap = np.array([iou(np.broadcast_to(box, seen.shape), seen) for box in true])
        overlap = overlap.reshape(len(true), len(seen))
        found += list(overlap.max(axis=1, initial=0) >= 0.5)
        strangers += int(np.sum(overlap.max(axis=0, initial=0) < 0.5))
    assert np.mean(found) >= 0.95
    assert strangers <= 0.02 * len(found)


def test_the_same_seed_makes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_module, "SHOTS", SHOTS[6:7])
    names = ("one", "two", "other")
    made = [build_demo_film(tmp_path / names[n], seed=(7, 7, 8)[n]) for n in range(3)]
    one, two, other = [[path.read_bytes() for path in paths] for paths in made]
    assert one == two
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_progress_counts_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_module, "SHOTS", SHOTS[:1])
    steps: list[tuple[int, int]] = []
    build_demo_film(tmp_path, lambda *step: steps.append(step))
    assert steps == [(n, SHOTS[0].frames) for n in range(1, SHOTS[0].frames + 1)]


def test_without_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "empty"))
    with pytest.raises(WeightsError, match=r"'demo_\w+' is missing: run 'vcn setup --demo'"):
        build_demo_film(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
