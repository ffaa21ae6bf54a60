"""A moment cut out for the browser."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest

from tests.synthetic import DrawnShot, draw_film
from videoclusternet.errors import InputError
from videoclusternet.video.clip import LONGEST, cut_clip
from videoclusternet.video.stream import open_video


@pytest.mark.parametrize("size", [(160, 120), (1280, 720)])
def test_a_moment_lasts_as_long_and_shows_the_same(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "film.mp4"
    draw_film(path, [DrawnShot(50, seed=1), DrawnShot(50, seed=2)], size=size)
    video = open_video(path)
    data = cut_clip(video, 1.0, 3.0)
    with av.open(io.BytesIO(data)) as clip:
        assert clip.streams.video[0].codec_context.name == "vp8"
        pictures = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert len(pictures) == 50
    assert max(pictures[0].shape) <= 640
    apart = [abs(picture.astype(float) - pictures[0]).mean() for picture in pictures]
    assert max(apart[:25]) < min(apart[25:])  # the cut at 2 s lies in the middle


def test_a_moment_after_the_end_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    draw_film(path, [DrawnShot(10, seed=1)], size=(160, 120))
    with pytest.raises(InputError, match=r"no picture from 9\.0"):
        cut_clip(open_video(path), 9.0, 10.0)


def test_a_long_moment_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    draw_film(path, [DrawnShot(400, seed=1)], size=(64, 48))
    with av.open(io.BytesIO(cut_clip(open_video(path), 0.0, 16.0))) as clip:
        last = max(frame.time for frame in clip.decode(video=0))
    assert LONGEST - 0.2 < last < LONGEST
