"""Who is who among some tracks of a film: those of one episode, or all but an erased person's."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from videoclusternet.records import TWO_GROUPS, UNKNOWN, Array, Clusters, Mask


def renumbered(count: int, gone: Array) -> Array:
    """Return the new number of each of so many tracks, -1 of those that are gone."""
    stays = ~np.isin(np.arange(count), gone)
    return np.where(stays, np.cumsum(stays) - 1, -1)


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
    picked = {"people": labels, "merges": merges, "doubts": doubts, "film": slice(None)}
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


def clusters_among(clusters: Clusters, stays: Mask) -> Clusters:
    """Return who is who among the tracks that stay, (tracks,), as `clusters_without` does.

    Here nobody is to be forgotten, so the history is told of the tracks that stay alone: a group
    that lost its lowest track is called by the lowest that it has left, and what joined two groups
    of which both have tracks left still joins them.
    """
    low = _lowest(clusters.part, stays)
    groups = clusters.doubt_reason == TWO_GROUPS
    left, right = _merges_among(clusters, stays)
    told = replace(
        clusters, left=left, right=right, part=low,
        doubt_left=np.where(groups, low[clusters.doubt_left], clusters.doubt_left),
        doubt_right=np.where(groups, low[clusters.doubt_right], clusters.doubt_right),
    )  # fmt: skip
    return clusters_without(told, renumbered(len(stays), np.flatnonzero(~stays)))


def _lowest(part: Array, stays: Mask) -> Array:
    """Return the lowest track that stays of each track's part; the part itself where none does."""
    lowest: dict[int, int] = {}
    for track in np.flatnonzero(stays & (part >= 0)).tolist():
        lowest.setdefault(int(part[track]), track)
    return np.array([lowest.get(one, one) for one in part.tolist()], np.int64)


def _merges_among(clusters: Clusters, stays: Mask) -> tuple[Array, Array]:
    """Return the two groups of each merge, called by tracks that stay wherever they have any."""
    root = list(range(len(stays)))
    low = [track if stay else None for track, stay in enumerate(stays.tolist())]

    def find(track: int) -> int:
        while root[track] != track:
            root[track] = track = root[root[track]]
        return track

    ends = np.stack([clusters.left, clusters.right])
    for merge, (left, right) in enumerate(ends.T.tolist()):
        one, other = find(left), find(right)
        if one == other:
            continue
        for side, (track, group) in enumerate(((left, one), (right, other))):
            kept = low[group]
            if not stays[track] and kept is not None:
                ends[side, merge] = kept
        root[other] = one
        low[one] = min((n for n in (low[one], low[other]) if n is not None), default=None)
    return ends[0], ends[1]
