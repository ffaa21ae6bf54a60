"""Find faces by a detector of your own: here dlib's, of 2014, which needs no network.

    pip install dlib-bin
    python own_detector.py film.mp4

A detector is a module with `load`, which makes it of a file, and `fits`; a row of the table names
it. This one has no parameters, so this script is its file: whoever changes it has faces found anew.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import dlib
import numpy as np

import videoclusternet as vcn
from videoclusternet.faces.detectors import DETECTORS, Detections, DetectorSpec
from videoclusternet.records import Array

POINTS = np.array([[0.28, 0.29], [0.72, 0.29], [0.50, 0.54], [0.31, 0.73], [0.69, 0.73]])
"""Where eyes, nose and mouth corners lie in its boxes, as a rule: it finds no landmarks."""


class Dlib:
    """Called with pictures, it returns the faces of each; see `Detector`."""

    def __init__(self) -> None:
        self._find = dlib.get_frontal_face_detector()

    def __call__(self, pictures: Sequence[Array], score: float) -> list[Detections]:
        return [self._look(picture, score) for picture in pictures]

    def _look(self, picture: Array, score: float) -> Detections:
        height, width = picture.shape[:2]
        rectangles, margins, _ = self._find.run(picture, 1, -0.5)  # 1: enlarged once
        found = [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles]
        boxes = np.array(found, np.float32).reshape(-1, 4)
        scores = (1 / (1 + np.exp(-4 * np.array(margins)))).astype(np.float32).reshape(-1)
        sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
        landmarks = (boxes[:, None, :2] + POINTS * sides).astype(np.float32)
        boxes = boxes.clip(0, [width, height, width, height])
        rows = np.flatnonzero((scores >= score) & np.all(boxes[:, 2:] > boxes[:, :2], axis=1))
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        return Detections(boxes[rows], landmarks[rows], scores[rows])


def load(path: Path) -> Dlib:
    return Dlib()


def fits(trial: Mapping[str, Array]) -> bool:
    return False  # no ONNX file is one of its kind


DETECTORS["dlib"] = DetectorSpec(
    "dlib", __name__, 0, "Apache-2.0", "BSL-1.0", "davisking/dlib: get_frontal_face_detector"
)


def main(film: str, *settings: str) -> None:
    named = f"detector=dlib={Path(__file__).resolve()}"
    for person in vcn.cluster_video(film, settings=[named, *settings]):
        print(f"{person.name:<12}{person.seconds:8.1f} s {len(person.tracks):4} tracks")


if __name__ == "__main__":
    main(*sys.argv[1:])
