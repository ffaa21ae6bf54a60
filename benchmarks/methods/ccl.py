"""CCL: a first clustering that is nearly pure says which pairs of crops are one person.

Sharma, Tapaswi, Sarfraz, Stiefelhagen: Clustering based Contrastive Learning for Improving Face
Representations, FG 2020 (arXiv 2004.02195); the clustering is FINCH's first partition (Sarfraz,
Sharma, Stiefelhagen, CVPR 2019). No public code of it was found, and of the paper only
the abstract was read.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.methods import ToldOf, TrackSet
from benchmarks.methods.learning import Draw, by_tracks, track_features
from benchmarks.methods.linkage import cut
from videoclusternet.records import Array


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Group the tracks: see `Group`."""
    return cut(features(tracks, seed), "ward", told)


def features(tracks: TrackSet, seed: int, steps: int | None = None) -> Array:
    """Return the learned features of each track, float64 (tracks, d)."""
    return track_features(tracks, by_clusters(tracks), seed, steps)


def by_clusters(tracks: TrackSet) -> Draw:
    """Return what draws pairs, of one cluster or of two."""
    one, two = weak_labels(tracks)
    return by_tracks(tracks.counts, one, two)


def weak_labels(tracks: TrackSet) -> tuple[Array, Array]:
    """Return which tracks are taken for one person, and which for two, bool (tracks, tracks).

    Clusters decide, but what is seen at one time is two people whatever they say. A track of a
    single crop has no pair with itself.
    """
    cluster = first_partition(tracks.means)
    one = (cluster[:, None] == cluster) & ~tracks.together
    two = ~one
    np.fill_diagonal(one, tracks.counts > 1)
    return one, two


def first_partition(means: Array) -> Array:
    """Return FINCH's first partition of unit vectors (n, d), int (n,).

    Two are linked where one is the other's nearest or both have the same nearest; links chain, so
    the partition is what the links to the nearest alone hold together.
    """
    if len(means) < 2:
        return np.zeros(len(means), np.int64)
    likeness = means @ means.T
    np.fill_diagonal(likeness, -np.inf)
    links = np.arange(len(means)), np.argmax(likeness, axis=1)
    graph = coo_array((np.ones(len(means)), links), shape=likeness.shape)
    cluster: Array = connected_components(graph, directed=False)[1]
    return cluster
