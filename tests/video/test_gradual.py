from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.video.reel import Reel, picture_of, zoom
from videoclusternet.config import ShotsConfig
from videoclusternet.video import gradual
from videoclusternet.video.gradual import WINDOWS, GradualChanges, changes
from videoclusternet.video.shots import detect_shots

SEA, CARDS = (picture_of(name).mean(axis=2) for name in ("seaside", "cards"))


def mixed(first, second, length):
    """A dissolve: `length` pictures that are neither of the two, from one scene to the other."""
    shares = np.arange(1, length + 1) / (length + 1)
    return [
        ((1 - t) * a + t * b).round().astype(np.uint8)
        for t, a, b in zip(shares, first, second, strict=True)
    ]


def cuts(pictures, fps=25.0):
    pictures = [np.asarray(picture).round().astype(np.uint8) for picture in pictures]
    reel = Reel(pictures, [i / fps for i in range(len(pictures))])
    return detect_shots(reel, ShotsConfig()).first.tolist()[1:]


def middles(pictures):
    """What is found without any other detector."""
    finder = GradualChanges()
    for frame, picture in enumerate(pictures):
        finder.look(frame, frame / 25, np.asarray(picture).round().astype(np.uint8))
    return finder.finish()


def with_dissolve(length, around=40):
    return [SEA] * around + mixed([SEA] * length, [CARDS] * length, length) + [CARDS] * around


@pytest.mark.parametrize("length", [3, 5, 8, 13, 25, 40, 60])
def test_a_dissolve_is_cut_in_its_middle(length):
    (cut,) = cuts(with_dissolve(length))
    assert abs(cut - (40 + length / 2)) <= 1 + length / 20


@pytest.mark.parametrize("fps", [10, 24, 30, 50, 60, 120])
def test_a_dissolve_is_found_at_any_rate(fps):
    length = round(0.8 * fps)
    (cut,) = cuts(with_dissolve(length, around=2 * fps), fps)
    assert cut / fps == pytest.approx(2 + 0.4, abs=0.1)


@pytest.mark.parametrize("at", [464, *range(480, 514, 3), 530, 970])
def test_where_a_block_ends_makes_no_difference(at):
    first, second = ([SEA] * at, [SEA] * 100)
    for film in (first, second):
        film += mixed([SEA] * 12, [CARDS] * 12, 12) + [CARDS] * 60
    assert [middle - at for middle in middles(first)] == [middles(second)[0] - 100]


def test_scenes_that_move_dissolve_too():
    first, second = (
        [frame.mean(axis=2) for frame in zoom(name, 80)] for name in ("obama_speaking", "seaside")
    )
    film = first[:40] + mixed(first[40:56], second[:16], 16) + second[16:]
    (cut,) = cuts(film)
    assert abs(cut - 48) <= 2


def test_a_dissolve_under_black_bars_is_found():
    film = np.array(with_dissolve(12))
    film[:, :22] = film[:, -22:] = 0
    (cut,) = cuts(film)
    assert abs(cut - 46) <= 1


def test_a_fade_through_black_is_cut_where_it_is_black():
    down = np.linspace(1, 0, 10)
    film = [SEA] * 30 + [SEA * t for t in down] + [CARDS * t for t in down[::-1]] + [CARDS] * 30
    (cut,) = cuts(film)
    assert abs(cut - 40) <= 3


def test_a_cut_in_the_dark_is_found():
    dark = [SEA / 6] * 30 + [CARDS / 6] * 30
    assert middles(dark) == cuts(dark) == [30]


@pytest.mark.parametrize("length", [3, 10, 20, 50])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_fade_of_one_scene_is_none(level, length):
    there = np.linspace(0, 1, length)
    film = [SEA + (level - SEA) * t for t in [*there, *there[::-1]]]
    assert middles([SEA] * 30 + film + [SEA] * 30) == []


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_flash_is_none(length):
    assert middles([SEA] * 40 + [np.full_like(SEA, 255)] * length + [SEA] * 40) == []


def test_light_that_goes_on_is_none():
    light = np.concatenate([np.full(30, 0.3), np.linspace(0.3, 1, 20), np.full(30, 1.0)])
    assert middles([SEA * share for share in light]) == []


@pytest.mark.parametrize("speed", [1, 2, 4, 9, 30])
@pytest.mark.parametrize("scene", [SEA, CARDS])
def test_a_pan_is_none(scene, speed):
    wide = np.hstack([scene, scene[:, ::-1]] * 2)
    starts = np.clip(np.arange(-30, 60), 0, 30) * speed % 640
    assert middles([wide[:, at : at + 320] for at in starts]) == []


@pytest.mark.parametrize("speed", [2, 5, 12])
def test_a_person_who_walks_through_is_none(speed):
    film = []
    for left in range(-80, 400, speed):
        film.append(SEA.copy())
        film[-1][60:180, max(left, 0) : max(left + 80, 0)] = 20
    assert middles(film) == []


def test_a_film_of_noise_has_none():
    rng = np.random.default_rng(0)
    assert middles(rng.integers(0, 256, (90, 90, 160))) == []


@pytest.mark.parametrize("count", [1, 2, 47, 48, 49])
def test_the_shortest_films(count):
    assert middles([SEA] * count) == []


def slowly(pictures, window):
    """Say the same of each window in plain words."""

    def alike(one, other):
        below = max(np.sqrt((one**2).mean() * (other**2).mean()), gradual.LEAST**2)
        return (one * other).mean() / below

    found = []
    for start in range(len(pictures) - window):
        parts = pictures[start : start + window + 1]
        a, b = parts[0], parts[-1]
        if min(a.std(), b.std()) < gradual.LEAST:
            found.append(False)
            continue
        off = [
            (parts[step] - a - (b - a) * step / window).std()
            for step in (window // 4, window // 2, window * 3 // 4)
        ]
        lost = (a.var() + b.var()) / 2 - parts[window // 2].var()
        dissolve = (
            alike(a, b) < gradual.OTHER
            and max(off) < gradual.BEND * (b - a).std()
            and lost > gradual.DIP * (b - a).var() / 4
        )
        far = start + 2 * window
        stands = (
            window <= gradual.STILL
            and start >= window
            and far < len(pictures)
            and alike(pictures[start - window], a) > gradual.SAME
            and alike(b, pictures[far]) > gradual.SAME
            and alike(a, b) < gradual.UNLIKE
        )
        found.append(dissolve or stands)
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(WINDOWS))
def test_the_windows_are_those_of_a_plain_loop(seed, window):
    rng = np.random.default_rng(seed)
    scenes = rng.normal(0, rng.choice([5, 30]), (4, 24))
    shares = np.clip(np.cumsum(rng.choice([0, 0, 0.03, 0.1, 1], 80)), 0, 2.999)
    pictures = np.array([(1 - s % 1) * scenes[int(s)] + s % 1 * scenes[int(s) + 1] for s in shares])
    pictures += rng.normal(0, rng.choice([0.5, 4]), pictures.shape)
    pictures -= pictures.mean(axis=1, keepdims=True)
    products = pictures @ pictures.T / pictures.shape[1]
    assert changes(products, window).tolist() == slowly(pictures, window)
