"""Films of drawn embeddings, for methods that are trained."""

from __future__ import annotations

import numpy as np

from benchmarks.methods import TrackSet


def draw_film(
    people: int,
    tracks: int,
    crops: int = 4,
    *,
    seed: int = 0,
    spread: float = 0.1,
    meet: bool = True,
) -> tuple[TrackSet, np.ndarray]:
    """Return a film of people with so many tracks each, and who is who, int (people · tracks,).

    People are axes of a space of 12 dimensions. Where they meet, all people of one place are seen
    at one time; else every track has its own.
    """
    rng = np.random.default_rng(seed)
    who = np.tile(np.arange(people), tracks)
    embeddings = np.eye(12)[who].repeat(crops, axis=0)
    embeddings += spread * rng.standard_normal(embeddings.shape)
    place = np.arange(len(who)) // people if meet else np.arange(len(who))
    counts = np.full(len(who), crops)
    return TrackSet(embeddings.astype(np.float32), counts, place * 10, place * 10 + 9), who


def alike(labels: np.ndarray, who: np.ndarray) -> bool:
    """Return whether labels say of every two tracks what `who` says."""
    return np.array_equal(labels[:, None] == labels, who[:, None] == who)
