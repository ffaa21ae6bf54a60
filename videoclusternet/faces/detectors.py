"""The face detectors that can be named, each a row of one table; none is loaded by being listed.

A detector of your own is a module with `load(path) -> Detector`, `fits(trial)`, which says whether
a network of an ONNX file is one of its kind, and a row here; the contract tests then hold it to
what is said below.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from videoclusternet.errors import WeightsError
from videoclusternet.faces.session import network_of
from videoclusternet.records import Array
from videoclusternet.weights.choice import WeightsFile, choose
from videoclusternet.weights.onnx_file import read_onnx


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
    parameters: int  # how many numbers were learned, 0: the file tells
    code_licence: str
    weights_licence: str
    source: str  # who publishes its parameters, and where
    asset: str | None = None  # the row of the assets that holds them, None: the user brings them


OURS = "Apache-2.0"

DETECTORS = {
    row.name: row
    for row in (
        DetectorSpec(
            "centerface", "videoclusternet.faces.centerface", 1_820_143, OURS, "MIT",
            "Star-Clouds/CenterFace", asset="centerface",
        ),
        DetectorSpec(
            "yunet", "videoclusternet.faces.yunet", 53_121, OURS,
            "MIT",  # README of opencv_zoo's folder; Apache-2.0 where it was trained
            "opencv/opencv_zoo; ShiqiYu/libfacedetection.train", asset="yunet",
        ),
        DetectorSpec(
            "scrfd", "videoclusternet.faces.scrfd", 0, OURS,
            "non-commercial research",  # README of insightface, "License"
            "deepinsight/insightface, detection/scrfd: the files with kps in their names",
        ),
        DetectorSpec(
            "retinaface", "videoclusternet.faces.retinaface", 0, OURS,
            "MIT",  # of the repositories; nothing else is said of the weights
            "biubug6/Pytorch_Retinaface; biubug6/Face-Detector-1MB-with-landmark: RFB and slim",
        ),
    )
}  # fmt: skip


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


def identify(path: Path) -> str | None:
    """Return the name of the row whose detector an ONNX file holds, None where it is of no row.

    Raises WeightsError where there is no ONNX file, or it reaches out of itself.
    """
    model = read_onnx(path)
    try:
        trial = network_of(model, path).trial
    except WeightsError:
        return None
    fitting = (
        spec.name for spec in DETECTORS.values() if importlib.import_module(spec.module).fits(trial)
    )
    return next(fitting, None)
