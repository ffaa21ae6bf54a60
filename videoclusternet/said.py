"""What a person said of a film's tracks: what later runs obey, and who is who in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from videoclusternet.records import Array, Record, column


def numbered(label: Array) -> Array:
    """Number the groups of labels (n,) from 0, in the order of their lowest members."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    numbers: Array = np.argsort(np.argsort(first))[inverse]
    return numbers


@dataclass(frozen=True, eq=False)
class Said(Record):
    """What a person said of the tracks, which no later run contradicts."""

    group: Array = column(np.int64)  # tracks of one number are one person; -1: nothing was said
    nobody: Array = column(np.bool_)  # True: Unknown, and to stay so
    left: Array = column(np.int64, table="apart")  # this track
    right: Array = column(np.int64, table="apart")  # and this one are two people

    @classmethod
    def nothing(cls, tracks: int) -> Self:
        """Return what is said of so many tracks before anybody says anything."""
        return replace(cls.empty(), group=np.full(tracks, -1), nobody=np.zeros(tracks, np.bool_))

    def check(self) -> None:
        one = self.group[self.left]
        if np.any((one == self.group[self.right]) & ((one >= 0) | (self.left == self.right))):
            raise ValueError("tracks that are one person cannot be two")

    def among(self, tracks: Array) -> Self:
        """Return what is said of these tracks alone (indices, ascending), numbered anew."""
        both = np.isin(self.left, tracks) & np.isin(self.right, tracks)
        left, right = (np.searchsorted(tracks, side[both]) for side in (self.left, self.right))
        return type(self)(self.group[tracks], self.nobody[tracks], left, right)

    def together(self) -> Array:
        """Return a number for each track, alike for those that are one person, from 0 upwards.

        Numbered in the order of their lowest tracks; of whom nothing is said, each is alone.
        """
        alone = self.group.max(initial=-1) + 1 + np.arange(len(self.group))
        return numbered(np.where(self.group < 0, alone, self.group))


@dataclass(frozen=True, eq=False)
class Verdict(Record):
    """Who is who after a person has gone over it: the last word, where there is one.

    People are called by numbers that stay theirs whatever becomes of the others.
    """

    person: Array = column(np.int64)  # the number of each track's person; -1 is Unknown
    number: Array = column(np.int64, table="people")  # ascending
    name: Array = column(np.str_, table="people")  # "" where nobody gave one
    ignored: Array = column(np.bool_, table="people")

    def check(self) -> None:
        known = np.unique(self.person[self.person >= 0])
        if not np.array_equal(known, self.number):
            raise ValueError("every person has a track, and every track's person is in the list")
