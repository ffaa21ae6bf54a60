"""How boxes lie to each other: overlap, and which of them are one face found twice."""

from __future__ import annotations

import numpy as np

from videoclusternet.records import Array, Mask

SAME = 0.6
"""IoU from which two boxes in one frame are one face; ours."""

NESTED = 0.85
"""And the share of the smaller box that lies in the larger one; ours."""


def iou(a: Array, b: Array) -> Array:
    """Return the intersection over union of boxes (..., 4), broadcast against each other.

    Boxes without an area overlap nothing.
    """
    both, area_a, area_b = _areas(a, b)
    union = area_a + area_b - both
    ratio: Array = both / np.where(union > 0, union, 1)
    return ratio


def distinct(boxes: Array) -> Mask:
    """Mark which of the boxes (n, 4) of one frame, strongest first, are not one found before."""
    both, area_a, area_b = _areas(boxes[:, None], boxes[None])
    smaller = np.minimum(area_a, area_b)
    same = (both > SAME * (area_a + area_b - both)) | (both > NESTED * smaller)
    keep = np.ones(len(boxes), bool)
    for i in range(1, len(boxes)):
        keep[i] = not np.any(same[i, :i] & keep[:i])
    return keep


def _areas(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Return the area that two boxes share, and the area of each."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    area_a, area_b = (np.prod(np.maximum(box[..., 2:] - box[..., :2], 0), -1) for box in (a, b))
    return np.prod(np.maximum(sides, 0), axis=-1), area_a, area_b
