"""Average linkage of tracks, under constraints, up to the film's own threshold.

The distance of two tracks is half of (P_i - P_j) . (Q_i - Q_j), with P and Q of their means: 1 -
cos for the cosine, the squared distance for the Euclidean, and for the loss what it exceeds the
mean of either one with itself. Like the loss it follows from sums that add when clusters merge, so
no matrix of all pairs is ever held. Ours: on real films a track of a second has few crops and one
pose, and the threshold that it sets for itself (paper) is far too tight for another shot of the
same face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array

from videoclusternet.clustering.distance import BLOCK, Sides, sum_of
from videoclusternet.clustering.merge import Merge
from videoclusternet.records import Array
from videoclusternet.said import numbered


@dataclass(frozen=True, eq=False)
class TrackSums:
    """Clusters as weighted sums over their tracks: of the weights (clusters,), of P and Q
    (clusters, k) and of P . Q (clusters,).
    """

    weight: Array
    p: Array
    q: Array
    own: Array

    @classmethod
    def of(cls, sides: Sides, label: Array, weight: Array) -> Self:
        """Return the sums of the clusters with these labels (tracks,), numbered from 0."""
        p, q = sides.mean_p, sides.mean_q
        own = weight * np.einsum("tk,tk->t", p, q)
        rows = (weight, weight[:, None] * p, weight[:, None] * q, own)
        return cls(*(sum_of(label, row) for row in rows))

    def distances(self, rows: Array, others: Self) -> Array:
        """Return the mean distance of these clusters (n,) to others, float64 (n, others).

        A cluster without weight is infinitely far from everybody.
        """
        own, p, q = self._means(rows)
        other_own, other_p, other_q = others._means(np.arange(len(others.weight)))
        distance: Array = (own[:, None] + other_own - p @ other_q.T - q @ other_p.T) / 2
        distance[self.weight[rows] == 0] = np.inf
        distance[:, others.weight == 0] = np.inf
        return distance

    def _means(self, rows: Array) -> tuple[Array, Array, Array]:
        """Return the means of P . Q, of P and of Q of these clusters."""
        weight = self.weight[rows]
        weight = np.where(weight > 0, weight, 1.0)
        return (
            self.own[rows] / weight, self.p[rows] / weight[:, None], self.q[rows] / weight[:, None]
        )  # fmt: skip


def link_clusters(
    sides: Sides, weight: Array, threshold: float, label: Array, apart: Array
) -> tuple[Array, list[Merge]]:
    """Merge clusters by average linkage while the nearest two are below a threshold.

    Clusters that are each other's nearest merge at the same time, which leads to the same clusters
    as merging the nearest two one by one: a merged cluster is never nearer to a third than the
    nearer one of its parts was.

    Args:
        sides: the tracks.
        weight: how much each track counts, float64 (tracks,). A cluster without weight joins nobody
            here.
        threshold: distance from which on nothing merges.
        label: cluster of each track to begin with, int64 (tracks,), numbered by lowest tracks.
        apart: pairs of tracks that must not meet in one cluster, int64 (n, 2).

    Returns:
        The final label of each track, numbered by lowest tracks, and the merges in their order.
    """
    history: list[Merge] = []
    stale = np.arange(label.max(initial=-1) + 1)
    nearest, distance = np.zeros(len(stale), np.int64), np.full(len(stale), np.inf)
    for round_ in range(len(label)):
        sums = TrackSums.of(sides, label, weight)
        nearest[stale], distance[stale] = _nearest(sums, stale, label[apart])
        left, right, far = _mutual(nearest, distance, threshold)
        if not len(left):
            break
        history += _explain(round_, label, left, right, far, threshold)
        joined = np.arange(len(nearest))
        joined[right] = left
        into = numbered(joined)  # the number of each cluster after this round
        stay = np.setdiff1d(np.arange(len(nearest)), right)
        touched = np.isin(nearest[stay], [*left, *right]) | np.isin(stay, left)
        nearest, distance = into[nearest[stay]], distance[stay]
        stale = np.flatnonzero(touched)
        label = into[label]
    return label, history


def assign_clusters(
    sides: Sides, weight: Array, threshold: float, label: Array, apart: Array
) -> tuple[Array, list[Merge]]:
    """Let each cluster without weight join the nearest one that has some, if that is near enough.

    The arguments and what is returned are those of `link_clusters`. The nearest join first; whoever
    must not meet another who has joined before tries the next. Clusters with weight never meet by
    this, and do not change what they are compared by.
    """
    light = sum_of(label, weight) == 0
    few = np.flatnonzero(light)
    heavy = TrackSums.of(sides, label, weight)
    faint = TrackSums.of(sides, label, np.where(light[label], np.sqrt(sides.count), 0.0))
    far = faint.distances(few, heavy)
    rows, columns = np.nonzero(far < threshold)
    foes: list[set[int]] = [set() for _ in light]
    for one, other in label[apart].tolist():
        foes[one].add(other)
        foes[other].add(one)
    joined = np.arange(len(light))
    pairs = []
    for n in np.argsort(far[rows, columns], kind="stable").tolist():
        one, other = int(few[rows[n]]), int(columns[n])
        if joined[one] == one and one not in foes[other]:
            joined[one] = other
            foes[other] |= foes[one]
            pairs.append((min(one, other), max(one, other), far[rows[n], other]))
    left, right, distance = np.array(pairs).reshape(-1, 3).T
    history = _explain(
        len(label), label, left.astype(np.int64), right.astype(np.int64), distance, threshold
    )
    return numbered(joined)[label], history


def _nearest(sums: TrackSums, rows: Array, apart: Array) -> tuple[Array, Array]:
    """Return the nearest cluster of each of these that it may merge with, and how far it is.

    `apart` (n, 2) are clusters that may not merge. Infinitely far is who has nobody.
    """
    clusters = len(sums.weight)
    one, other = np.concatenate([apart, apart[:, ::-1]]).T
    forbidden = coo_array((np.ones(len(one), bool), (one, other)), (clusters,) * 2).tocsr()
    nearest, distance = np.empty(len(rows), np.int64), np.empty(len(rows))
    many = max(1, BLOCK // max(1, clusters))  # clusters at a time: of all, too many distances
    for start in range(0, len(rows), many):
        block = rows[start : start + many]
        far = sums.distances(block, sums)
        far[np.arange(len(block)), block] = np.inf
        far[forbidden[block].nonzero()] = np.inf
        nearest[start : start + many] = far.argmin(axis=1)
        distance[start : start + many] = far.min(axis=1)
    return nearest, distance


def _mutual(nearest: Array, distance: Array, threshold: float) -> tuple[Array, Array, Array]:
    """Return the pairs, left below right, that are each other's nearest and below the threshold.

    Rounding may hide that two are each other's: then the nearest two of all merge alone.
    """
    number = np.arange(len(nearest))
    below = distance < threshold
    left = number[below & (number < nearest) & (nearest[nearest] == number)]
    if not len(left) and below.any():
        one = int(distance.argmin())
        left, right = (np.array([f(one, int(nearest[one]))]) for f in (min, max))
        return left, right, distance[[one]]
    return left, nearest[left], distance[left]


def _explain(
    round_: int, label: Array, left: Array, right: Array, distance: Array, threshold: float
) -> list[Merge]:
    """Return merges of clusters, each called by its lowest track."""
    lowest = np.unique(label, return_index=True)[1]
    return [
        Merge(round_, int(lowest[a]), int(lowest[b]), d, threshold, threshold)
        for a, b, d in zip(left.tolist(), right.tolist(), distance.tolist(), strict=True)
    ]
