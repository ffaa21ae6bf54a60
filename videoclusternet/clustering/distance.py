"""The training loss as a distance between clusters, exactly, from sums that add.

The loss of a pair (i, j) is -P_i . Q_j, with the probabilities P of the teacher's side and the
log-probabilities Q of the student's (both from the student with its head: paper). So the mean over
the pairs of two groups is minus the product of their mean P and mean Q, and the mean over the pairs
of different crops of one group needs just n, sum P, sum Q and sum P_i . Q_i. The distances that the
loss is compared with have the same form, so that all else about them is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, Self

import numpy as np
from scipy.sparse import coo_array

from videoclusternet.records import Array, Mask, Signatures

BLOCK = 1 << 24  # losses that are held at a time, 128 MB; ours


@dataclass(frozen=True)
class Rule:
    """How two clusters are compared."""

    distance: Literal["loss", "cosine", "euclidean"] = "loss"
    limits: Literal["either", "both"] = "either"  # whose limit the distance must be below
    mean: Literal["early", "late"] = "early"  # of a track: of its outputs, or behind the softmax
    nearest: bool = False  # where no distance is below a limit, those nearest by far merge too
    average: bool = False  # average linkage up to the film's threshold, and no limits; ours


RULES = {
    "cosine-average": Rule(
        "cosine", average=True
    ),  # ours, the default: clustering.linkage says why
    "loss-average": Rule(average=True),
    "loss": Rule(),  # paper; the early mean is ours, because nothing is published
    "loss-nearest": Rule(nearest=True),  # ours: clustering.merge says why
    "loss-both": Rule(limits="both"),
    "loss-late": Rule(mean="late"),
    "cosine": Rule("cosine"),
    "cosine-nearest": Rule("cosine", nearest=True),
    "cosine-both": Rule("cosine", limits="both"),
    "euclidean": Rule("euclidean"),
    "euclidean-nearest": Rule("euclidean", nearest=True),
    "euclidean-both": Rule("euclidean", limits="both"),
}
"""The rows of the setting `cluster.rule`; all but the default and the paper's are for ablations."""


@dataclass(frozen=True, eq=False)
class Sides:
    """Both sides of the loss for each track, as sums that add when tracks merge.

    `count` (tracks,) is how many crops were seen; `p` and `q` (tracks, k) are the sums of their P
    and Q, `own` (tracks,) the sum of P_i . Q_i; `mean_p` and `mean_q` (tracks, k) are P and Q of
    the track's mean output. With several heads, k runs over the outputs of all, and P is divided by
    their number.
    """

    count: Array
    p: Array
    q: Array
    own: Array
    mean_p: Array
    mean_q: Array

    @classmethod
    def of(cls, signatures: Signatures, tracks: Array) -> Self:
        """Return the sides of these tracks (indices), in full precision."""
        rows = (getattr(signatures, field.name)[tracks] for field in fields(cls))
        return cls(*(x if x.dtype == np.int64 else x.astype(np.float64) for x in rows))

    def select(self, tracks: Array) -> Self:
        """Return the sides of these tracks (indices or a mask)."""
        return type(self)(*(getattr(self, field.name)[tracks] for field in fields(self)))

    def spread(self, there: Mask) -> Self:
        """Return the sides of all tracks (tracks,), zeros but for those that are there: these."""
        columns = []
        for field in fields(self):
            values = getattr(self, field.name)
            column = np.zeros((len(there), *values.shape[1:]), values.dtype)
            column[there] = values
            columns.append(column)
        return type(self)(*columns)


def pair_limit(count: Array, p: Array, q: Array, own: Array) -> Array:
    """Return the mean loss over all pairs of different crops in each cluster, (clusters,).

    From the cluster's number of crops (clusters,), its sums of P and Q (clusters, k) and of
    P_i . Q_i (clusters,). It is the threshold that the cluster sets for itself (paper). A cluster
    with a single crop has no pair: its limit is minus infinity, which nothing is below.
    """
    pairs = count * (count - 1.0)
    total = own - np.einsum("ck,ck->c", p, q)
    limit: Array = np.where(pairs > 0, total / np.maximum(pairs, 1.0), -np.inf)
    return limit


def loss_between(p: Array, q: Array) -> Array:
    """Return the loss between clusters, both directions averaged, (clusters, clusters).

    From the mean P and mean Q (clusters, k) of what each cluster brings.
    """
    return loss_to(p, q, p, q)


def loss_to(p: Array, q: Array, other_p: Array, other_q: Array) -> Array:
    """Return the loss of these (n, k) to others (m, k), both directions averaged, (n, m)."""
    loss: Array = -(p @ other_q.T + q @ other_p.T) / 2
    return loss


def compare(sides: Sides, label: Array) -> tuple[Array, Array]:
    """Return the limit of each cluster and the loss between all of them."""
    return limits(sides, label), loss_between(*brought(sides, label))


def limits(sides: Sides, label: Array) -> Array:
    """Return the limit of each cluster, (clusters,): see `pair_limit`."""
    return pair_limit(*(sum_of(label, x) for x in (sides.count, sides.p, sides.q, sides.own)))


def blocks(p: Array, q: Array, *, above: bool = False) -> Iterator[tuple[int, Array]]:
    """Yield the loss between clusters in blocks of rows, each with the first row that it holds.

    From the mean P and mean Q (clusters, k). A block has all columns or, if `above`, those from its
    first row on.
    """
    rows = max(1, BLOCK // max(1, len(p)))
    for start in range(0, len(p), rows):
        others = slice(start if above else 0, None)
        yield start, loss_to(p[start : start + rows], q[start : start + rows], p[others], q[others])


def brought(sides: Sides, label: Array) -> tuple[Array, Array]:
    """Return the mean P and mean Q (clusters, k) of what each cluster brings.

    A cluster of one track brings each of its crops, a cluster of several the mean output of each
    (paper).
    """
    size = np.bincount(label)
    alone = (size[label] == 1)[:, None]
    crops_p, crops_q = mean_of_crops(sides)
    p = sum_of(label, np.where(alone, crops_p, sides.mean_p)) / size[:, None]
    q = sum_of(label, np.where(alone, crops_q, sides.mean_q)) / size[:, None]
    return p, q


def mean_of_crops(sides: Sides) -> tuple[Array, Array]:
    """Return the mean P and mean Q (tracks, k) over the crops of each track."""
    count = np.maximum(sides.count, 1)[:, None]
    return sides.p / count, sides.q / count


def sum_of(label: Array, values: Array) -> Array:
    """Add the rows of each cluster."""
    shape = (label.max(initial=-1) + 1, len(label))
    return coo_array((np.ones(len(label)), (label, np.arange(len(label)))), shape).tocsr() @ values
