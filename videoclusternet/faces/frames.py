"""The frames of a film that somebody wants, and no more of it than that takes."""

from __future__ import annotations

from collections.abc import Generator

from videoclusternet.errors import InputError
from videoclusternet.records import Array
from videoclusternet.video.ahead import ahead
from videoclusternet.video.stream import Frame, Video


def frames_of(video: Video, numbers: Array) -> Generator[Frame]:
    """Yield the frames with these ascending numbers; decoding ends with the last one.

    While one is looked at, the next is decoded. Raises InputError where the film ends before it.
    """
    return ahead(_wanted(video, numbers))


def _wanted(video: Video, numbers: Array) -> Generator[Frame]:
    wanted = iter(numbers.tolist())
    number = next(wanted, None)
    if number is None:
        return
    for frame in video.frames():
        if frame.index == number:
            yield frame
            number = next(wanted, None)
            if number is None:
                return
    raise InputError(f"The film ends before frame {number}, which it had: was it changed?")
