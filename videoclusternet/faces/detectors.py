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

from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.faces.session import network_of
from videoclusternet.records import Array
from videoclusternet.weights.assets import asset_path
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
    asset: str | None  # the row of the assets that holds its parameters, None: the user brings them
    code_licence: str
    weights_licence: str
    source: str  # who publishes its parameters, and where


DETECTORS = {
    "centerface": DetectorSpec(
        name="centerface",
        module="videoclusternet.faces.centerface",
        asset="centerface",
        code_licence="Apache-2.0",
        weights_licence="MIT",
        source="Star-Clouds/CenterFace",
    ),
    "scrfd": DetectorSpec(
        name="scrfd",
        module="videoclusternet.faces.scrfd",
        asset=None,
        code_licence="Apache-2.0",
        weights_licence="non-commercial research",  # README of insightface, "License"
        source="deepinsight/insightface, detection/scrfd: the files with kps in their names",
    ),
    "retinaface": DetectorSpec(
        name="retinaface",
        module="videoclusternet.faces.retinaface",
        asset=None,
        code_licence="Apache-2.0",
        weights_licence="MIT",  # of the repositories; nothing else is said of the weights
        source="biubug6/Pytorch_Retinaface; biubug6/Face-Detector-1MB-with-landmark: RFB and slim",
    ),
    "yunet": DetectorSpec(
        name="yunet",
        module="videoclusternet.faces.yunet",
        asset=None,
        code_licence="Apache-2.0",
        weights_licence="MIT",  # README of opencv_zoo's folder; Apache-2.0 where it was trained
        source="opencv/opencv_zoo, models/face_detection_yunet; ShiqiYu/libfacedetection.train",
    ),
}


def detector_spec(name: str) -> DetectorSpec:
    """Return the row of this name. Raises UsageError where there is none."""
    if name not in DETECTORS:
        raise UsageError(f"There is no detector '{name}': use one of {', '.join(DETECTORS)}.")
    return DETECTORS[name]


def load_detector(name: str) -> Detector:
    """Make the detector of this name ready for use.

    Raises UsageError where there is no such row, WeightsError where its file is missing or wrong.
    """
    spec = detector_spec(name)
    detector: Detector = importlib.import_module(spec.module).load(asset_path(spec.asset))
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
