"""Films without a file or a decoder: pictures, each with its time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import cv2

from videoclusternet.records import Array


@dataclass
class Shown:
    """A frame without a decoder: a picture of brightness or of colours, as it is."""

    index: int
    seconds: float
    picture: Array
    resized: bool = False

    def luma(self, long_side: int) -> Array:
        grey = self.picture.ndim == 2
        return self.picture if grey else cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY)

    def rgb(self, long_side: int) -> Array:
        return self.picture if self.picture.ndim == 3 else cv2.merge([self.picture] * 3)


@dataclass
class Info:
    frames: int | None = None
    fps: float = 25.0


class Reel:
    """A video without a file: pictures, each with its time."""

    path = "reel"
    info = Info()

    def __init__(
        self,
        pictures: Sequence[Array],
        times: Sequence[float] | None = None,
        resized: Collection[int] = (),
    ) -> None:
        self.pictures, self.resized = pictures, resized
        self.times = [i / 25 for i in range(len(pictures))] if times is None else times

    def frames(self) -> Iterator[Shown]:
        rows = enumerate(zip(self.times, self.pictures, strict=True))
        return (Shown(i, t, picture, i in self.resized) for i, (t, picture) in rows)
