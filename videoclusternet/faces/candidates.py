"""From what a network proposes, cell by cell, to the faces of a picture; what detectors share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from videoclusternet.faces.detectors import Detections
from videoclusternet.records import Array


def planes(picture: Array, multiple: int, rim: Sequence[float] = (0, 0, 0)) -> Array:
    """Return a picture (height, width, 3) as float32 (1, 3, …) with sides of a multiple of pixels.

    Padded, not stretched: faces keep their proportions, whatever the size of the picture. `rim` is
    the colour of what is added, right and below, in the picture's own order of colours.
    """
    height, width = picture.shape[:2]
    sides = (math.ceil(height / multiple) * multiple, math.ceil(width / multiple) * multiple)
    padded = np.empty((1, 3, *sides), np.float32)
    padded[0] = np.asarray(rim, np.float32)[:, None, None]
    padded[0, :, :height, :width] = picture.transpose(2, 0, 1)
    return padded


def cells(height: int, width: int, stride: int, each: int = 1) -> Array:
    """Return (x, y) of the cells of a picture of this size, counted in cells: float64 (n, 2).

    Row by row, and each of them `each` times.
    """
    rows, columns = np.mgrid[: math.ceil(height / stride), : math.ceil(width / stride)]
    return np.stack([columns, rows], -1).reshape(-1, 2).repeat(each, axis=0).astype(np.float64)


def settle(
    boxes: Array, landmarks: Array, scores: Array, size: tuple[int, int], overlap: float
) -> Detections:
    """Return those of the proposed faces that stand: clipped, strongest first, none over another.

    boxes (n, 4): x1, y1, x2, y2; landmarks (n, 5, 2); scores (n,); size: width and height of the
    picture; overlap: the IoU from which two are one face. One that is not all numbers is left out.
    """
    numbers = np.concatenate([boxes, landmarks.reshape(-1, 10), scores[:, None]], 1)
    sound = (np.abs(numbers) < np.finfo(np.float32).max).all(axis=1)
    numbers = numbers[sound].astype(np.float32)
    boxes, landmarks, scores = np.split(numbers, [4, 14], axis=1)
    boxes, scores = boxes.clip(0, np.array([*size, *size], np.float32)), scores[:, 0].clip(0, 1)
    keep = strongest(boxes, scores, overlap)
    return Detections(boxes[keep], landmarks[keep].reshape(-1, 5, 2), scores[keep])


def strongest(boxes: Array, scores: Array, overlap: float) -> Array:
    """Return which boxes have an area and lie over no stronger one, best first."""
    sides = boxes[:, 2:] - boxes[:, :2]
    inside = np.flatnonzero(sides.min(axis=1, initial=np.inf) > 0)
    corners_and_sides = np.concatenate([boxes[inside, :2], sides[inside]], 1)
    keep = cv2.dnn.NMSBoxes(corners_and_sides.tolist(), scores[inside].tolist(), 0.0, overlap)
    kept: Array = inside[np.asarray(keep, int).ravel()]
    return kept
