"""TSiam: what is one track is one person, and what is seen at one time is two.

Sharma, Tapaswi, Sarfraz, Stiefelhagen: Self-Supervised Learning of Face Representations for Video
Face Clustering, FG 2019. There is no public code of TSiam: the rule for tracks that meet nobody is
from memory of the paper, and everything else that is not in `learning.py` is ours.
"""

from __future__ import annotations

import numpy as np

from benchmarks.methods import ToldOf, TrackSet
from benchmarks.methods.learning import Draw, by_tracks, track_features
from benchmarks.methods.linkage import cut
from videoclusternet.records import Array

FARTHEST = (
    25  # tracks, at most, that a track seen with nobody is told from; from memory of the paper
)
SHARE = 4  # and at most one in so many of the other tracks; ours, for films of few tracks


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Group the tracks: see `Group`."""
    return cut(features(tracks, seed), "ward", told)


def features(tracks: TrackSet, seed: int, steps: int | None = None) -> Array:
    """Return the learned features of each track, float64 (tracks, d)."""
    return track_features(tracks, draws(tracks), seed, steps)


def draws(tracks: TrackSet) -> Draw:
    """Return what draws pairs: both crops of one track, or of two that are two people."""
    return by_tracks(tracks.counts, np.diag(tracks.counts > 1), two_people(tracks))


def two_people(tracks: TrackSet) -> Array:
    """Return whom each track is told from, bool (tracks, tracks).

    Those are the tracks it shares a frame with; where there is none, those with the farthest means,
    which may be wrong, and is where tracks never meet.
    """
    apart = tracks.together.copy()
    alone = np.flatnonzero(~apart.any(axis=1))
    many = min(FARTHEST, max(1, (len(tracks) - 1) // SHARE), len(tracks) - 1)
    likeness = tracks.means @ tracks.means.T
    np.fill_diagonal(likeness, np.inf)
    farthest = np.argsort(likeness[alone], axis=1, kind="stable")[:, :many]
    apart[alone[:, None], farthest] = True
    return apart
