"""Cutting the film into shots, and reading its clock while every frame passes by."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise, product

import cv2
import numpy as np

from videoclusternet.config import ShotsConfig
from videoclusternet.records import Array, Progress, Shots, silent
from videoclusternet.video.cuts import LONG_SIDE, looks_of, make_cut_finder
from videoclusternet.video.file import no_picture
from videoclusternet.video.gradual import GradualChanges
from videoclusternet.video.stream import Video

FLASH = 2  # frames that a flash lasts at most
RETURN = 0.5  # of the change: nearer than this, the picture before a cut has come back
SLACK = 1e-6  # seconds lost in subtracting times


def detect_shots(video: Video, config: ShotsConfig, progress: Progress = silent) -> Shots:
    """Decode the film once; return its shots and the time of every frame.

    Cuts are PySceneDetect's (paper), or those of another row of `video.cuts`. Ours, by default:
    its `AdaptiveDetector` on luma, for which a change must stand out from those around it, so that
    a fast pan is no cut. Ours with every row: a flash of up to `FLASH` frames is no cut, because
    the picture comes back; a cut sooner than `config.shortest` after the one before, or before the
    end of the film, does not count; a change of the picture's size always does; and a dissolve or
    another gradual change that is as far from all of these is cut in its middle. Raises UsageError
    where there is no such row, WeightsError where its file is missing, and InputError where the
    film has no frame.
    """
    cuts, flashes, gradual = make_cut_finder(config), _Flashes(), GradualChanges()
    seconds, found, resized = list[float](), list[int](), list[int]()
    for frame in video.walk(looks_of(config)):
        seconds.append(frame.seconds)
        luma = frame.luma(LONG_SIDE)
        found += cuts.look(frame, luma)
        flashes.look(luma)
        gradual.look(frame.index, frame.seconds, luma)
        if frame.resized:
            resized.append(frame.index)
        progress(frame.index + 1, max(frame.index + 1, video.info.frames or 0))
    if not seconds:
        raise no_picture(video.path)
    found += cuts.finish()
    flashes.finish()
    found = [cut for cut in found if cut not in flashes.frames]
    steps = np.diff(seconds)
    last = float(np.median(steps)) if len(steps) else 1 / video.info.fps
    times = np.array([*seconds, seconds[-1] + last])
    first = _spaced(found, resized, times, config.shortest)
    for middle in gradual.finish():
        known = [*first, *found, len(seconds)]
        if np.abs(times[known] - times[middle]).min() >= config.shortest - SLACK:
            first = np.sort(np.append(first, middle))
    progress(len(seconds), len(seconds))
    return Shots(first=first, stop=np.append(first[1:], len(seconds)), times=times)


class _Flashes:
    """Where a picture of just before is seen again: a cut there is the start or end of a flash.

    The film is prolonged by its first and its last picture, so that each frame has `FLASH` more on
    either side.
    """

    def __init__(self) -> None:
        self.frames: set[int] = set()
        self._seen: deque[Array] = deque(maxlen=2 * (FLASH + 1))  # half of them before `_frame`
        self._frame = 0

    def look(self, luma: Array) -> None:
        """Take the next picture, uint8 (height, width)."""
        if not self._seen:
            self._seen.extend([luma] * FLASH)
        self._add(luma)

    def finish(self) -> None:
        """Judge the last frames of the film."""
        for _ in range(FLASH):
            self._add(self._seen[-1])

    def _add(self, luma: Array) -> None:
        self._seen.append(luma)
        if len(self._seen) < 2 * (FLASH + 1):
            return
        self._frame += 1
        seen = list(self._seen)
        before, after = seen[: FLASH + 1], seen[FLASH + 1 :]
        change = _difference(before[-1], after[0])
        if any(_difference(a, b) < RETURN * change for a, b in product(before, after)):
            self.frames.add(self._frame)


def _difference(left: Array, right: Array) -> float:
    """Return the mean absolute difference of two pictures in grey levels."""
    return float(cv2.norm(left, right, cv2.NORM_L1)) / left.size


def _spaced(found: Iterable[int], resized: list[int], times: Array, shortest: float) -> Array:
    """Return the first frame of every shot: all `resized`, and of `found` those far enough apart.

    `times` in seconds, the last one being the end of the film.
    """
    first = []
    for start, stop in pairwise([0, *resized, len(times) - 1]):
        first.append(start)
        for cut in found:
            in_part = start < cut < stop
            since, left = times[cut] - times[first[-1]], times[stop] - times[cut]
            if in_part and min(since, left) >= shortest - SLACK:
                first.append(cut)
    return np.array(first)
