"""SSiam: pairs are found by ranking distances in a random part of the film, without tracks.

Sharma, Tapaswi, Sarfraz, Stiefelhagen: Self-Supervised Learning of Face Representations for Video
Face Clustering, FG 2019; its code is `cnn_unsup_siamese.m` of vivoutlaw/SSIAM.
"""

from __future__ import annotations

import numpy as np

from benchmarks.methods import ToldOf, TrackSet
from benchmarks.methods.learning import HALF, Draw, track_features
from benchmarks.methods.linkage import cut
from videoclusternet.records import Array

PART = 1000  # crops, at most, that are ranked for one batch; the public code draws 3000


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Group the tracks: see `Group`."""
    return cut(features(tracks, seed), "ward", told)


def features(tracks: TrackSet, seed: int, steps: int | None = None) -> Array:
    """Return the learned features of each track, float64 (tracks, d)."""
    return track_features(tracks, draws(tracks.unit), seed, steps)


def draws(unit: Array) -> Draw:
    """Return what draws pairs among unit embeddings (crops, d): the hard ones of a random half."""
    known = unit.astype(np.float32)
    size = min(PART, max(2, len(known) // 2))

    def draw(rng: np.random.Generator) -> tuple[Array, Array, Array]:
        part = rng.choice(len(known), size, replace=False)
        near, far = hard_pairs(known[part] @ known[part].T)
        left, right = part[np.concatenate([near, far], axis=1)]
        return left, right, np.arange(len(left)) < near.shape[1]

    return draw


def hard_pairs(likeness: Array) -> tuple[Array, Array]:
    """Return pairs of one person and of two, int64 (2, pairs) each, of crops by likeness (n, n).

    One person are a crop and its nearest; those are taken that are farthest from each other. Two
    people are a crop and its farthest; those are taken that are nearest to each other.
    """
    likeness = likeness.copy()
    every = np.arange(len(likeness))
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argmax(likeness, axis=1)
    near = np.argsort(likeness[every, nearest], kind="stable")[:HALF]
    np.fill_diagonal(likeness, np.inf)
    farthest = np.argmin(likeness, axis=1)
    far = np.argsort(-likeness[every, farthest], kind="stable")[:HALF]
    return np.stack([near, nearest[near]]), np.stack([far, farthest[far]])
