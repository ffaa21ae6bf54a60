"""What every export is written from: who is chosen, when they are seen, how frames are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np

from videoclusternet.errors import UsageError
from videoclusternet.records import Shots, Tracks
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
    names: tuple[str, ...]


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
        pairs = list(self.appearances())
        edges = sorted({edge for _, one in pairs for edge in (one.start, one.end)})
        found: list[Stretch] = []
        for start, end in pairwise(edges):
            names = tuple(
                dict.fromkeys(p.name for p, one in pairs if one.start < end and one.end > start)
            )
            if found and found[-1].names == names and found[-1].end == start:
                found[-1] = replace(found[-1], end=end)
            elif names:
                found.append(Stretch(start, end, names))
        return found


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
