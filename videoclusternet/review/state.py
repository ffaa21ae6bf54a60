"""What is true after all that was said: whose each track is, who is called what, who is who not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from videoclusternet.errors import UsageError
from videoclusternet.records import UNKNOWN, Array
from videoclusternet.said import Said, Verdict


class State:
    """The facts of the log, read as people and tracks.

    The keys are `track/T` (the number of its person, -1 Unknown), `sure/T` (a person put it
    there), `name/P`, `ignored/P`, `apart/T/U` (two tracks, the lower first, are two people),
    `later/T/U` (a question that was put off) and `next` (the number of the next new person).
    """

    def __init__(self, facts: Mapping[str, Any], weight: Array) -> None:
        """`weight` (tracks,) is how much there is to see of each track."""
        self.facts = facts
        self.weight = weight
        self.person = np.full(len(weight), UNKNOWN)
        self.sure = np.zeros(len(weight), bool)
        self.name: dict[int, str] = {}
        self.ignored: set[int] = set()
        self.apart: set[tuple[int, int]] = set()
        self.later: set[tuple[int, int]] = set()
        for key, value in facts.items():
            kind, *words = key.split("/")
            numbers = [int(word) for word in words]
            match kind:
                case "track":
                    self.person[numbers[0]] = value
                case "sure":
                    self.sure[numbers[0]] = True
                case "name":
                    self.name[numbers[0]] = str(value)
                case "ignored":
                    self.ignored.add(numbers[0])
                case "apart":
                    self.apart.add((numbers[0], numbers[1]))
                case "later":
                    self.later.add((numbers[0], numbers[1]))

    @cached_property
    def people(self) -> list[int]:
        """The numbers of all people, ascending."""
        return np.unique(self.person[self.person >= 0]).tolist()

    @property
    def next(self) -> int:
        """The number of the next new person."""
        return int(self.facts.get("next", 1))

    def tracks(self, person: int) -> list[int]:
        """Return the tracks of a person, or of Unknown. Raises UsageError where there is none."""
        tracks = np.flatnonzero(self.person == person).tolist()
        if not tracks and person != UNKNOWN:
            raise UsageError(f"There is no person {person}: 'vcn show' prints who is there.")
        return tracks

    def called(self, person: int) -> str:
        """Return what a person is called."""
        return "Unknown" if person == UNKNOWN else self.name.get(person, f"Person {person}")

    def find(self, text: str) -> int:
        """Return the person of this name or number. Raises UsageError where there is none."""
        wanted = text.strip()
        for person in self.people:
            if self.called(person).casefold() == wanted.casefold():
                return person
        number = wanted.casefold().removeprefix("person").strip()
        if number.isdigit() and int(number) in self.people:
            return int(number)
        raise UsageError(
            f"Nobody in this run is called '{wanted}': 'vcn show' prints who is there."
        )

    def anchor(self, tracks: Sequence[int]) -> int:
        """Return the track that stands for these: what was said of them first, then the longest."""
        return min(tracks, key=lambda track: (not self.sure[track], -self.weight[track], track))

    def told_apart(self, one: Sequence[int], other: Sequence[int]) -> bool:
        """Tell whether any two tracks of these were told to be two people."""
        left, right = set(one), set(other)
        return any((a in left and b in right) or (a in right and b in left) for a, b in self.apart)

    def said(self) -> Said:
        """Return what later runs must obey.

        Tracks that somebody put where they are belong together; those told apart do not; people of
        different names are two.
        """
        group = np.where(self.sure & (self.person >= 0), self.person, -1)
        named = [self.anchor(self.tracks(person)) for person in sorted(self.name)]
        pairs = self.apart | {(min(pair), max(pair)) for pair in combinations(named, 2)}
        pairs = {(a, b) for a, b in pairs if group[a] != group[b] or group[a] < 0}
        left, right = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
        return Said(group, self.sure & (self.person == UNKNOWN), left, right)

    def verdict(self) -> Verdict:
        """Return who is who."""
        names = [self.name.get(person, "") for person in self.people]
        ignored = [person in self.ignored for person in self.people]
        return Verdict(
            self.person, np.array(self.people, np.int64), np.array(names, np.str_),
            np.array(ignored, np.bool_),
        )  # fmt: skip
