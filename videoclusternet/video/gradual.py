"""Where one picture passes into another by and by: dissolves, fades through black, slides.

A detector of cuts asks how much changes from one frame to the next, and there it is little.
"""

from __future__ import annotations

import cv2
import numpy as np

from videoclusternet.records import Array

SIZE = 32, 18  # pixels, width and height, in which pictures are compared: what moves hardly shows
RIM = 0.15  # share of a picture on each side that may be a black bar or a station's sign
RATE = 32  # pictures per second at most; of a faster film some are left out
WINDOWS = 4, 6, 8, 12, 16, 24, 32, 48  # pictures from the one before to the one after
STILL = 12  # pictures of the longest window on either side of which the film may stand still
LEAST = 6.0  # grey levels of deviation; less is no picture to tell from another
OTHER = 0.7  # correlation; less are two scenes, if a dissolve joins them
BEND = 0.31  # share of the change by which a dissolve may leave the straight line
DIP = 0.6  # share of the contrast that a dissolve loses, that has to be lost
UNLIKE = 0.5  # correlation; less are two scenes that stand still
SAME = 0.8  # correlation; more is one scene that stands still
BLOCK = 512  # pictures that are compared at once
JOINED = 4  # pictures; middles of windows that are no further apart belong to one change


class GradualChanges:
    """Finds the middles of gradual changes in a film that passes by.

    Two pictures A and B, a window apart, are of two scenes where they correlate little. After a
    camera's move they do so, too; hence one of two more has to hold. A dissolve goes straight from
    A to B: after the share t of the window the picture is nearly (1 - t) A + t B, and at half of it
    the contrast is less than before and after, as two scenes lie over each other (Alattar, 1993);
    a move keeps the contrast. Or the film stands still on both sides: the pictures a window before
    A and after B are as A and B. That finds fades through black, slides, and cuts too dark for a
    limit in grey levels. The choice of both, and all limits, are ours.

    Light, flashes and fades to nothing do not count: pictures are compared less their mean and by
    correlation, and what has hardly any deviation is no picture.
    """

    def __init__(self) -> None:
        self._frames: list[int] = []
        self._pictures: list[Array] = []
        self._last = -np.inf  # seconds of the last picture
        self._middles: dict[int, int] = {}  # frames in the middle of a window across a change,
        # by the number of their picture
        self._gone = 0  # pictures that are no longer held

    def look(self, frame: int, seconds: float, luma: Array) -> None:
        """Take the next frame: its number, its time and its brightness, uint8 (height, width)."""
        if seconds - self._last < 1 / RATE:
            return
        self._last = seconds
        self._frames.append(frame)
        self._pictures.append(_small(luma))
        if len(self._frames) == BLOCK:
            self._compare()
            kept = max(*WINDOWS, 3 * STILL)  # so many may be of windows that are not whole yet
            self._gone += len(self._frames) - kept
            del self._frames[:-kept], self._pictures[:-kept]

    def finish(self) -> list[int]:
        """Return the frame in the middle of each change, ascending."""
        if self._frames:
            self._compare()
        pictures = np.array(sorted(self._middles), np.int64)
        middles = np.array([self._middles[picture] for picture in pictures.tolist()], np.int64)
        runs = np.split(middles, np.flatnonzero(np.diff(pictures) > JOINED) + 1)
        return [int(run[0] + run[-1] + 1) // 2 for run in runs if len(run)]

    def _compare(self) -> None:
        pictures = np.array(self._pictures)
        products = pictures @ pictures.T / pictures.shape[1]
        for window in WINDOWS:
            middles = np.flatnonzero(changes(products, window)) + window // 2
            for middle in middles.tolist():
                self._middles[self._gone + middle] = self._frames[middle]


def changes(products: Array, window: int) -> Array:
    """Return which windows cross a gradual change: bool (n - window,), by their first picture.

    `products` are the mean products of any two pictures (n, n), each less its mean; `window` is
    counted in pictures.
    """
    starts = np.arange(max(0, len(products) - window))

    def product(one: int, other: int) -> Array:
        """Return the product of two pictures of each window, told by their places in it."""
        return products[starts + one, starts + other]

    before, after, both = product(0, 0), product(window, window), product(0, window)
    alike = both / np.maximum(np.sqrt(before * after), LEAST**2)
    change = before + after - 2 * both
    bend = np.zeros(len(starts))  # squared, where the line is furthest
    for step in (window // 4, window // 2, window * 3 // 4):
        a, b = 1 - step / window, step / window
        line = a * a * before + b * b * after + 2 * a * b * both
        off = product(step, step) - 2 * (a * product(0, step) + b * product(step, window)) + line
        bend = np.maximum(bend, off)
    dip = (before + after) / 2 - product(window // 2, window // 2)  # a dissolve's: change / 4
    found = (alike < OTHER) & (bend < BEND**2 * change) & (dip > DIP * change / 4)
    if window <= STILL and len(starts) > 2 * window:
        still = np.minimum(alike[: -2 * window], alike[2 * window :]) > SAME
        found[window:-window] |= (alike[window:-window] < UNLIKE) & still
    seen: Array = np.minimum(before, after) >= LEAST**2
    return found & seen


def _small(luma: Array) -> Array:
    """Return the middle of a picture, small and less its mean, float32 (pixels,)."""
    height, width = luma.shape
    top, left = int(RIM * height), int(RIM * width)
    middle = luma[top : height - top, left : width - left]
    small = cv2.resize(middle, SIZE, interpolation=cv2.INTER_AREA).ravel().astype(np.float32)
    less: Array = small - small.mean()
    return less
