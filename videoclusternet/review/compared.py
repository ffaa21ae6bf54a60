"""Two runs of one film, track by track: who is somebody else now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from videoclusternet.records import UNKNOWN, Array, Tracks
from videoclusternet.results.people import People
from videoclusternet.review.rerun import Places, found_again


@dataclass(frozen=True)
class Change:
    """A track that is not who it was."""

    track: int  # in the later run
    start: float  # seconds
    before: str  # what they were called in the earlier run, as now where both have the person
    after: str


@dataclass(frozen=True)
class Comparison:
    """What two runs have in common, and where they differ."""

    tracks: int  # of the later run
    found: int  # of these also in the earlier one
    same: dict[str, str]  # who of the later run is whom of the earlier one
    changes: tuple[Change, ...]  # in the order of the film


def compare_runs(
    before: tuple[Tracks, People], after: tuple[Tracks, People], starts: Array
) -> Comparison:
    """Compare the people of two runs of one film; `starts` (tracks,) are times of the later one.

    Tracks are found again by where their faces were. A person is whom most looks of their tracks
    were of, each of one at most (the assignment that keeps the most; Kuhn 1955).
    """
    came = found_again(Places.of(before[0]), after[0])
    old, new = (_people_of(tracks.count, people) for tracks, people in (before, after))
    was = np.where(came >= 0, old[came], UNKNOWN) if before[0].count else came
    looks = np.diff(after[0].starts)
    table = np.zeros((len(after[1]), len(before[1])))
    both = (new >= 0) & (was >= 0)
    np.add.at(table, (new[both], was[both]), looks[both])
    pairs = [(a, b) for a, b in zip(*linear_sum_assignment(-table), strict=True) if table[a, b] > 0]
    same = {int(a): int(b) for a, b in pairs}
    changes = [
        Change(
            int(track), float(starts[track]), _name(before[1], was[track]),
            _name(after[1], new[track]),
        )
        for track in np.flatnonzero(came >= 0)
        if (same.get(int(new[track]), -2) if new[track] >= 0 else UNKNOWN) != was[track]
    ]  # fmt: skip
    return Comparison(
        after[0].count, int((came >= 0).sum()),
        {after[1][a].name: before[1][b].name for a, b in same.items()},
        tuple(sorted(changes, key=lambda change: (change.start, change.track))),
    )  # fmt: skip


def _people_of(tracks: int, people: People) -> Array:
    """Return the place of each track's person among the people, -1 for Unknown."""
    place = np.full(tracks, UNKNOWN)
    for n, person in enumerate(people):
        place[list(person.tracks)] = n
    return place


def _name(people: People, place: int) -> str:
    return "Unknown" if place == UNKNOWN else people[place].name
