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
from scipy.sparse import coo_array, csr_array

from videoclusternet.clustering.distance import BLOCK, Sides, sum_of
from videoclusternet.clustering.merge import Merge
from videoclusternet.records import Array
from videoclusternet.said import numbered

FEW = 0.05
"""Share of the smaller cluster's tracks that may be seen with one of the other: of a film's pairs
one in some hundreds is wrong, and of the tracks of a large cluster some are (ours)."""


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

    def joined(self, into: Array) -> Self:
        """Return the sums of clusters that these become, numbered from 0, (clusters,)."""
        rows = (self.weight, self.p, self.q, self.own)
        return type(self)(*(sum_of(into, row) for row in rows))

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
    sides: Sides, weight: Array, threshold: float, label: Array, apart: Array, shown: Array
) -> tuple[Array, list[Merge]]:
    """Merge clusters by average linkage while the nearest two are below a threshold.

    Clusters that are each other's nearest merge at the same time. As long as nothing that the film
    shows is outweighed, that leads to the same clusters as merging the nearest two one by one: a
    merged cluster is never nearer to a third than the nearer one of its parts was. Of what the film
    shows, one pair in many is wrong, or is of a track in the wrong cluster: large clusters may
    merge although a few of their tracks are seen together. There are some dozens of rounds on
    films; where one cluster is everybody's nearest there are as many as clusters.

    Args:
        sides: the tracks.
        weight: how much each track counts, float64 (tracks,). A cluster without weight joins nobody
            here.
        threshold: distance from which on nothing merges.
        label: cluster of each track to begin with, int64 (tracks,), numbered by lowest tracks.
        apart: pairs of tracks that must not meet in one cluster, int64 (n, 2).
        shown: pairs of tracks that are two people, int64 (m, 2). Two clusters do not merge where
            more than a share `FEW` of the smaller one's tracks is seen with one of the other.

    Returns:
        The final label of each track, numbered by lowest tracks, and the merges in their order.
    """
    history: list[Merge] = []
    stale = np.arange(label.max(initial=-1) + 1)
    nearest, distance = np.zeros(len(stale), np.int64), np.full(len(stale), np.inf)
    sums = TrackSums.of(sides, label, weight)
    for round_ in range(len(label)):
        fences = _fences(label, apart, shown)
        nearest[stale], distance[stale] = _nearest(sums, stale, fences)
        left, right, far = _mutual(nearest, distance, threshold)
        if not len(left):
            break
        history += _explain(round_, label, left, right, far, threshold)
        joined = np.arange(len(nearest))
        joined[right] = left
        into = numbered(joined)  # the number of each cluster after this round
        stay = np.setdiff1d(np.arange(len(nearest)), right)
        merged = np.isin(np.arange(len(nearest)), [*left, *right])
        foes = (fences @ merged)[stay] > 0  # larger, they may be fewer than a share
        touched = merged[nearest[stay]] | merged[stay] | foes
        nearest, distance = into[nearest[stay]], distance[stay]
        stale = np.flatnonzero(touched)
        label, sums = into[label], sums.joined(into)
    return label, history


def assign_clusters(
    sides: Sides, weight: Array, threshold: float, label: Array, apart: Array, shown: Array
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
    for one, other in zip(*_fences(label, apart, shown).nonzero(), strict=True):
        foes[int(one)].add(int(other))
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


def _fences(label: Array, apart: Array, shown: Array) -> csr_array:
    """Return which clusters may not merge, 1.0 where they may not, (clusters, clusters)."""
    size = np.bincount(label)
    shape = (len(size), len(size))
    both = np.concatenate([shown, shown[:, ::-1]])
    seen = np.unique(np.stack([both[:, 0], label[both[:, 1]]]), axis=1)  # of a track, with whom
    pairs = (label[seen[0]], seen[1])
    tracks = coo_array((np.ones(len(seen[0])), pairs), shape).tocsr()
    there = tracks.T.tocsr()  # the same pairs, the other way round
    for counts in (tracks, there):
        counts.sort_indices()
    one, other = np.repeat(np.arange(len(size)), np.diff(tracks.indptr)), tracks.indices
    count = np.where(size[one] < size[other], tracks.data, there.data)
    count = np.where(size[one] == size[other], np.minimum(tracks.data, there.data), count)
    many = count > FEW * np.minimum(size[one], size[other])
    told = label[np.concatenate([apart, apart[:, ::-1]])]
    rows, columns = np.concatenate([np.stack([one[many], other[many]]), told.T], axis=1)
    fences = coo_array((np.ones(len(rows)), (rows, columns)), shape).tocsr()
    fences.data[:] = 1.0
    return fences


def _nearest(sums: TrackSums, rows: Array, fences: csr_array) -> tuple[Array, Array]:
    """Return the nearest cluster of each of these that it may merge with, and how far it is.

    Infinitely far is who has nobody.
    """
    clusters = len(sums.weight)
    nearest, distance = np.empty(len(rows), np.int64), np.empty(len(rows))
    many = max(1, BLOCK // max(1, clusters))  # clusters at a time: of all, too many distances
    for start in range(0, len(rows), many):
        block = rows[start : start + many]
        far = sums.distances(block, sums)
        far[np.arange(len(block)), block] = np.inf
        far[fences[block].nonzero()] = np.inf
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
