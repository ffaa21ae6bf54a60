"""What every loader gives: a film's tracks, as a method may see them, and who they really are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

import videoclusternet as vcn
from benchmarks.methods import TrackSet
from videoclusternet.records import Array, Crops
from videoclusternet.results.metrics import Scores, score

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
    crops: Crops | None = None  # of the tracks of the set, where the data set has pictures

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
    def people(self) -> int:
        """How many people there are among the tracks that are scored."""
        return len(np.unique(self.every_name[self.every_name != ""]))

    @property
    def taught(self) -> Array:
        """The name of each track of the set as other films are shown it, str (tracks,).

        A name is one person within its film only, so the film's name stands before it.
        """
        return np.array([f"{self.name}: {name}" if name else "" for name in self.names], np.str_)

    def scored(self, labels: Array) -> Scores:
        """Score a label for each track of the film, int64 (all,)."""
        return score(labels, self.scored_names)

    @property
    def scored_names(self) -> list[str | None]:
        """The name of each track of the film, None where it is not scored."""
        return [name or None for name in self.every_name.tolist()]

    def all_of(self, labels: Array) -> Array:
        """Return labels (..., tracks) of the set as (..., all), -1 where there is no crop."""
        spread = np.full((*labels.shape[:-1], len(self.ids)), -1)
        spread[..., self.kept] = labels
        return spread

    def of_named(self) -> LabelledFilm:
        """Return the film with its background people not scored (the protocol of BBT and BVS)."""
        names = [name not in self.background for name in self.every_name.tolist()]
        return replace(self, every_name=np.where(names, self.every_name, ""))

    @property
    def without_crops(self) -> int:
        """How many tracks the film has beside those of the set."""
        return len(self.ids) - len(self.kept)


def as_one(name: str, films: Sequence[LabelledFilm]) -> LabelledFilm:
    """Return films as one, in their order and one after the other; a name is one person in all.

    Raises ValueError where there are no films, or only some of them have pictures.
    """
    ends = np.cumsum([max(film.tracks.last, default=0) + 1 for film in films])
    starts = [0, *ends.tolist()]
    crops = [film.crops for film in films if film.crops is not None]
    if not films or len(crops) not in (0, len(films)):
        raise ValueError("films with pictures and films without are not taken as one")
    sets = [film.tracks for film in films if len(film.tracks)]
    widths = sorted({part.embeddings.shape[1] for part in sets})
    if len(widths) > 1:
        told = " and ".join(map(str, widths))
        raise vcn.InputError(f"The films of {name} have features of {told} numbers.")
    tracks = TrackSet(
        np.concatenate([part.embeddings for part in sets] or [films[0].tracks.embeddings]),
        np.concatenate([film.tracks.counts for film in films]),
        np.concatenate([f.tracks.first + at for f, at in zip(films, starts, strict=False)]),
        np.concatenate([f.tracks.last + at for f, at in zip(films, starts, strict=False)]),
    )
    before = np.cumsum([0, *(len(film.ids) for film in films)])
    return LabelledFilm(
        name,
        tracks,
        np.concatenate([f.kept + at for f, at in zip(films, before.tolist(), strict=False)]),
        np.concatenate([[f"{film.name}: {one}" for one in film.ids] for film in films]).astype(
            np.str_
        ),
        np.concatenate([film.every_name for film in films]),
        frozenset().union(*(film.background for film in films)),
        _all_crops(crops) if crops else None,
    )


def _all_crops(crops: Sequence[Crops]) -> Crops:
    counts = np.concatenate([part.counts for part in crops])
    images, frame, sharpness, frontal = (
        np.concatenate([getattr(part, column) for part in crops])
        for column in ("images", "frame", "sharpness", "frontal")
    )
    track = np.repeat(np.arange(len(counts)), counts)
    return Crops(images, track, frame, sharpness, frontal, counts)


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
