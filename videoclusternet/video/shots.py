"""Cutting the film into shots, and reading its clock while every frame passes by."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise, product

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, FrameTimecode

from videoclusternet.config import ShotsConfig
from videoclusternet.errors import InputError
from videoclusternet.records import Array, Progress, Shots, silent
from videoclusternet.video.file import quoted
from videoclusternet.video.stream import Video

LONG_SIDE = 320  # pixels in which pictures are compared; more sees no more cuts
WINDOW = 2  # frames on either side that a change is measured against (PySceneDetect's default)
RETURN = 0.5  # of the change: nearer than this, the picture before a cut has come back
SLACK = 1e-6  # seconds lost in subtracting times


def detect_shots(video: Video, config: ShotsConfig, progress: Progress = silent) -> Shots:
    """Decode the film once; return its shots and the time of every frame.

    Cuts are PySceneDetect's (`AdaptiveDetector` on luma: a change that stands out from those
    around it, so that a fast pan is none). Ours: a flash of up to two frames is no cut, because the
    picture comes back; a cut sooner than `config.shortest` after the one before, or before the end
    of the film, does not count; a change of the picture's size always does. Dissolves and fades
    are not found. Raises InputError where the film has no frame.
    """
    cuts = _CutFinder(config.ratio, config.change)
    seconds, found, resized = [], [], []
    for frame in video.frames():
        seconds.append(frame.seconds)
        found += cuts.look(frame.luma(LONG_SIDE))
        if frame.resized:
            resized.append(frame.index)
        progress(frame.index + 1, max(frame.index + 1, video.info.frames or 0))
    if not seconds:
        raise InputError(f"Not one picture of {quoted(video.path)} can be decoded.")
    found += cuts.finish()
    steps = np.diff(seconds)
    last = float(np.median(steps)) if len(steps) else 1 / video.info.fps
    times = np.array([*seconds, seconds[-1] + last])
    first = _spaced(found, resized, times, config.shortest)
    progress(len(seconds), len(seconds))
    return Shots(first=first, stop=np.append(first[1:], len(seconds)), times=times)


class _CutFinder:
    """PySceneDetect's detector, fed with frame numbers instead of times, so that it reports such.

    The first and the last picture are fed `WINDOW` times more, so that the window reaches every
    frame of the film.
    """

    def __init__(self, ratio: float, change: float) -> None:
        self._detector = AdaptiveDetector(
            adaptive_threshold=ratio,
            min_content_val=change,
            min_scene_len=0,
            window_width=WINDOW,
            luma_only=True,
        )
        self._fed = 0
        self._seen: deque[Array] = deque(maxlen=2 * (WINDOW + 1))  # half of them before a cut

    def look(self, luma: Array) -> list[int]:
        """Return the cuts that this picture reveals: frames that begin a new shot."""
        if not self._seen:
            self._feed(luma, times=WINDOW)
        return self._feed(luma)

    def finish(self) -> list[int]:
        """Return the cuts in the last frames of the film."""
        return self._feed(self._seen[-1], times=WINDOW)

    def _feed(self, luma: Array, times: int = 1) -> list[int]:
        found: list[int] = []
        for _ in range(times):
            self._seen.append(luma)
            number = FrameTimecode(self._fed, fps=1.0)
            self._fed += 1
            cuts = self._detector.process_frame(number, cv2.merge([luma] * 3))
            if cuts and not self._comes_back():
                found += [cut.frame_num - WINDOW for cut in cuts]
        return found

    def _comes_back(self) -> bool:
        """Tell whether a picture before the cut is seen again right after it: a flash."""
        *before, new, _, _ = self._seen
        after = list(self._seen)[-WINDOW - 1 :]
        change = _difference(before[-1], new)
        return any(_difference(a, b) < RETURN * change for a, b in product(before, after))


def _difference(left: Array, right: Array) -> float:
    """Return the mean absolute difference of two pictures in grey levels."""
    return float(cv2.absdiff(left, right).mean())


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
