"""Average linkage of the tracks' mean embeddings by cosine distance: the usual pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from benchmarks.methods import TrackSet
from videoclusternet.records import Array


def group(tracks: TrackSet, told: int | float | None, seed: int) -> Array:
    """Cut the tree at a distance (told a float), or into so many people (told an int)."""
    if isinstance(told, int):
        return _cut(tracks, [told], "maxclust")[0]
    if told is None:
        raise ValueError("average linkage must be told a distance or how many people there are")
    return _cut(tracks, [told], "distance")[0]


def sweep(tracks: TrackSet, thresholds: Sequence[float], seed: int) -> list[Array]:
    """Return what `group` would at each of the thresholds; the tree is made once."""
    return _cut(tracks, thresholds, "distance")


def _cut(tracks: TrackSet, values: Sequence[float], criterion: str) -> list[Array]:
    if len(tracks) < 2:
        return [np.zeros(len(tracks), np.int64) for _ in values]
    # scipy's cosine distance of equal vectors may be a hair below zero, so it is taken by hand.
    distance = np.maximum(0, 1 - tracks.means @ tracks.means.T)
    tree = linkage(distance[np.triu_indices(len(tracks), 1)], "average")
    return [fcluster(tree, value, criterion).astype(np.int64) - 1 for value in values]
