"""What every export is written from: who is chosen, when they are seen, how frames are counted."""

from __future__ import annotations

import math
import re
from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np

from videoclusternet.errors import UsageError
from videoclusternet.records import Array, Shots, Tracks
from videoclusternet.results.people import Appearance, People, Person
from videoclusternet.results.together import find_person

RATES = tuple(
    Fraction(n, d)
    for n, d in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48000, 1001), (48, 1), (50, 1),
        (60000, 1001), (60, 1), (120000, 1001), (120, 1),
    )
)  # fmt: skip
"""Frames a second that editing programs know."""
SNAP = 5e-4  # of a rate; 23.976 and 24 are twice as far apart


@dataclass(frozen=True)
class Stretch:
    """A time in which the same people are on the screen."""

    start: float  # seconds
    end: float  # exclusive
    people: tuple[Person, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called; who shares a name with another is said once."""
        return tuple(dict.fromkeys(person.name for person in self.people))


@dataclass(frozen=True, eq=False)
class Followed:
    """A face that was followed through a shot."""

    track: int
    frames: Array  # that were looked at, (looks,)
    boxes: Array  # left, top, right, bottom in pixels, (looks, 4)
    scores: Array  # the detector's, 0 to 1, (looks,)

    def everywhere(self) -> tuple[Array, Array, Array]:
        """Return every frame from the first look to the last, with its box and score.

        Between two looks both go along a straight line.
        """
        frames = np.arange(self.frames[0], self.frames[-1] + 1)
        sides = [np.interp(frames, self.frames, side) for side in self.boxes.T]
        return frames, np.stack(sides, axis=1), np.interp(frames, self.frames, self.scores)


@dataclass(frozen=True, eq=False)
class Sheet:
    """The people of a film as exports tell them."""

    film: Path  # where it was
    width: int  # of the upright picture, pixels
    height: int
    rate: Fraction  # frames a second, as an editing program counts them
    people: People
    tracks: Tracks
    shots: Shots

    @classmethod
    def of(
        cls, film: Path, size: tuple[int, int], people: People, tracks: Tracks, shots: Shots,
        *, only: Sequence[str] = (), least: float = 0.0, rate: str | None = None,
    ) -> Self:  # fmt: skip
        """Choose people by name or number (all that are not ignored, if none are named).

        `least` is how many seconds an appearance lasts to be told. Raises UsageError for somebody
        who is not there, and for a rate that is none.
        """
        chosen = [_shortened(person, least) for person in _chosen(people, only)]
        kept = tuple(person for person in chosen if person.appearances)
        counted = rate_of(shots) if rate is None else read_rate(rate)
        return cls(film, *size, counted, replace(people, people=kept), tracks, shots)

    @property
    def seconds(self) -> float:
        """How long the film lasts."""
        return self.people.duration

    @property
    def frames(self) -> int:
        """How many frames it has at its rate."""
        return max(1, round(self.seconds * self.rate))

    def frame(self, seconds: float) -> int:
        """Return the frame that is shown from a time on, as an editing program counts.

        Of a film of constant rate it is the true one; one of varying rate is counted as if it was
        conformed to the rate, which is what such a program does with it.
        """
        return round(seconds * self.rate)

    def span(self, one: Appearance) -> tuple[int, int]:
        """Return the first frame of an appearance and how many it has, one at least."""
        first = min(self.frame(one.start), self.frames - 1)
        return first, max(1, self.frame(one.end) - first)

    def appearances(self) -> Iterator[tuple[Person, Appearance]]:
        """Yield who appears when, in the order of the film."""
        pairs = [(person, one) for person in self.people for one in person.appearances]
        yield from sorted(pairs, key=lambda pair: (pair[1].start, pair[1].end, pair[0].number))

    def stretches(self) -> list[Stretch]:
        """Return the times with somebody on the screen, cut wherever who it is changes."""
        order = [(person, one) for person, one in self.appearances() if one.start < one.end]
        edges = sorted(
            edge
            for n, (_, one) in enumerate(order)
            for edge in ((one.start, 1, n), (one.end, 0, n))
        )
        seen: list[int] = []  # places in `order` of what lasts at this time
        found: list[Stretch] = []
        for (time, begins, n), (after, *_) in pairwise([*edges, (math.inf, 0, 0)]):
            if begins:
                insort(seen, n)
            else:
                seen.remove(n)
            if after == time or not seen:
                continue
            people = tuple({order[n][0].number: order[n][0] for n in seen}.values())
            if found and found[-1].people == people and found[-1].end == time:
                found[-1] = replace(found[-1], end=after)
            else:
                found.append(Stretch(time, after, people))
        return found

    def moments(self) -> list[Appearance]:
        """Return the times with somebody on the screen, whoever it is."""
        found: list[Appearance] = []
        for one in self.stretches():
            if found and found[-1].end == one.start:
                found[-1] = replace(found[-1], end=one.end)
            else:
                found.append(Appearance(one.start, one.end))
        return found

    def followed(self, person: Person) -> Iterator[Followed]:
        """Yield the faces of one of its people, in the order of their tracks.

        Appearances that were left out as too short do not count here: a track is told whole.
        """
        starts = self.tracks.starts
        for track in person.tracks:
            rows = slice(starts[track], starts[track + 1])
            yield Followed(
                track, self.tracks.frame[rows], self.tracks.box[rows], self.tracks.score[rows]
            )


def plain(text: str) -> str:
    """Return a text with `\ufffd` for each character that XML cannot hold."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def rate_of(shots: Shots) -> Fraction:
    """Return the frames a second of a film: the nearest that programs know, or its own."""
    steps = np.diff(shots.times)
    if not len(steps):
        return Fraction(25)
    usual = float(np.quantile(steps, 0.5, method="lower"))  # of two halves, one that there is
    return _snapped(Fraction(1 / usual).limit_denominator(1001))


def read_rate(text: str) -> Fraction:
    """Read frames a second as people write them: 25, 23.976, 30000/1001. Raises UsageError."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"'{text}' is no frame rate: say 25, 23.976 or 30000/1001.") from None
    if not 1 <= rate <= 1000:
        raise UsageError(f"'{text}' is no frame rate: it is between 1 and 1000.")
    return _snapped(rate)


def _snapped(rate: Fraction) -> Fraction:
    near = min(RATES, key=lambda known: abs(known - rate))
    return near if abs(near - rate) <= SNAP * near else rate


def _chosen(people: People, only: Sequence[str]) -> list[Person]:
    if not only:
        return [person for person in people if not person.ignored]
    return list(dict.fromkeys(find_person(people, text) for text in only))


def _shortened(person: Person, least: float) -> Person:
    kept = tuple(one for one in person.appearances if one.end - one.start >= least)
    return replace(person, appearances=kept)
