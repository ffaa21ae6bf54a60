from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthetic import DrawnFace, DrawnShot, draw_film, texture
from tests.video.reel import Reel
from videoclusternet.config import ShotsConfig
from videoclusternet.errors import InputError
from videoclusternet.video.shots import detect_shots
from videoclusternet.video.stream import open_video

CONFIG = ShotsConfig()


def picture(seed):
    return texture(seed, (48, 36))[:, :, 1]


def reel(*lengths, **keywords):
    """A reel of still shots of these lengths."""
    return Reel([picture(i) for i, n in enumerate(lengths) for _ in range(n)], **keywords)


def cuts(video, config=CONFIG):
    return detect_shots(video, config).first.tolist()


def test_hard_cuts_and_the_clock_of_a_drawn_film(tmp_path):
    face = DrawnFace(texture(9, (60, 80)), start=(10, 40), velocity=(4, 1))
    truth = draw_film(
        tmp_path / "film.mp4",
        [
            DrawnShot(30, seed=1, faces=[face]),
            DrawnShot(40, seed=2, pan=(9, 0)),
            DrawnShot(20, seed=3, flashes=[8, 14, 15]),
            DrawnShot(10, seed=4, pan=(0, 4)),
            DrawnShot(35, seed=5),
        ],
    )
    seen = []
    video = open_video(tmp_path / "film.mp4")
    shots = detect_shots(video, CONFIG, lambda done, total: seen.append((done, total)))
    assert shots.first.tolist() == truth.first
    assert shots.stop.tolist() == [*truth.first[1:], 135]
    assert shots.times == pytest.approx([*truth.times, 135 / 25])
    assert [done for done, _ in seen[:-1]] == list(range(1, 136))
    assert seen[-1] == (135, 135)
    again = detect_shots(video, CONFIG)
    assert all(np.array_equal(a, again.columns()[name]) for name, a in shots.columns().items())


def test_frame_numbers_stay_true_at_a_variable_rate(tmp_path):
    gaps = np.random.default_rng(0).choice([0.02, 0.04, 0.3], 89)
    times = np.concatenate([[0], np.cumsum(gaps)])
    drawn = [DrawnShot(30, seed) for seed in range(3)]
    truth = draw_film(tmp_path / "vfr.mp4", drawn, times=times)
    shots = detect_shots(open_video(tmp_path / "vfr.mp4"), CONFIG)
    assert shots.first.tolist() == truth.first
    assert shots.times[:-1] == pytest.approx(truth.times, abs=1e-4)
    assert shots.times[-1] - shots.times[-2] == pytest.approx(np.median(gaps), abs=1e-4)


def test_a_change_of_size_is_a_cut_even_where_nothing_else_changes(tmp_path):
    data = b""
    for size in ((64, 48), (128, 96)):
        draw_film(tmp_path / "part.ts", [DrawnShot(10, seed=1)], size=size)
        data += (tmp_path / "part.ts").read_bytes()
    (tmp_path / "film.ts").write_bytes(data)
    shots = detect_shots(open_video(tmp_path / "film.ts"), CONFIG)
    assert shots.first.tolist() == [0, 10]
    assert shots.times == pytest.approx([i / 25 for i in range(21)])


@pytest.mark.parametrize("pan", [(0, 0), (2, 0), (9, 0), (20, 7), (-15, 0)])
def test_a_pan_is_no_cut(tmp_path, pan):
    draw_film(tmp_path / "pan.mp4", [DrawnShot(40, seed=1, pan=pan)])
    assert cuts(open_video(tmp_path / "pan.mp4")) == [0]


def test_a_pan_that_starts_and_stops_is_no_cut():
    still = [0] * 12
    steps = [*still, *([3] * 12), *still]
    pictures = [np.roll(picture(1), -sum(steps[: i + 1]), axis=1) for i in range(36)]
    assert cuts(Reel(pictures)) == [0]


@pytest.mark.parametrize("pan", [0, 1])
@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("at", [1, 2, 15, 27, 28])
def test_a_flash_is_no_cut(length, at, pan):
    pictures = [np.roll(picture(1), -pan * i, axis=1) for i in range(30)]
    for i in range(at, min(at + length, 30)):
        pictures[i] = np.full_like(pictures[i], 255)
    assert cuts(Reel(pictures)) == [0]


def test_a_slow_fade_to_black_is_no_cut():
    pictures = [(picture(1) * (1 - i / 40)).astype(np.uint8) for i in range(41)]
    assert cuts(Reel(pictures)) == [0]


def test_no_shot_is_shorter_than_asked():
    assert cuts(reel(10, 10, 10)) == [0, 10, 20]  # 10 frames are 0.4 s
    assert cuts(reel(9, 30)) == [0]
    assert cuts(reel(30, 9)) == [0]
    assert cuts(reel(30, 9, 30)) == [0, 30]
    assert cuts(reel(30, 9, 30), ShotsConfig(shortest=0.36)) == [0, 30, 39]


def test_shortest_counts_seconds_of_the_film_and_not_frames():
    times = [i / 25 if i < 10 else 0.36 + (i - 9) * 0.01 for i in range(50)]
    assert cuts(reel(10, 20, 20, times=times), ShotsConfig(shortest=0.2)) == [0, 10, 30]
    assert cuts(reel(10, 20, 20, times=times), ShotsConfig(shortest=0.3)) == [0, 10]


def test_every_frame_is_within_reach_even_the_first_and_the_last():
    seconds = [float(i) for i in range(12)]
    assert cuts(reel(1, 10, 1, times=seconds)) == [0, 1, 11]
    assert cuts(reel(2, 8, 2, times=seconds)) == [0, 2, 10]


def test_the_least_change_is_in_grey_levels():
    film = Reel([np.full((9, 16), level, np.uint8) for level in [100] * 20 + [111] * 20])
    assert cuts(film, ShotsConfig(change=10.9)) == [0, 20]
    assert cuts(film, ShotsConfig(change=11.1)) == [0]


def test_the_change_must_stand_out_by_the_ratio():
    levels = np.cumsum([0, *([10] * 9), 50, *([10] * 9)])  # five times what is around it
    film = Reel([np.full((9, 16), level, np.uint8) for level in levels])
    assert cuts(film, ShotsConfig(ratio=4.9, shortest=0.1)) == [0, 10]
    assert cuts(film, ShotsConfig(ratio=5.1, shortest=0.1)) == [0]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_films(frames):
    shots = detect_shots(reel(frames), CONFIG)
    assert (shots.first.tolist(), shots.stop.tolist()) == ([0], [frames])
    assert shots.times == pytest.approx([i / 25 for i in range(frames + 1)])


def test_a_film_without_a_frame_is_an_input_error():
    with pytest.raises(InputError, match="Not one picture"):
        detect_shots(reel(), CONFIG)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(10, 25), min_size=1, max_size=6), st.data())
def test_shots_cover_the_film_and_every_cut_is_found(lengths, data):
    total = sum(lengths)
    gaps = data.draw(st.lists(st.sampled_from([0.04, 0.1]), min_size=total, max_size=total))
    resized = data.draw(st.sets(st.integers(1, total - 1), max_size=2))
    film = reel(*lengths, times=np.cumsum(gaps).tolist(), resized=resized)
    shots = detect_shots(film, CONFIG)
    starts = set(np.cumsum([0, *lengths[:-1]]).tolist())
    found = set(shots.first.tolist())
    assert {0, *resized} <= found <= starts | resized
    boundaries = np.array(sorted({*resized, total}))
    for cut in starts - found:  # only those that a forced cut stands too near to
        near = np.abs(shots.times[cut] - shots.times[boundaries]) < CONFIG.shortest
        assert near.any()
    assert shots.of(np.arange(total)).tolist() == [
        i for i, n in enumerate(shots.stop - shots.first) for _ in range(n)
    ]
