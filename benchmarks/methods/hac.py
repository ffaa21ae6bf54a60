"""Agglomerative clustering of the tracks' mean embeddings: the usual pipeline, and two others."""

from __future__ import annotations

from benchmarks.methods import ToldOf, TrackSet
from benchmarks.methods.linkage import cut
from videoclusternet.records import Array


def average(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Cut the tree of average linkage by cosine distance: see `Group`."""
    return cut(tracks.means, "average", told)


def complete(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Cut the tree of complete linkage by cosine distance: see `Group`."""
    return cut(tracks.means, "complete", told)


def ward(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Cut Ward's tree: see `Group`."""
    return cut(tracks.means, "ward", told)
