"""Which faces are good enough to be crops: decided on what was measured, without a pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from videoclusternet.config import FilterConfig
from videoclusternet.records import Array, Faces

TURNED = 0.05
"""What `frontalness` says of a head seen from behind, and of landmarks that make no face; ours."""


def filter_faces(faces: Faces, config: FilterConfig) -> Faces:
    """Mark the faces that are large, certain and sharp enough, and not seen from behind.

    The paper's three filters (area, the largest of each frame, blur) and two of ours. Nothing is
    dropped, because what is rejected here may still hold a track together; what was not usable
    before stays so.
    """
    area = np.prod(faces.box[:, 2:] - faces.box[:, :2], axis=1, dtype=np.float64)
    usable = (
        faces.usable
        & (area >= config.side**2)
        & (_rank(faces.frame, area) < config.most)
        & (faces.score >= config.score)
        & (faces.sharpness >= config.sharpness)
        & (faces.frontal >= TURNED)
    )
    return replace(faces, usable=usable)


def _rank(frame: Array, area: Array) -> Array:
    """Return how many faces of the same frame are larger; of equal ones the first counts."""
    order = np.lexsort((-area, frame))
    rank = np.empty(len(frame), np.int64)
    rank[order] = np.arange(len(frame)) - np.searchsorted(frame, frame[order])
    return rank
