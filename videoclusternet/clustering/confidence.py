"""How sure it is that a track lies in the right cluster, and how sure a person is.

A track's loss to its own cluster stands against that to the nearest other one. How far apart the
two are becomes the share of tracks that were right at such a distance, in films of known people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from videoclusternet.clustering.distance import (
    BLOCK,
    Sides,
    brought,
    loss_to,
    mean_of_crops,
    sum_of,
)
from videoclusternet.records import Array

SLOPE, OFFSET = 4.68, 1.30
"""The logistic from margin to share right (ours); docs/choices.md says what it was fitted to.

`python -m benchmarks confidence` fits it anew to finished runs whose truth is known.
"""


@dataclass(frozen=True, eq=False)
class Margins:
    """What each track (tracks,) is nearer to, and by how much: its own cluster or another."""

    own: Array  # loss to its own cluster without the track; alone: the limit it sets for itself
    other: Array  # loss to the nearest other cluster, NaN where there is none
    nearest: Array  # label of that cluster, -1 where there is none

    @property
    def margin(self) -> Array:
        """The silhouette (Rousseeuw 1987) in the film's own losses: 1 sure, 0 between the two.

        Ours, because a share of the larger loss needs no scale of the film, and told right from
        wrong tracks better than a difference in units of the loss between strangers. For a track
        that is alone Rousseeuw has no value; the cluster's own limit is what the paper asks there.
        NaN where there is no other cluster, or no limit.
        """
        larger = np.maximum(self.own, self.other)
        with np.errstate(invalid="ignore"):
            share = (self.other - self.own) / np.where(larger > 0, larger, 1.0)
        return np.where(np.isfinite(share), share, np.nan)


def track_margins(sides: Sides, label: Array, limit: Array) -> Margins:
    """Return the margins of tracks in their clusters, whose final limits (clusters,) are these.

    As while merging, a single track brings each of its crops, and so does the track that is judged;
    several tracks bring the mean output of each.
    """
    clusters = len(limit)
    p, q = mean_of_crops(sides)
    size = np.bincount(label, minlength=clusters)[label]
    own = limit[label] if clusters else np.empty(0)
    if np.any(size > 1):
        rest_p, rest_q = (
            _without_each(label, size, np.where((size == 2)[:, None], crops, means))
            for crops, means in ((p, sides.mean_p), (q, sides.mean_q))
        )
        together = -(np.einsum("tk,tk->t", p, rest_q) + np.einsum("tk,tk->t", q, rest_p)) / 2
        own = np.where(size > 1, together, own)
    if clusters < 2:
        return Margins(own, np.full(len(label), np.nan), np.full(len(label), -1))
    brings = brought(sides, label)
    nearest, other = np.empty(len(label), np.int64), np.empty(len(label))
    many = max(1, BLOCK // clusters)  # tracks at a time: of all, there may be too many losses
    for start in range(0, len(label), many):
        rows = slice(start, start + many)
        loss = loss_to(p[rows], q[rows], *brings)
        loss[np.arange(len(loss)), label[rows]] = np.inf
        nearest[rows], other[rows] = loss.argmin(axis=1), loss.min(axis=1)
    return Margins(own, other, nearest)


def _without_each(label: Array, size: Array, values: Array) -> Array:
    """Return the mean (tracks, k) over the other tracks of each track's cluster."""
    return (sum_of(label, values)[label] - values) / np.maximum(size - 1, 1)[:, None]


def track_confidence(margin: Array) -> Array:
    """Return how likely each track is in the right cluster, 0 to 1, NaN where the margin is.

    Right means: with those it mostly shares its name with, and not alone where its person is also
    elsewhere (docs/choices.md has the films, and how well it held on films left out).
    """
    share: Array = expit(SLOPE * margin + OFFSET)
    return share


def person_confidence(label: Array, confidence: Array, weight: Array) -> Array:
    """Return which part of each person's crops is likely right, (clusters,), NaN where unknown.

    The mean over its tracks, weighted by their crops; tracks without a confidence do not count.
    Ours: the weakest track instead would make every leading part doubtful, the more tracks it has.
    """
    counted = np.where(np.isnan(confidence), 0.0, weight)
    sums = np.bincount(
        label, counted * np.nan_to_num(confidence), minlength=label.max(initial=-1) + 1
    )
    with np.errstate(invalid="ignore"):
        return sums / np.bincount(label, counted, minlength=len(sums))
