"""The records of a film without some of its tracks: what is left when a person is erased."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from videoclusternet.records import UNKNOWN, Array, Clusters, Faces, Signatures, Tracks
from videoclusternet.review.rerun import SAME_FACE
from videoclusternet.tracks.boxes import iou


def renumbered(count: int, gone: Array) -> Array:
    """Return the new number of each of so many tracks, -1 of those that are gone."""
    stays = ~np.isin(np.arange(count), gone)
    return np.where(stays, np.cumsum(stays) - 1, -1)


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


def clusters_without(clusters: Clusters, number: Array) -> Clusters:
    """Return who is who among the tracks that have a new number.

    Merges and doubts stay that are between two of these. Whose nearest other person is gone has
    none, until the film is run again.
    """
    stays = number >= 0
    old = clusters.label[stays]
    labels, lowest = np.unique(old[old >= 0], return_index=True)
    labels = labels[np.argsort(np.flatnonzero(old >= 0)[lowest])]  # in the order of lowest tracks
    relabelled = np.full(len(clusters.limit) + 1, UNKNOWN)  # the last is that of Unknown
    relabelled[labels] = np.arange(len(labels))
    merges = stays[clusters.left] & stays[clusters.right]
    doubts = stays[clusters.doubt_left] & stays[clusters.doubt_right]
    picked = {"people": labels, "merges": merges, "doubts": doubts}
    values = {
        f.name: getattr(clusters, f.name)[picked.get(f.metadata["table"], stays)]
        for f in fields(clusters)
    }
    for name in ("left", "right", "doubt_left", "doubt_right"):
        values[name] = number[values[name]]
    label, other = relabelled[values["label"]], relabelled[values["other"]]
    first = np.append([np.flatnonzero(label == one)[0] for one in range(len(labels))], -1)
    part = np.where(values["part"] >= 0, number[values["part"]], -1)
    values |= {
        "label": label, "other": other,
        "other_loss": np.where(other >= 0, values["other_loss"], np.float32(np.nan)),
        "part": np.where((part < 0) & (label >= 0), first.astype(np.int64)[label], part),
    }  # fmt: skip
    return Clusters(**values)
