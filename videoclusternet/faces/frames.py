"""The frames of a film that somebody wants, and no more of it than that takes."""

from __future__ import annotations

from collections.abc import Generator

from videoclusternet.errors import InputError
from videoclusternet.records import Array
from videoclusternet.video.frame import Frame, Look
from videoclusternet.video.stream import Video


def frames_of(video: Video, numbers: Array, *looks: Look) -> Generator[Frame]:
    """Yield the frames with these ascending numbers; decoding ends with the last one.

    They have the pictures of `looks`, and no others. Raises InputError where the film ends before
    the last of them.
    """
    seen = 0
    for frame in video.walk(looks, numbers):
        yield frame
        seen += 1
    if seen < len(numbers):
        raise InputError(
            f"The film ends before frame {numbers[seen]}, which it had: if it was changed, run it "
            "again."
        )
