"""Rivals: other ways of telling who is who among the same tracks, by the same embeddings.

Each way is a row of `METHODS` and a function in a module of this folder. It is shown what a method
may see (`TrackSet`) and told what its row says that it must be told; true names it never sees.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from videoclusternet.records import Array

Told = Literal["nothing", "threshold", "people"]


@dataclass(frozen=True, eq=False)
class TrackSet:
    """What is known of the tracks of one film; each has at least one crop."""

    embeddings: Array  # float32 (crops, d), by the untuned network, track by track
    counts: Array  # int64 (tracks,): crops of each track, in the order of the embeddings
    first: Array  # int64 (tracks,): the frames in which a track begins
    last: Array  # int64 (tracks,): and ends, included

    def __len__(self) -> int:
        return len(self.counts)

    @cached_property
    def track(self) -> Array:
        """The track of each crop, int64 (crops,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def unit(self) -> Array:
        """The embeddings at unit length, float64 (crops, d)."""
        values = self.embeddings.astype(np.float64)
        unit: Array = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        return unit

    @cached_property
    def means(self) -> Array:
        """The mean of each track's unit embeddings, at unit length, float64 (tracks, d)."""
        sums = np.zeros((len(self), self.unit.shape[1]))
        np.add.at(sums, self.track, self.unit)
        means: Array = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
        return means

    @cached_property
    def together(self) -> Array:
        """Which tracks share a frame, and so are two people: bool (tracks, tracks)."""
        shared: Array = (self.first[:, None] <= self.last) & (self.first <= self.last[:, None])
        np.fill_diagonal(shared, False)
        return shared


Group = Callable[[TrackSet, float | None, int], Array]
"""What a method is: tracks, what it is told, and a seed, to a label for each track, int64
(tracks,), -1 where it leaves a track out. The same arguments give the same labels."""


@dataclass(frozen=True)
class Method:
    """A row of the table."""

    name: str
    module: str  # of this folder
    told: Told  # what it is told: a threshold that is best on other films, or how many people
    source: str  # who published it, and where
    differs: str  # what is not as published, and why
    thresholds: tuple[float, ...] = ()  # among which the one of other films is sought

    def group(self, tracks: TrackSet, told: float | None = None, seed: int = 0) -> Array:
        """Group the tracks: see `Group`."""
        group: Group = importlib.import_module(f"benchmarks.methods.{self.module}").group
        return group(tracks, told, seed)


METHODS: dict[str, Method] = {}
