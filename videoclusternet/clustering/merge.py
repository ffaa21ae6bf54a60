"""Clusters merge while their loss is below the limit that one of them sets for itself.

No number of people and no threshold is asked for (paper, stage 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from videoclusternet.clustering.distance import (
    Rule,
    Sides,
    blocks,
    brought,
    limits,
    loss_to,
    mean_of_crops,
)
from videoclusternet.records import SAID, Array
from videoclusternet.said import Said, numbered

BY_FAR = 0.5  # the excess over a limit, in distances from the nearest to the second; ours
FEWEST = 6  # clusters without which the second nearest is no measure of strangers; ours


@dataclass(frozen=True)
class Merge:
    """Two clusters, each called by its lowest track, that became one, and why."""

    round: int
    left: int
    right: int
    loss: float
    left_limit: float
    right_limit: float

    def among(self, tracks: Array) -> Merge:
        """Return the same merge with the tracks' numbers in a larger set."""
        left, right = int(tracks[self.left]), int(tracks[self.right])
        return Merge(self.round, left, right, self.loss, self.left_limit, self.right_limit)


def merge_tracks(
    sides: Sides, rule: Rule, said: Said | None = None
) -> tuple[Array, Array, list[Merge]]:
    """Return the label of each track, the final limit of each cluster and the history.

    What was said is where it starts (its merges are those of round `SAID`): see `merge_clusters`.
    """
    said = Said.nothing(len(sides.count)) if said is None else said
    label = said.together()
    alone = np.arange(len(label))
    apart = np.stack([said.left, said.right], axis=1)
    label, limit, history = merge_clusters(sides, rule, label, apart)
    return label, limit, given_merges(sides, alone, said.together(), SAID) + history


def merge_clusters(
    sides: Sides, rule: Rule, label: Array, apart: Array
) -> tuple[Array, Array, list[Merge]]:
    """Return the label of each track, the final limit of each cluster and the history.

    A cluster of one track brings each of its crops, a cluster of several the mean output of each
    (paper). Two clusters match when their loss is below the limit of either one (or of both, as the
    rule says); matches chain; then limits are taken anew from all crops, until nothing merges.
    Where the rule says so, clusters that find each other nearest by far merge then, too (ours), and
    all goes on. Every round but the last has fewer clusters than the one before, so there are at
    most as many rounds as tracks.

    It starts with the clusters `label` (tracks,), numbered from 0 by lowest tracks. Where a chain
    of matches would join two tracks of `apart` (n, 2), the link that would close it is left out,
    the farthest ones first (ours).
    """
    history: list[Merge] = []
    for round_ in range(len(label)):
        limit, bring = limits(sides, label), brought(sides, label)
        fences = _Apart.of(label[apart[:, 0]], label[apart[:, 1]], len(limit))
        links = _below_limits(limit, *bring, rule, fences)
        if rule.nearest and not len(links.loss):
            links = _nearest_by_far(limit, *bring, np.bincount(label), fences)
        links = fences.allowed(links)
        if not len(links.loss):
            return label, limit, history
        history += _explain(round_, label, limit, links)
        label = numbered(_joined(links, len(limit))[label])
    return label, limits(sides, label), history


def given_merges(sides: Sides, before: Array, after: Array, round_: int) -> list[Merge]:
    """Return the merges that make the clusters `after` (tracks,) of those `before`, none of which
    follows from losses: each with the one of its lowest track.
    """
    lowest = np.unique(after, return_index=True)[1][after]
    others = np.intersect1d(
        np.unique(before, return_index=True)[1], np.flatnonzero(lowest != np.arange(len(after)))
    )
    if not len(others):
        return []
    limit = limits(sides, np.arange(len(after)))
    p, q = mean_of_crops(sides)
    merges = []
    for track in others.tolist():
        first = int(lowest[track])
        loss = loss_to(p[[first]], q[[first]], p[[track]], q[[track]]).item()
        merges.append(Merge(round_, first, track, loss, float(limit[first]), float(limit[track])))
    return merges


class _Links(NamedTuple):
    """Pairs of clusters, each with its loss; `left` is below `right`."""

    left: Array
    right: Array
    loss: Array

    def and_also(self, left: Array, right: Array, loss: Array) -> _Links:
        """Return these and others."""
        return _Links(*map(np.concatenate, zip(self, (left, right, loss), strict=True)))

    def graph(self, clusters: int, weight: Array) -> coo_array:
        """Return the pairs as a graph of so many clusters."""
        return coo_array((weight, (self.left, self.right)), (clusters, clusters))

    def spanning(self, clusters: int) -> _Links:
        """Return the fewest and closest that join all that these join, in their order."""
        if not len(self.loss):
            return self
        tree = minimum_spanning_tree(self.graph(clusters, self.loss - self.loss.min() + 1.0))
        kept = np.isin(
            self.left * clusters + self.right, np.ravel_multi_index(tree.tocoo().coords, tree.shape)
        )
        return _Links(*(column[kept] for column in self))


@dataclass(frozen=True, eq=False)
class _Apart:
    """Pairs of clusters that a person told apart; `left` is below `right`."""

    left: Array
    right: Array
    clusters: int

    @classmethod
    def of(cls, one: Array, other: Array, clusters: int) -> _Apart:
        return cls(np.minimum(one, other), np.maximum(one, other), clusters)

    def without(self, links: _Links) -> _Links:
        """Return those links that join none of these pairs."""
        if not len(self.left):
            return links
        pairs = self.left * self.clusters + self.right
        kept = ~np.isin(links.left * self.clusters + links.right, pairs)
        return _Links(*(column[kept] for column in links))

    def allowed(self, links: _Links) -> _Links:
        """Return the links, the closest first, but for those that would chain a pair together."""
        if not len(self.left):
            return links
        label = np.arange(self.clusters)
        kept = np.zeros(len(links.loss), bool)
        for n in np.argsort(links.loss, kind="stable"):
            one, other = label[links.left[n]], label[links.right[n]]
            pairs = np.stack([label[self.left], label[self.right]])
            if np.any((pairs == one).any(0) & (pairs == other).any(0)):
                continue
            kept[n] = True
            label[label == other] = one
        return _Links(*(column[kept] for column in links))


def _below_limits(limit: Array, p: Array, q: Array, rule: Rule, apart: _Apart) -> _Links:
    """Return the fewest and closest matches that join all that matches.

    `p` and `q` (clusters, k) are what the clusters bring. All pairs of many clusters are too many
    to hold at once, so they are gone through in blocks; what a block adds to the fewest of those
    before it leads to the same in the end.
    """
    decides = np.maximum if rule.limits == "either" else np.minimum
    links = _NOTHING
    for start, loss in blocks(p, q, above=True):
        own, others = limit[start : start + len(loss), None], limit[start:]
        left, right = np.nonzero(np.triu(loss < decides(own, others), 1))
        found = apart.without(_Links(left + start, right + start, loss[left, right]))
        links = links.and_also(*found).spanning(len(limit))
    return links


def _nearest_by_far(limit: Array, p: Array, q: Array, size: Array, apart: _Apart) -> _Links:
    """Return which clusters have found each other.

    Each is the other's nearest, and for both the loss exceeds the own limit by less than `BY_FAR`
    of what lies between it and the loss to whoever comes next. Ours, because a limit is the mean of
    the losses inside: half of what belongs together lies above it, and what is left apart so stands
    out from all others. Two single tracks never merge by this: where nobody has come back yet,
    likeness is all there is.
    """
    found = _NOTHING
    for start, loss in blocks(p, q) if len(limit) >= FEWEST else ():
        rows = np.arange(len(loss))
        loss[rows, start + rows] = np.inf
        for one, other in ((apart.left, apart.right), (apart.right, apart.left)):
            here = (one >= start) & (one < start + len(loss))
            loss[one[here] - start, other[here]] = np.inf
        nearest, second = np.partition(loss, 1, axis=1)[:, :2].T
        with np.errstate(invalid="ignore"):  # who was told apart from all others has no nearest
            clear = nearest - limit[start + rows] < BY_FAR * (second - nearest)
        row, column = np.nonzero((loss <= nearest[:, None]) & clear[:, None])
        found = found.and_also(row + start, column, loss[row, column])
    clusters = len(limit)
    mutual = np.isin(found.left * clusters + found.right, found.right * clusters + found.left)
    several = (size[found.left] > 1) | (size[found.right] > 1)
    kept = mutual & several & (found.left < found.right)
    return _Links(*(column[kept] for column in found)).spanning(clusters)


def _joined(links: _Links, clusters: int) -> Array:
    """Return which of the joined clusters each one becomes part of."""
    joined: Array = connected_components(
        links.graph(clusters, np.ones(len(links.loss))), directed=False
    )[1]
    return joined


_NOTHING = _Links(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def _explain(round_: int, label: Array, limit: Array, links: _Links) -> list[Merge]:
    """Return the merges of a round, in the order of their clusters."""
    lowest = np.unique(label, return_index=True)[1]
    order = np.lexsort([links.right, links.left])
    return [
        Merge(round_, int(lowest[a]), int(lowest[b]), float(loss), float(limit[a]), float(limit[b]))
        for a, b, loss in zip(*(column[order].tolist() for column in links), strict=True)
    ]
