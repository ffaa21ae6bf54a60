"""Which faces are good enough to be crops: decided on what was measured, without a pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from videoclusternet.config import FilterConfig
from videoclusternet.records import Array, Faces, Mask, Tracks

TURNED = 0.05
"""What `frontalness` says of a head seen from behind, and of landmarks that make no face; ours."""

SMALLEST = 14.0
"""Pixels, the square root of the least area of a face that a network makes anything of; ours."""

EXPOSED = 0.7
"""What `exposure` says at most of a face in a flash, or in a film that is all but black; ours."""


def filter_faces(faces: Faces, config: FilterConfig) -> Faces:
    """Mark the faces that are large, certain, sharp and lit enough, and not from behind.

    The paper's three filters (area, the largest of each frame, blur) and three of ours. Nothing is
    dropped, because what is rejected here may still hold a track together; what was not usable
    before stays so.
    """
    area = np.prod(faces.box[:, 2:] - faces.box[:, :2], axis=1, dtype=np.float64)
    usable = (
        faces.usable
        & (area >= config.side**2)
        & (_rank(faces.frame, area) < config.most)
        & (faces.exposure >= EXPOSED)
        & _clear(faces, config)
    )
    return replace(faces, usable=usable)


def faint(tracks: Tracks, config: FilterConfig) -> Mask:
    """Return which rows of tracks show faces that fail the filters only by size, rank or light.

    A network still tells some of them from others, so a track that has nothing better may join
    somebody by them; nobody is found by such faces alone (ours).
    """
    area = np.prod(tracks.box[:, 2:] - tracks.box[:, :2], axis=1, dtype=np.float64)
    return (area >= SMALLEST**2) & _clear(tracks, config)


def _clear(faces: Faces | Tracks, config: FilterConfig) -> Mask:
    clear: Mask = (
        (faces.score >= config.score)
        & (faces.sharpness >= config.sharpness)
        & (faces.frontal >= TURNED)
    )
    return clear


def _rank(frame: Array, area: Array) -> Array:
    """Return how many faces of the same frame are larger; of equal ones the first counts."""
    order = np.lexsort((-area, frame))
    rank = np.empty(len(frame), np.int64)
    rank[order] = np.arange(len(frame)) - np.searchsorted(frame, frame[order])
    return rank
