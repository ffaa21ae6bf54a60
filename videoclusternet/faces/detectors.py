"""The face detectors that can be named, each a row of one table; none is loaded by being listed.

A detector of your own is a module with `load(path) -> Detector` and a row here; the contract tests
then hold it to what is said below.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from videoclusternet.records import Array
from videoclusternet.weights.choice import WeightsFile, choose


class Detections(NamedTuple):
    """The faces of one picture, best score first, in pixels of that picture.

    Boxes lie inside the picture and have an area; the origin is the outer corner of its top left
    pixel. Landmarks may lie outside, where a face does.
    """

    boxes: Array  # float32 (n, 4): x1, y1, x2, y2
    landmarks: Array  # float32 (n, 5, 2): left eye, right eye, nose, left and right mouth corner,
    # as the viewer sees them
    scores: Array  # float32 (n,), 0 to 1


class Detector(Protocol):
    """What finds faces. The same pictures always give the same faces."""

    def __call__(self, pictures: Sequence[Array], score: float) -> list[Detections]:
        """Return the faces of each picture that score at least `score`.

        `pictures`: RGB, uint8 (height, width, 3), upright, all of one size, however small.
        """


@dataclass(frozen=True)
class DetectorSpec:
    """Where a detector comes from, and the terms under which it may be used."""

    name: str
    module: str  # the module of this package whose load() makes it
    asset: str | None  # the row of the assets that holds its parameters, None: the user brings them
    code_licence: str
    weights_licence: str


DETECTORS = {
    "centerface": DetectorSpec(
        name="centerface",
        module="videoclusternet.faces.centerface",
        asset="centerface",
        code_licence="Apache-2.0",
        weights_licence="MIT",
    ),
}


def choose_detector(setting: str) -> tuple[DetectorSpec, WeightsFile]:
    """Return the row and the file that a setting NAME or NAME=FILE means.

    Raises UsageError where there is no such row or its file must be named, WeightsError where the
    file cannot be used.
    """
    return choose(DETECTORS, "detector", setting)


def load_detector(spec: DetectorSpec, weights: WeightsFile) -> Detector:
    """Make a detector ready for use. Raises WeightsError where its file is another."""
    detector: Detector = importlib.import_module(spec.module).load(weights.path)
    return detector
