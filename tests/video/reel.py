"""Films without a file or a decoder: pictures, each with its time; some are of real people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2

from videoclusternet.demo.pictures import DEMO_ASSETS
from videoclusternet.records import Array
from videoclusternet.video.frame import Look
from videoclusternet.weights.assets import locate


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

    def walk(self, looks: Sequence[Look]) -> Iterator[Shown]:
        rows = enumerate(zip(self.times, self.pictures, strict=True))
        return (Shown(i, t, picture, i in self.resized) for i, (t, picture) in rows)


@cache
def picture_of(name: str) -> Array:
    """One of the demonstration's pictures, RGB, as small as cuts are looked for."""
    stored = cv2.imread(str(locate(DEMO_ASSETS[f"demo_{name}"])))
    return cv2.resize(
        cv2.cvtColor(stored, cv2.COLOR_BGR2RGB), (320, 180), None, 0, 0, cv2.INTER_AREA
    )


def still(name: str, frames: int) -> list[Array]:
    return [picture_of(name)] * frames


def zoom(name: str, frames: int) -> list[Array]:
    """A camera that goes slowly closer to the middle of a picture."""
    maps = (cv2.getRotationMatrix2D((160, 90), 0, 1.1 + 0.002 * i) for i in range(frames))
    return [cv2.warpAffine(picture_of(name), motion, (320, 180)) for motion in maps]
