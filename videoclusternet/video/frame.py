"""One picture of a film: its place, its time, and its pixels when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter

from videoclusternet.errors import InputError
from videoclusternet.records import Array
from videoclusternet.video.screen import is_hdr, of_usual_brightness

Pixels = Literal["gray8", "rgb24"]


class Look(NamedTuple):
    """A picture of a frame that is wanted: what pixels, and how long its larger side at most."""

    pixels: Pixels
    long_side: int | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of the film, converted only when asked."""

    index: int  # from 0, in the order in which they are shown
    seconds: float  # after the first frame; strictly ascending
    damaged: bool  # the decoder had to invent parts of it
    resized: bool  # its stored size, turn or pixel format is not that of the frame before
    convert: Callable[[Pixels, int | None], Array] = field(repr=False)
    """Returns the picture in these pixels, its larger side at most so long."""

    def luma(self, long_side: int | None = None) -> Array:
        """Return the brightness, uint8 (height, width), from 0 black to 255 white.

        The picture is as large as `VideoInfo` says; `long_side` in pixels bounds its larger side.
        Raises InputError where it cannot be converted.
        """
        return self.convert("gray8", long_side)

    def rgb(self, long_side: int | None = None) -> Array:
        """Return the colours, uint8 (height, width, 3), sized as by `luma`."""
        return self.convert("rgb24", long_side)


def only(frames: Iterable[Frame], numbers: Array | None) -> Generator[Frame]:
    """Yield the frames with these ascending numbers, or all; nothing is asked for after the last.

    Fewer than there are numbers mean that the film ended.
    """
    if numbers is None:
        yield from frames
        return
    wanted = iter(numbers.tolist())
    number = next(wanted, None)
    for frame in frames if number is not None else ():
        if frame.index == number:
            yield frame
            number = next(wanted, None)
            if number is None:
                return


def convert(
    index: int,
    picture: Any,
    size: tuple[int, int],
    scalers: dict[Any, Any],
    pixels: Pixels,
    long_side: int | None,
) -> Array:
    """Return a picture upright, in these pixels. Raises InputError where that cannot be."""
    scale = min(1.0, long_side / max(size)) if long_side else 1.0
    width, height = (max(1, round(side * scale)) for side in size)
    turns = quarter_turns(picture)
    stored = (height, width) if turns % 2 else (width, height)
    scaler = scalers.setdefault(pixels, VideoReformatter())
    try:
        if is_hdr(picture):
            picture = of_usual_brightness(picture, stored, scalers)
        scaled = scaler.reformat(picture, *stored, pixels, interpolation="AREA", threads=1)
        return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), turns))
    except (FFmpegError, ValueError, MemoryError) as error:
        raise InputError(
            f"Frame {index} cannot be converted from {picture.format.name} ({error}): "
            "make a copy in another format."
        ) from None


def quarter_turns(picture: Any) -> int:
    """Return how often the stored picture must be turned to the left to stand upright."""
    return round(int(picture.rotation) / 90) % 4
