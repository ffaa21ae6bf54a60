"""The largest face on a photograph, cut out as a network takes it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from videoclusternet.errors import InputError
from videoclusternet.faces.crops import similarities, warp
from videoclusternet.faces.detectors import Detector
from videoclusternet.models.registry import Feed
from videoclusternet.records import Array

MOST_BYTES = 30_000_000  # of one photograph
MOST_PIXELS = 100_000_000
LONG_SIDE = 1024  # pixels that the detector sees; a photograph has fewer and larger faces than film


def read_photo(path: Path) -> bytes:
    """Return what a file holds. Raises InputError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"The photograph {path} cannot be read: {error.strerror}.") from None


def face_on(photo: bytes, name: str, detector: Detector, score: float, feed: Feed) -> Array:
    """Return the largest face on a photograph, RGB, uint8 (feed.size, feed.size, 3).

    `name` is what the photograph is called if there is something to say of it; `score` is the least
    of a face. Raises InputError where it holds no picture or no face.
    """
    picture = _decoded(photo, name)
    (found,) = detector([picture], score)
    if not len(found.boxes):
        raise InputError(
            f"No face was found on {name}: use one with a larger face, from the front."
        )
    size = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)
    largest = int(size.argmax())
    motion = similarities(found.landmarks[[largest]], np.array(feed.template))[0]
    return warp(picture, motion, feed.size)


def _decoded(photo: bytes, name: str) -> Array:
    """Return a photograph as RGB pixels of a size that faces are found in."""
    if len(photo) > MOST_BYTES:
        raise InputError(
            f"There are more than {MOST_BYTES // 1_000_000} MB in {name}: use a smaller copy."
        )
    data = np.frombuffer(photo, np.uint8)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error:
        image = None
    if image is None or image.shape[0] * image.shape[1] > MOST_PIXELS:
        raise InputError(
            f"There is no picture of a known kind and size in {name}: use a JPEG or PNG of at most "
            f"{MOST_PIXELS // 1_000_000} megapixels."
        )
    scale = min(1.0, LONG_SIDE / max(image.shape[:2]))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rgb: Array = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return rgb
