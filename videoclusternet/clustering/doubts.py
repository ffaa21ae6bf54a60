"""What is worth a look: people that the pretrained similarity may have mixed up.

Nothing here changes who is who. Two tracks at one time may be a mirror, a photograph or a split
screen, so co-occurrence is no rule (paper: there is no negative anywhere); it is only told. Ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import linkage, to_tree
from scipy.spatial.distance import squareform

from videoclusternet.clustering.distance import (
    Sides,
    compare,
    loss_between,
    loss_to,
    mean_of_crops,
    pair_limit,
)
from videoclusternet.records import SAME_TIME, TWO_GROUPS, Array

JUST = 0.9  # of a film's threshold: halves that are farther apart have only just matched; ours


@dataclass(frozen=True)
class Doubt:
    """Two parts of one cluster, each called by its lowest track, and why they are in doubt."""

    left: int
    right: int
    reason: int  # SAME_TIME or TWO_GROUPS of `records`
    loss: float  # between the two
    limit: float  # the larger one of those that the two set for themselves

    def among(self, tracks: Array) -> Doubt:
        """Return the same doubt with the tracks' numbers in a larger set."""
        return replace(self, left=int(tracks[self.left]), right=int(tracks[self.right]))


def find_doubts(
    sides: Sides, label: Array, spans: Array, threshold: float | None = None
) -> tuple[list[Doubt], Array]:
    """Return what is in doubt about clusters of tracks, and the part that each track lies in.

    `spans` (tracks, 2) are the first and last frame of each track, `threshold` is that of the film,
    None where each cluster has its own. A part is called by its lowest
    track: that of the whole cluster, or of one half where the cluster is in doubt as two groups.
    Two groups come first, then tracks at one time, both in the order of their tracks.
    """
    part = np.full(len(label), -1)
    groups, pairs = [], []
    p, q = mean_of_crops(sides)
    limit = pair_limit(sides.count, sides.p, sides.q, sides.own)
    if threshold is not None:
        limit = np.full(len(label), threshold)
    for cluster in range(label.max(initial=-1) + 1):
        tracks = np.flatnonzero(label == cluster)
        part[tracks] = tracks[0]
        split = _two_groups(sides, tracks, threshold)
        if split is not None:
            doubt, right = split
            groups.append(doubt)
            part[right] = right[0]
        for a, b in _at_one_time(tracks, spans):
            loss = loss_to(p[[a]], q[[a]], p[[b]], q[[b]]).item()
            pairs.append(Doubt(a, b, SAME_TIME, loss, float(max(limit[a], limit[b]))))
    return groups + sorted(pairs, key=lambda doubt: (doubt.left, doubt.right)), part


def halves(sides: Sides) -> Array:
    """Return in which of two halves each track lies, 0 with the first one and 1: (tracks,).

    They are cut where average linkage of the losses between the tracks, two at least, joins last.
    """
    loss = np.maximum(loss_between(*mean_of_crops(sides)), 0.0)  # rounding may fall below
    np.fill_diagonal(loss, 0.0)
    far = to_tree(linkage(squareform(loss, checks=False), "average")).get_left().pre_order()
    half = np.isin(np.arange(len(loss)), far)
    return np.where(half == half[0], 0, 1)


def _two_groups(sides: Sides, tracks: Array, threshold: float | None) -> tuple[Doubt, Array] | None:
    """Return the doubt about one cluster's tracks and those of its right half, None without one.

    They are two groups where the halves would not match: with limits taken anew, the loss between
    them is not below either one. Up to the threshold of a film halves have matched; there they are
    two groups where they only just did.
    """
    if len(tracks) < 2:
        return None
    mine = sides.select(tracks)
    half = halves(mine)
    limits, between = compare(mine, half)
    if threshold is not None:
        limits = np.full(2, JUST * threshold)
    if between[0, 1] < limits.max():
        return None
    right = tracks[half == 1]
    doubt = Doubt(
        int(tracks[0]), int(right[0]), TWO_GROUPS, float(between[0, 1]), float(limits.max())
    )
    return doubt, right


def _at_one_time(tracks: Array, spans: Array) -> Iterator[tuple[int, int]]:
    """Yield the pairs of these tracks whose spans share a frame, each as lower and higher."""
    order = tracks[np.argsort(spans[tracks, 0], kind="stable")]
    first, last = spans[order].T
    for place, stop in enumerate(np.searchsorted(first, last, side="right")):
        for other in range(place + 1, int(stop)):
            one, two = int(order[place]), int(order[other])
            yield min(one, two), max(one, two)
