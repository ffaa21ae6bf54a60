"""Trees of merges and their cuts, which most of the rivals end in."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from benchmarks.methods import ToldOf
from videoclusternet.records import Array

Linkage = Literal["average", "complete", "ward"]


def cosine_distances(unit: Array) -> Array:
    """Return the cosine distances of unit vectors (n, d), float64 (n, n), at least 0.

    scipy's distance of equal vectors may be a hair below zero, so it is taken by hand.
    """
    distance: Array = np.maximum(0, 1 - unit @ unit.T)
    np.fill_diagonal(distance, 0)
    return distance


def cut(vectors: Array, by: Linkage, told: ToldOf) -> list[Array]:
    """Return labels (n,), int64, of unit vectors (n, d), one for each of `told`.

    The distance is Euclidean for Ward's linkage, as it must be, and cosine for the others. A
    threshold is a float, a number of people an int. Raises ValueError where neither is told.
    """
    if None in told:
        raise ValueError("a tree must be told a threshold or a number of people")
    if len(vectors) < 2:
        return [np.zeros(len(vectors), np.int64) for _ in told]
    distances = squareform(cosine_distances(vectors), checks=False)
    tree = linkage(vectors if by == "ward" else distances, by)
    kinds = ["maxclust" if isinstance(limit, int) else "distance" for limit in told]
    return [
        fcluster(tree, limit, kind).astype(np.int64) - 1
        for limit, kind in zip(told, kinds, strict=True)
    ]
