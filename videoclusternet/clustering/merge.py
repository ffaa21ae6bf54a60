"""Who is who: clusters merge while their loss is below the limit that one of them sets for itself.

No number of people and no threshold is asked for (paper, stage 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from videoclusternet.clustering.distance import loss_between, pair_limit
from videoclusternet.records import Array


@dataclass(frozen=True, eq=False)
class Sides:
    """What the loss knows of each track: a row per track.

    `count` (tracks,) crops; `p`, `q` (tracks, k) sums of their P and Q; `own` (tracks,) the sum of
    P_i . Q_i; `mean_p`, `mean_q` (tracks, k) P and Q of the track's mean output.
    """

    count: Array
    p: Array
    q: Array
    own: Array
    mean_p: Array
    mean_q: Array


@dataclass(frozen=True)
class Merge:
    """Two clusters, each called by its lowest track, that became one, and why."""

    round: int
    left: int
    right: int
    loss: float
    left_limit: float
    right_limit: float


def merge_tracks(sides: Sides) -> tuple[Array, Array, list[Merge]]:
    """Return the label of each track, the final limit of each cluster and the history.

    A cluster of one track brings each of its crops, a cluster of several the mean output of each
    (paper). Two clusters match when their loss is below the limit of either; matches chain; then
    limits are taken anew from all crops, until nothing merges. Every round but the last has fewer
    clusters than the one before, so there are at most as many rounds as tracks.
    """
    label = np.arange(len(sides.count))
    history: list[Merge] = []
    for round_ in range(len(label)):
        limit, loss = _compare(sides, label)
        match = loss < np.maximum(limit[:, None], limit[None, :])
        np.fill_diagonal(match, False)
        if not match.any():
            return label, limit, history
        history += _explain(round_, label, loss, limit, match)
        _, joined = connected_components(match, directed=False)
        label = _number(joined[label])
    return label, _compare(sides, label)[0], history


def _compare(sides: Sides, label: Array) -> tuple[Array, Array]:
    """Return the limit of each cluster and the loss between all of them."""
    size = np.bincount(label)
    limit = pair_limit(
        *(_sum(label, x) for x in (sides.count, sides.p, sides.q, sides.own))
    )
    alone = (size[label] == 1)[:, None]
    count = np.maximum(sides.count, 1)[:, None]
    p = _sum(label, np.where(alone, sides.p / count, sides.mean_p)) / size[:, None]
    q = _sum(label, np.where(alone, sides.q / count, sides.mean_q)) / size[:, None]
    return limit, loss_between(p, q)


def _sum(label: Array, values: Array) -> Array:
    """Add the rows of each cluster."""
    members = coo_array((np.ones(len(label)), (label, np.arange(len(label))))).tocsr()
    return members @ values


def _number(label: Array) -> Array:
    """Number clusters from 0 in the order of their lowest track."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _explain(
    round_: int, label: Array, loss: Array, limit: Array, match: Array
) -> list[Merge]:
    """Return the fewest and closest of a round's matches that join all that it joins."""
    lowest = np.unique(label, return_index=True)[1]
    closeness = np.where(match, loss - loss.min() + 1.0, 0.0)
    tree = minimum_spanning_tree(coo_array(closeness)).tocoo()
    return [
        Merge(round_, int(lowest[a]), int(lowest[b]), float(loss[a, b]), float(limit[a]), float(limit[b]))
        for a, b in sorted((min(i, j), max(i, j)) for i, j in zip(*tree.coords, strict=True))
    ]
