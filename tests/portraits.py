"""Faces of real people, cut as the program cuts them, for tests of the real network."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from tests.faces.films import photograph
from videoclusternet.faces.crops import similarities, warp
from videoclusternet.faces.detectors import choose_detector, load_detector
from videoclusternet.models.registry import DLIB

LONG_SIDE = 640  # of the picture that faces are looked for in

PICTURES = (
    "demo_obama_smiling",
    "demo_obama_speaking",
    "demo_obama_standing",
    "demo_biden",
    "demo_cards",
    "demo_seaside",
)


@cache
def portraits():
    """Return crops (15, 150, 150, 3); the first three are one person, the others one each."""
    detector = load_detector(*choose_detector("centerface"))
    crops = []
    for name in PICTURES:
        picture = photograph(name)
        zoom = LONG_SIDE / max(picture.shape)
        (found,) = detector([cv2.resize(picture, None, fx=zoom, fy=zoom)], 0.5)
        motions = similarities(found.landmarks / np.float64(zoom), np.array(DLIB.template))
        crops += [warp(picture, motion, DLIB.size) for motion in motions]
    images = np.array(crops)
    images.setflags(write=False)
    return images
