"""What finds the cuts, each a row of one table; none is loaded by being listed.

PySceneDetect's detectors run with its own defaults, but for its least length of a scene, which is
counted in frames: `video.shots` asks for seconds. Its detector of fades (`ThresholdDetector`) is no
row: it finds nothing else, and a track must never run across a hard cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
from scenedetect import (
    AdaptiveDetector,
    ContentDetector,
    FrameTimecode,
    HashDetector,
    HistogramDetector,
)

from videoclusternet.config import ShotsConfig
from videoclusternet.records import Array
from videoclusternet.video.frame import Frame, Look
from videoclusternet.weights.choice import WeightsFile, named

LONG_SIDE = 320  # pixels in which pictures are compared; more sees no more cuts
WINDOW = 2  # frames on either side that a change is measured against (PySceneDetect's default)


class CutFinder(Protocol):
    """What finds the cuts of one film that passes by. The same film always has the same cuts.

    A cut is the index of the frame that begins a new shot; cuts are told in ascending order, some
    frames late.
    """

    def look(self, frame: Frame, luma: Array) -> list[int]:
        """Take the next frame, and its `luma(LONG_SIDE)`; return the cuts that it reveals.

        Of the frame's own pictures there is `rgb(LONG_SIDE)`, and only where the row says `colour`.
        """

    def finish(self) -> list[int]:
        """Return the cuts in the last frames of a film that has at least one."""


@dataclass(frozen=True)
class CutFinderSpec:
    """Where a finder of cuts comes from, and the terms under which it may be used."""

    name: str
    make: Callable[[ShotsConfig], CutFinder]
    code_licence: str
    asset: str | None = None  # the row of weights that holds its parameters, where it has any
    weights_licence: str | None = None
    colour: bool = False


class _PySceneDetect:
    """A detector of PySceneDetect, fed with frame numbers instead of times: it reports such.

    One with a `window` reports so many frames late. It gets the first and the last picture `window`
    times more, so that the window reaches every frame of the film.
    """

    def __init__(self, detector: Any, *, window: int = 0, colour: bool = False) -> None:
        self._detector, self._window, self._colour = detector, window, colour
        self._fed = 0
        self._picture: Array | None = None  # BGR

    def look(self, frame: Frame, luma: Array) -> list[int]:
        times = 1 + self._window if self._picture is None else 1
        if self._colour:
            self._picture = cv2.cvtColor(frame.rgb(LONG_SIDE), cv2.COLOR_RGB2BGR)
        else:
            self._picture = cv2.merge([luma] * 3)
        return self._feed(times)

    def finish(self) -> list[int]:
        return self._feed(self._window)

    def _feed(self, times: int) -> list[int]:
        found: list[int] = []
        for _ in range(times):
            number = FrameTimecode(self._fed, fps=1.0)
            self._fed += 1
            cuts = self._detector.process_frame(number, self._picture)
            found += [cut.frame_num - self._window for cut in cuts]
        return found


def _adaptive(config: ShotsConfig) -> CutFinder:
    detector = AdaptiveDetector(
        adaptive_threshold=config.ratio,
        min_content_val=config.change,
        min_scene_len=0,
        window_width=WINDOW,
        luma_only=True,
    )
    return _PySceneDetect(detector, window=WINDOW)


def _content(_: ShotsConfig) -> CutFinder:
    return _PySceneDetect(ContentDetector(min_scene_len=0), colour=True)


def _histogram(_: ShotsConfig) -> CutFinder:
    return _PySceneDetect(HistogramDetector(min_scene_len=0))


def _hash(_: ShotsConfig) -> CutFinder:
    return _PySceneDetect(HashDetector(min_scene_len=0))


def _transnet(_: ShotsConfig) -> CutFinder:
    from videoclusternet.video.transnet import TransNetCuts  # torch, only for who asks for it

    return TransNetCuts(WeightsFile.of_asset("transnet").path)


CUT_FINDERS = {
    row.name: row
    for row in (
        CutFinderSpec("adaptive", _adaptive, "BSD-3-Clause"),
        CutFinderSpec("content", _content, "BSD-3-Clause", colour=True),
        CutFinderSpec("histogram", _histogram, "BSD-3-Clause"),
        CutFinderSpec("hash", _hash, "BSD-3-Clause"),
        CutFinderSpec("transnet", _transnet, "Apache-2.0", "transnet", "MIT", colour=True),
    )
}


def cut_finder_spec(name: str) -> CutFinderSpec:
    """Return the row of this name. Raises UsageError where there is none."""
    return named(CUT_FINDERS, "shots.detector", name)


def looks_of(config: ShotsConfig) -> list[Look]:
    """Return which pictures of each frame the finder is shown. Raises as `cut_finder_spec` does."""
    colours = [Look("rgb24", LONG_SIDE)] if cut_finder_spec(config.detector).colour else []
    return [Look("gray8", LONG_SIDE), *colours]


def make_cut_finder(config: ShotsConfig) -> CutFinder:
    """Make what `config.detector` names ready for one film.

    Raises UsageError where there is no such row, WeightsError where its file is missing or wrong.
    """
    return cut_finder_spec(config.detector).make(config)
