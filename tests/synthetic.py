"""A drawn film of which everything is known: cuts, times, and where each face is.

Backgrounds are smooth random textures, one per seed; faces are pictures given by the caller, moved
along straight lines. The same arguments always write the same film.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

TICKS = 90_000  # per second: the time base of drawn films

# Without "mbtree=0" x264 writes a film in one of several ways from one call to the next.
ENCODER = {"crf": "12", "preset": "veryfast", "threads": "1", "x264-params": "mbtree=0"}


@dataclass(frozen=True)
class DrawnFace:
    """A picture that moves in a straight line through a shot."""

    picture: Picture  # RGB, uint8 (height, width, 3)
    start: tuple[float, float]  # x, y of its top left corner in the first frame, pixels
    velocity: tuple[float, float] = (0.0, 0.0)  # pixels per frame
    size: int = 80  # its height in the film, pixels; the width follows
    name: str = ""
    frames: range | None = None  # when it is there, counted from the shot's start; None: always


@dataclass(frozen=True)
class DrawnShot:
    """A texture that may pan, with faces in front of it."""

    frames: int
    seed: int
    pan: tuple[float, float] = (0.0, 0.0)  # pixels per frame that the camera moves
    faces: Sequence[DrawnFace] = ()
    flashes: Sequence[int] = ()  # white frames, counted from the shot's start


@dataclass(frozen=True)
class DrawnTruth:
    """What is in a drawn film. A row of `frame`, `name` and `box` is one visible face."""

    first: list[int]  # first frame of each shot
    times: list[float]  # seconds of each frame, after the first one's
    frame: list[int] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    box: list[tuple[float, float, float, float]] = field(default_factory=list)  # inside the film


def draw_film(
    path: str | os.PathLike[str],
    shots: Sequence[DrawnShot],
    *,
    size: tuple[int, int] = (320, 240),
    fps: int = 25,
    times: Sequence[float] | None = None,
    rotation: int = 0,
    aspect: Fraction = Fraction(1),
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> DrawnTruth:
    """Write a film (H.264, the container by the path's suffix) and return what is in it.

    `size` is the upright picture's width and height. `times` in seconds makes the frame rate
    variable. With `rotation` (degrees to the left, in quarter turns) or `aspect` the pictures are
    stored turned or squeezed and marked so, and a right reader shows the same film as without.
    `pixels` is the stored pixel format (odd sizes need "yuv444p"), `options` go to the container.
    """
    total = sum(shot.frames for shot in shots)
    times = [i / fps for i in range(total)] if times is None else list(times)
    truth = DrawnTruth(
        first=[sum(shot.frames for shot in shots[:i]) for i in range(len(shots))],
        times=[t - times[0] for t in times],
    )
    with av.open(os.fspath(path), "w", options=options or {}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.pix_fmt = pixels
        stream.options = ENCODER
        stream.codec_context.time_base = Fraction(1, TICKS)
        stream.codec_context.sample_aspect_ratio = aspect
        blank = np.zeros((size[1], size[0], 3), np.uint8)
        stream.height, stream.width = _store(blank, rotation, aspect).shape[:2]
        if rotation:
            stream.set_display_rotation(rotation)
        for seconds, picture in zip(times, _draw(shots, size, truth), strict=True):
            stored = _store(picture, rotation, aspect)
            frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
            frame.pts, frame.time_base = round(seconds * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return truth


def _draw(
    shots: Sequence[DrawnShot], size: tuple[int, int], truth: DrawnTruth
) -> Iterator[Picture]:
    number = 0
    for shot in shots:
        background = texture(shot.seed, size)
        for index in range(shot.frames):
            shift = [-round(step * index) for step in reversed(shot.pan)]
            picture = np.roll(background, shift, axis=(0, 1))
            for face in shot.faces:
                if face.frames is None or index in face.frames:
                    _paste(picture, face, index, number, truth)
            if index in shot.flashes:
                picture[:] = 255
            yield picture
            number += 1


def texture(seed: int, size: tuple[int, int]) -> Picture:
    """Return a smooth random RGB picture that continues across its borders."""
    width, height = size
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    around = np.pad(coarse, ((2, 2), (2, 2), (0, 0)), mode="wrap")
    shape = (round(width * 14 / 10), round(height * 12 / 8))
    large = cv2.resize(around, shape, interpolation=cv2.INTER_CUBIC)
    left, top = round(width * 2 / 10), round(height * 2 / 8)
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def _paste(picture: Picture, face: DrawnFace, index: int, number: int, truth: DrawnTruth) -> None:
    height, width = picture.shape[:2]
    tall, wide = face.picture.shape[:2]
    shape = (max(1, round(wide * face.size / tall)), face.size)
    scaled = cv2.resize(face.picture, shape, interpolation=cv2.INTER_AREA)
    left, top = (
        round(at + step * index) for at, step in zip(face.start, face.velocity, strict=True)
    )
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + shape[0], width), min(top + shape[1], height)
    if x1 < x2 and y1 < y2:
        picture[y1:y2, x1:x2] = scaled[y1 - top : y2 - top, x1 - left : x2 - left]
        truth.frame.append(number)
        truth.name.append(face.name)
        truth.box.append((x1, y1, x2, y2))


def _store(picture: Picture, rotation: int, aspect: Fraction) -> Picture:
    """Return the picture as it lies in the file: turned to the right, then squeezed."""
    turned = np.rot90(picture, -rotation // 90)
    height, width = turned.shape[:2]
    squeezed = (round(width / max(aspect, 1)), round(height * min(aspect, 1)))
    if squeezed != (width, height):
        turned = cv2.resize(turned, squeezed, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(turned)
