"""Average linkage of the tracks' mean embeddings by cosine distance: the usual pipeline."""

from __future__ import annotations

from benchmarks.methods import ToldOf, TrackSet
from benchmarks.methods.linkage import cut
from videoclusternet.records import Array


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Cut the tree at distances, or into so many people: see `Group`."""
    return cut(tracks.means, "average", told)
