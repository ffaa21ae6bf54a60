from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from videoclusternet.errors import InputError
from videoclusternet.records import Array
from videoclusternet.video.stream import open_video
from videoclusternet.video.writer import write_video

COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (128, 128, 128)]


def frames() -> Iterator[Array]:
    for colour in COLOURS:
        yield np.full((48, 64, 3), colour, np.uint8)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", frames(), 25, (64, 48))
    video = open_video(tmp_path / "film.mp4")
    read = list(video.frames())
    assert (video.info.width, video.info.height, video.info.fps) == (64, 48, 25)
    assert [round(frame.seconds, 3) for frame in read] == [0, 0.04, 0.08, 0.12]
    for frame, colour in zip(read, COLOURS, strict=True):
        assert np.abs(frame.rgb().mean(axis=(0, 1)) - colour).max() < 8
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_the_same_frames_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        write_video(tmp_path / name, frames(), 25, (64, 48))
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_a_film_that_breaks_off_is_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[Array]:
        yield from frames()
        raise InputError("the frames end here")

    with pytest.raises(InputError, match="end here"):
        write_video(tmp_path / "film.mp4", broken(), 25, (64, 48))
    assert not (tmp_path / "film.mp4").exists()
