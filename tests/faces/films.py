"""Films for the tests of this room: pictures that act as a Video and note what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from tests.synthetic import DrawnFace, DrawnShot, DrawnTruth, draw_film
from videoclusternet.demo.pictures import DEMO_ASSETS, MARKS
from videoclusternet.records import Shots
from videoclusternet.tracks.boxes import iou
from videoclusternet.video.frame import only
from videoclusternet.weights.assets import locate


def photograph(name: str) -> Any:
    """Return a picture of the demonstration film, RGB."""
    return cv2.cvtColor(cv2.imread(str(locate(DEMO_ASSETS[name]))), cv2.COLOR_BGR2RGB)


def marked(name):
    """Return the boxes (n, 4) that a person drew around the faces of a photograph."""
    return np.array([boxes[0] for boxes in MARKS[name].values()], np.float32)


def matches(boxes, truth):
    """Return which box lies on each true one; no box is left over and none is used twice."""
    overlap = iou(np.asarray(truth)[:, None], boxes)
    assert len(boxes) == len(truth)
    assert np.all(overlap.max(axis=1) > 0.5)
    found = overlap.argmax(axis=1)
    assert len(set(found.tolist())) == len(truth)
    return found


def mirrored(landmarks, width):
    """Return the landmarks (..., 5, 2) of the picture's mirror image."""
    swapped = landmarks[..., [1, 0, 2, 4, 3], :].copy()
    swapped[..., 0] = width - swapped[..., 0]
    return swapped


def through(motion, points):
    return points @ motion[:, :2].T + motion[:, 2]


def drawn_through(picture, motion, size):
    """Return the picture after an affine map of points whose origin is the outer corner."""
    centred = motion.copy()
    centred[:, 2] += centred[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(picture, centred, size, flags=cv2.INTER_CUBIC)


@dataclass
class PictureFrame:
    index: int
    picture: np.ndarray
    asked: list
    damaged: bool = False

    def rgb(self, long_side=None):
        self.asked.append((self.index, "rgb", long_side))
        return self._sized(self.picture, long_side)

    def luma(self, long_side=None):
        self.asked.append((self.index, "luma", long_side))
        return self._sized(cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY), long_side)

    def _sized(self, picture, long_side):
        height, width = picture.shape[:2]
        scale = min(1.0, long_side / max(width, height)) if long_side else 1.0
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


@dataclass
class PictureFilm:
    """A Video whose frames are these pictures."""

    pictures: list
    damaged: frozenset = frozenset()
    decoded: int = 0
    asked: list = field(default_factory=list)

    @property
    def info(self):
        height, width = self.pictures[0].shape[:2]
        return SimpleNamespace(width=width, height=height, fps=25.0)

    def walk(self, looks, numbers):
        return only(self.frames(), numbers)

    def frames(self):
        for index, picture in enumerate(self.pictures):
            self.decoded += 1
            yield PictureFrame(index, picture, self.asked, index in self.damaged)


def shots_of(*lengths):
    stop = np.cumsum(lengths, dtype=np.int64)
    times = np.arange(sum(lengths) + 1) / 25
    return Shots(stop - np.array(lengths, np.int64), stop, times if lengths else np.empty(0))


def draw_two_people(path: Path) -> Path:
    """Draw a film of two people in turns, each in two of four shots, and return its path."""

    def shot(name: str, seed: int) -> DrawnShot:
        face = DrawnFace(photograph(name), (60 + 10 * seed, 10), (0.5, 0), 200, name)
        return DrawnShot(16, seed, faces=[face])

    names = ["demo_biden", "demo_obama_smiling"] * 2
    draw_film(path, [shot(name, seed) for seed, name in enumerate(names)])
    return path


def draw_in_turns(path: Path, people: Sequence[tuple[str, Any]], seed: int) -> DrawnTruth:
    """Draw a film of people (name, picture) who are seen one after the other, each twice."""
    faces = [
        DrawnFace(picture, (40 + 12 * place, 10), (0.5, 0), 200, name)
        for place, (name, picture) in enumerate([*people, *people])
    ]
    shots = [DrawnShot(16, seed + place, faces=[face]) for place, face in enumerate(faces)]
    return draw_film(path, shots)
