"""Which two crops make a positive pair. There is no negative anywhere (paper)."""

from __future__ import annotations

import numpy as np

from videoclusternet.records import Array

ACROSS = 0.5  # of the pairs of a matched track go to a track that it matches; ours


class PairSampler:
    """Draws pairs so that each track has its turn equally often, however long it is.

    `counts` (tracks,) are the crops of each track, which stand together in track order; `matches`
    (tracks, tracks) is True where the row's track may be paired with the column's.
    """

    def __init__(self, counts: Array, matches: Array, rng: np.random.Generator) -> None:
        self.counts = counts
        self.starts = np.cumsum(counts) - counts
        self.tracks = np.flatnonzero(counts)
        self.partners = [np.flatnonzero(row) for row in matches]
        self.rng = rng
        self.queue: list[int] = []

    def draw(self, size: int) -> tuple[Array, Array]:
        """Return the crops (size,) of the one side and of the other.

        Two different crops wherever the track has two; a single crop is paired with itself, which
        differs by its augmentation.
        """
        left = np.empty(size, np.int64)
        right = np.empty(size, np.int64)
        for i in range(size):
            track = self._turn()
            partners = self.partners[track]
            left[i] = self.starts[track] + self.rng.integers(self.counts[track])
            if len(partners) and self.rng.random() < ACROSS:
                other = partners[self.rng.integers(len(partners))]
                right[i] = self.starts[other] + self.rng.integers(self.counts[other])
            else:
                right[i] = self._another(track, int(left[i]))
        return left, right

    def _turn(self) -> int:
        if not self.queue:
            self.queue = self.rng.permutation(self.tracks).tolist()
        return self.queue.pop()

    def _another(self, track: int, crop: int) -> int:
        """Return a crop of the track that is not this one, if it has another."""
        count = int(self.counts[track])
        if count == 1:
            return crop
        start = int(self.starts[track])
        return start + (crop - start + 1 + int(self.rng.integers(count - 1))) % count
