"""Who is on the screen with whom: moments that are asked for, and what can be counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from videoclusternet.errors import UsageError
from videoclusternet.results.people import Appearance, People, Person


@dataclass(frozen=True)
class Screen:
    """What there is to count of a person."""

    person: Person
    share: float  # of the film, 0 to 1
    first: float  # seconds: where they are first seen
    last: float  # where they are last seen, exclusive
    longest: float  # seconds, of one appearance


@dataclass(frozen=True)
class Pair:
    """Two people on the screen at one time."""

    left: str
    right: str
    seconds: float
    moments: int


def find_person(people: Iterable[Person], text: str) -> Person:
    """Return who of these has this name or number. Raises UsageError where nobody has."""
    wanted = text.strip().casefold()
    for person in people:
        if wanted in (person.name.casefold(), str(person.number)):
            return person
    raise UsageError(
        f"Nobody in this run is called '{text.strip()}': 'vcn show' prints who is there."
    )


def find_moments(people: People, text: str) -> list[Appearance]:
    """Return the moments with all of some people and none of others: "Ada & Bo - Cy".

    A moment ends at a cut. Raises UsageError as `parse_question` does, and for somebody who is not
    there.
    """
    everyone = (*people, people.unknown)
    return those_moments(
        [(sign, find_person(everyone, who).appearances) for sign, who in parse_question(text)]
    )


def parse_question(text: str) -> list[tuple[str, str]]:
    """Return who is asked for, each behind a sign: "&" with, "-" without; the first is with.

    Signs stand between spaces, so that a name may have a hyphen. Raises UsageError where a name is
    missing.
    """
    name, *rest = re.split(r"\s+([&-])(?:\s+|$)", f" {text}".rstrip())
    words = [("&", name), *zip(rest[::2], rest[1::2], strict=True)]
    if not all(who.strip() for _, who in words):
        raise UsageError(f"'{text}' lacks a name: ask as in 'Ada & Bo - Cy'.")
    return words


def those_moments(asked: Sequence[tuple[str, Sequence[Appearance]]]) -> list[Appearance]:
    """Return the moments with all that stand behind "&" and none behind "-", the first an "&"."""
    (_, found), *rest = asked
    for sign, times in rest:
        found = tuple(both(found, times) if sign == "&" else without(found, times))
    return list(found)


def both(left: Sequence[Appearance], right: Sequence[Appearance]) -> Iterator[Appearance]:
    """Yield where two rows of appearances, each in order, overlap."""
    for one in left:
        for other in right:
            start, end = max(one.start, other.start), min(one.end, other.end)
            if start < end:
                yield Appearance(start, end)


def without(left: Sequence[Appearance], right: Sequence[Appearance]) -> Iterator[Appearance]:
    """Yield what of the left appearances no right one overlaps; both in order."""
    for one in left:
        start = one.start
        for other in right:
            if other.end <= start or other.start >= one.end:
                continue
            if other.start > start:
                yield Appearance(start, other.start)
            start = max(start, other.end)
        if start < one.end:
            yield Appearance(start, one.end)


def count_screens(people: People) -> list[Screen]:
    """Return what there is to count of each person, most screen time first."""
    return [
        Screen(
            person,
            person.seconds / people.duration if people.duration else 0.0,
            min(one.start for one in person.appearances),
            max(one.end for one in person.appearances),
            max(one.end - one.start for one in person.appearances),
        )
        for person in people
        if person.appearances
    ]


def count_pairs(people: People) -> list[Pair]:
    """Return everybody who is ever on the screen with somebody else, the longest first."""
    pairs = []
    for n, left in enumerate(people):
        for right in people.people[n + 1 :]:
            moments = list(both(left.appearances, right.appearances))
            if moments:
                seconds = sum(one.end - one.start for one in moments)
                pairs.append(Pair(left.name, right.name, seconds, len(moments)))
    return sorted(pairs, key=lambda pair: (-pair.seconds, pair.left, pair.right))
