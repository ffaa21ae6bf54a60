"""DBSCAN and HDBSCAN of the tracks' mean embeddings by cosine distance, by scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN

from benchmarks.methods import ToldOf, TrackSet
from benchmarks.methods.linkage import cosine_distances
from videoclusternet.records import Array

FEWEST = 2  # tracks of a person; with fewer, every stray track would be one


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Group by DBSCAN at each radius; what is in nobody's reach is left out: see `Group`."""
    if not len(tracks):
        return [np.empty(0, np.int64) for _ in told]
    apart = cosine_distances(tracks.means)
    found = [
        DBSCAN(eps=radius, min_samples=FEWEST, metric="precomputed").fit_predict(apart)
        for radius in told
    ]
    return [labels.astype(np.int64) for labels in found]


def by_density(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Group by HDBSCAN, which is told nothing: see `Group`."""
    if len(tracks) < FEWEST:
        return [np.full(len(tracks), -1) for _ in told]
    finder = HDBSCAN(min_cluster_size=FEWEST, metric="precomputed", copy=True)
    labels = finder.fit_predict(cosine_distances(tracks.means))
    return [labels.astype(np.int64) for _ in told]
