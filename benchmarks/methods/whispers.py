"""Chinese Whispers: each track takes the label that most of its neighbours have, until all stay.

Biemann, TextGraphs 2006; for faces, dlib's `chinese_whispers_clustering`.
"""

from __future__ import annotations

import numpy as np

from benchmarks.methods import ToldOf, TrackSet
from benchmarks.methods.linkage import cosine_distances
from videoclusternet.records import Array

SWEEPS = 100  # at most; dlib's number of iterations


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Join tracks no farther apart than each threshold, and let them whisper: see `Group`."""
    apart = cosine_distances(tracks.means)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(tracks)) for _ in range(SWEEPS)]
    return [whisper(apart <= threshold, orders) for threshold in told]


def whisper(joined: Array, orders: list[Array]) -> Array:
    """Return labels (n,) of a graph, bool (n, n), in which each is its own neighbour, too.

    In each sweep all are asked in the next of the orders; of labels that are as frequent, the
    lowest is taken.
    """
    label = np.arange(len(joined))
    for order in orders:
        before = label.copy()
        for one in order:
            label[one] = np.bincount(label[joined[one]]).argmax()
        if np.array_equal(label, before):
            break
    numbered: Array = np.unique(label, return_inverse=True)[1].astype(np.int64)
    return numbered
