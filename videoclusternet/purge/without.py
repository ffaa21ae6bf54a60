"""The records of a film without some of its tracks: what is left when a person is erased."""

from __future__ import annotations

import numpy as np

from videoclusternet.records import Array, Faces, Signatures, Tracks
from videoclusternet.review.rerun import SAME_FACE
from videoclusternet.tracks.boxes import iou


def tracks_without(tracks: Tracks, number: Array) -> Tracks:
    """Return the tracks that have a new number, under it."""
    rows = number[tracks.track] >= 0
    columns = {name: values[rows] for name, values in tracks.columns().items()}
    return Tracks(**columns | {"track": number[columns["track"]]})


def faces_without(faces: Faces, tracks: Tracks, gone: Array) -> Faces:
    """Return the detections without those that lie where these tracks are."""
    keep = np.ones(len(faces), bool)
    rows = np.isin(tracks.track, gone)
    for frame, box in zip(tracks.frame[rows].tolist(), tracks.box[rows], strict=True):
        begin, end = np.searchsorted(faces.frame, [frame, frame + 1])
        keep[begin:end] &= iou(faces.box[begin:end], np.tile(box, (end - begin, 1))) < SAME_FACE
    return faces.select(keep)


def signatures_without(signatures: Signatures, number: Array) -> Signatures:
    """Return the signatures of the tracks that have a new number."""
    return signatures.select(number >= 0)
