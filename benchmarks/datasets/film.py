"""What every loader gives: a film's tracks, as a method may see them, and who they really are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import videoclusternet as vcn
from benchmarks.methods import TrackSet
from videoclusternet.records import Array

Span = tuple[int, int]
"""The first and the last frame of a track."""


@dataclass(frozen=True, eq=False)
class LabelledFilm:
    """A film whose tracks have names. A track without a crop is counted, but is in no TrackSet."""

    name: str
    tracks: TrackSet  # those that have a crop
    kept: Array  # int64 (tracks,): which of all tracks these are
    ids: Array  # str (all,): what the data set calls each track
    every_name: Array  # str (all,): who it is, "" where it is not scored
    background: frozenset[str] = frozenset()  # names that stand for people who only have a number

    def __post_init__(self) -> None:
        if (
            not len(self.tracks)
            == len(self.tracks.first)
            == len(self.tracks.last)
            == len(self.kept)
        ):
            raise ValueError("each track of the set must be one of the film's, and have its frames")
        if len(self.ids) != len(self.every_name) or np.any(self.kept >= len(self.ids)):
            raise ValueError("each track of the film must have an id and a name")

    @property
    def names(self) -> Array:
        """The name of each track of the set, str (tracks,), "" where it is not scored."""
        return self.every_name[self.kept]

    @property
    def without_crops(self) -> int:
        """How many tracks the film has beside those of the set."""
        return len(self.ids) - len(self.kept)


@dataclass(frozen=True, eq=False)
class FoundTrack:
    """One track as a data set has it."""

    id: str
    name: str  # "" where it is not scored
    features: Array | None  # float32 (crops, d); None where there are none
    span: Span | None  # None where nobody tells
    where: str  # the file that holds the features, for the sentence about them


def assemble(name: str, found: Sequence[FoundTrack], background: str = "") -> LabelledFilm:
    """Make a film of tracks, in their order; names that begin with `background` are background.

    Tracks whose frames nobody tells get numbers of their own behind all others, so that they are
    seen together with nobody. Raises InputError for features of different lengths.
    """
    kept = [
        i for i, track in enumerate(found) if track.features is not None and len(track.features)
    ]
    features = [_alike(found[i], found[kept[0]]) for i in kept]
    spans = _spans([found[i].span for i in kept])
    tracks = TrackSet(
        np.concatenate(features) if features else np.empty((0, 0), np.float32),
        np.array([len(values) for values in features], np.int64),
        spans[:, 0],
        spans[:, 1],
    )
    names = [track.name for track in found]
    return LabelledFilm(
        name,
        tracks,
        np.array(kept, np.int64),
        np.array([track.id for track in found], np.str_),
        np.array(names, np.str_),
        frozenset(n for n in names if background and n.startswith(background)),
    )


def _alike(track: FoundTrack, first: FoundTrack) -> Array:
    """Return a track's features, if they are as long as those of the first track."""
    values, others = track.features, first.features
    if values is None or others is None:
        raise ValueError("only tracks with features can be compared")
    if values.shape[1] != others.shape[1]:
        raise vcn.InputError(
            f"{track.where} holds features of {values.shape[1]} numbers for track {track.id}, and "
            f"{first.where} of {others.shape[1]} for track {first.id}: one film needs one network."
        )
    return values


def _spans(told: Sequence[Span | None]) -> Array:
    """Return first and last frames, int64 (tracks, 2), made up where they are not told."""
    free = max((span[1] for span in told if span is not None), default=-1) + 1
    spans = []
    for span in told:
        if span is None:
            span = (free, free)
            free += 1
        spans.append(span)
    return np.array(spans, np.int64).reshape(-1, 2)
