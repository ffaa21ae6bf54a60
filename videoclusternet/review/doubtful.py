"""What to ask a person first: the questions whose answers change the most.

A question is whether two groups of tracks are one person. How likely they are follows from where
the loss between them lies, 0 at the larger limit of theirs and 1 at what usually lies between
strangers; where the film joins them, also from how much nearer they are to each other than to
anybody else, as the confidence of a track does. What an answer is worth is the screen time that
would change hands, times how likely it does (ours).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from videoclusternet.clustering.distance import (
    Sides,
    brought,
    limits,
    loss_to,
    mean_of_crops,
)
from videoclusternet.clustering.doubts import halves
from videoclusternet.records import TOGETHER, UNKNOWN, Array, Links, Signatures
from videoclusternet.review.odds import as_apart, as_joined
from videoclusternet.review.state import State

NEAREST = 3  # other people that each is asked about
LIKELY = 0.02  # a question that is less likely to change anything is not asked


@dataclass(frozen=True)
class Question:
    """Are these two groups of tracks one person?"""

    left: tuple[int, ...]
    right: tuple[int, ...]
    together: bool  # they are, as things stand
    loss: float  # between the two
    left_limit: float  # that each sets for itself
    right_limit: float
    same: float  # how likely they are one person, 0 to 1
    gain: float  # seconds that the answer is expected to put right

    @property
    def wrong(self) -> float:
        """How likely what stands now is wrong."""
        return 1 - self.same if self.together else self.same


@dataclass(frozen=True)
class Candidate:
    """Who a track might also be."""

    person: int
    loss: float  # of the track to the person, without the track itself
    limit: float  # of the person


class Evidence:
    """The film's own losses, between people as they are after all that was said."""

    def __init__(
        self,
        state: State,
        signatures: Signatures,
        threshold: float | None = None,
        links: Links | None = None,
    ) -> None:
        """Take a film's state, what the network makes of its tracks, the threshold of the film,
        None where each person has a limit of their own, and what the film shows of the tracks:
        nobody is asked whether two in one picture are one (of 100 such pairs below the threshold,
        8 were).
        """
        self.state = state
        self.threshold = threshold
        self.together = _together(state.person, links or Links.empty())
        self.signatures = signatures
        self.seen = signatures.count > 0
        self.people = [
            person
            for person in state.people
            if person not in state.ignored and self.seen[state.tracks(person)].any()
        ]
        self._place = {person: n for n, person in enumerate(self.people)}
        label = np.array([self._place.get(int(p), -1) for p in state.person], np.int64)
        self.tracks = np.flatnonzero((label >= 0) & self.seen)
        self.label = label[self.tracks]

    @cached_property
    def _brought(self) -> tuple[Array, Array, Array]:
        """The limit of each person, and what each brings."""
        sides = Sides.of(self.signatures, self.tracks)
        return self._limits(sides, self.label), *brought(sides, self.label)

    def _limits(self, sides: Sides, label: Array) -> Array:
        """Return what loss to it each group of tracks allows."""
        if self.threshold is None:
            return limits(sides, label)
        return np.full(label.max(initial=-1) + 1, self.threshold)

    @cached_property
    def _strangers(self) -> Array:
        """What usually lies between each person and others, (people,); NaN for who is alone."""
        if len(self.people) < 2:
            return np.full(len(self.people), np.nan)
        return np.array([np.nanmedian(self._to_others(n)) for n in range(len(self.people))])

    def _to_others(self, n: int) -> Array:
        """Return the loss of the n-th person to everybody, (people,), NaN to themselves."""
        _limit, p, q = self._brought
        loss = loss_to(p[[n]], q[[n]], p, q)[0]
        loss[n] = np.nan
        return loss

    def _seen_tracks(self, person: int) -> Array:
        return np.array([t for t in self.state.tracks(person) if self.seen[t]], np.int64)

    def nearest(self, stranger: Signatures) -> list[Candidate]:
        """Return all people by their loss to somebody who is none of the tracks."""
        p, q = mean_of_crops(Sides.of(stranger, np.array([0])))
        return sorted(self._losses(p, q), key=lambda one: one.loss)

    def candidates(self, track: int, most: int = 6) -> list[Candidate]:
        """Return who a track is nearest to, the nearest first; its own person without it."""
        if not self.seen[track]:
            return []
        mine = int(self.state.person[track])
        p, q = mean_of_crops(Sides.of(self.signatures, np.array([track])))
        found = [one for one in self._losses(p, q) if one.person != mine]
        rest = np.setdiff1d(self._seen_tracks(mine), [track])
        if mine != UNKNOWN and len(rest):
            sides = Sides.of(self.signatures, rest)
            one = np.zeros(len(rest), np.int64)
            own = loss_to(p, q, *brought(sides, one)).item()
            found.append(Candidate(mine, own, float(self._limits(sides, one)[0])))
        return sorted(found, key=lambda one: one.loss)[:most]

    def _losses(self, p: Array, q: Array) -> list[Candidate]:
        limit, other_p, other_q = self._brought
        loss = loss_to(p, q, other_p, other_q)[0]
        return [
            Candidate(person, float(loss[n]), float(limit[n]))
            for n, person in enumerate(self.people)
        ]

    def split(self, person: int) -> Question | None:
        """Return how a person would fall in two, None where nothing is there to tell by."""
        tracks = self._seen_tracks(person)
        if len(tracks) < 2:
            return None
        sides = Sides.of(self.signatures, tracks)
        return self._inside(person, tracks, sides, halves(sides))

    def questions(self, seconds: Array) -> list[Question]:
        """Return what to ask, what is worth most first and what was put off last.

        `seconds` (tracks,) is the screen time of each track.
        """
        asked = [*self._across(), *self._within(), *self._unclaimed()]
        found: dict[tuple[int, int], Question] = {}
        for question in asked:
            worth = min(seconds[list(side)].sum() for side in (question.left, question.right))
            key = min(question.left), min(question.right)
            key = min(key), max(key)
            if question.wrong >= LIKELY and key not in found:
                found[key] = replace(question, gain=float(worth * question.wrong))
        order = sorted(found, key=lambda key: (key in self.state.later, -found[key].gain, key))
        return [found[key] for key in order]

    def _across(self) -> Iterator[Question]:
        """Ask whether people are one, of each and those nearest to them."""
        if len(self.people) < 2:
            return
        limit, p, q = self._brought
        for n, person in enumerate(self.people):
            loss = self._to_others(n)
            mine = self.state.tracks(person)
            for other in np.argsort(loss)[:NEAREST].tolist():
                if other == n:
                    continue
                theirs = self.state.tracks(self.people[other])
                if self.state.told_apart(mine, theirs) or self._both_named(person, other):
                    continue
                if frozenset((person, self.people[other])) in self.together:
                    continue
                yield self._apart(
                    mine, theirs, float(loss[other]), limit[[n, other]], float(self._strangers[n]),
                    self._nearest_but(p[[other]], q[[other]], person, self.people[other]),
                )  # fmt: skip

    def _both_named(self, person: int, other: int) -> bool:
        return person in self.state.name and self.people[other] in self.state.name

    def _within(self) -> Iterator[Question]:
        """Ask of each person whether the two halves, and the track that fits least, are theirs."""
        for person in self.people:
            mine = self._seen_tracks(person)
            sure = self.state.sure[mine]
            if len(mine) < 2 or sure.all():
                continue
            sides = Sides.of(self.signatures, mine)
            cuts = [halves(sides)]
            if len(mine) > 2:
                p, q = mean_of_crops(sides)
                rest = loss_to(p, q, p, q)
                np.fill_diagonal(rest, 0.0)
                worst = int(np.where(~sure, rest.sum(1), -np.inf).argmax())
                cuts.append((np.arange(len(mine)) == worst).astype(np.int64))
            for cut in cuts:
                if not (sure[cut == 0].any() and sure[cut == 1].any()):
                    yield self._inside(person, mine, sides, cut)

    def _inside(self, person: int, tracks: Array, sides: Sides, half: Array) -> Question:
        larger, smaller = (0, 1) if 2 * half.sum() <= len(half) else (1, 0)
        limit = self._limits(sides, half)[[larger, smaller]]
        left, right = (tracks[half == side].tolist() for side in (larger, smaller))
        p, q = brought(sides, half)
        loss = loss_to(p[[0]], q[[0]], p[[1]], q[[1]]).item()
        nearest = self._nearest_but(p[[smaller]], q[[smaller]], person)
        same = as_joined(loss, float(limit.max()), self._stranger_to(person), nearest)
        return Question(
            tuple(left), tuple(right), True, loss, float(limit[0]), float(limit[1]), same, 0.0
        )

    def _nearest_but(self, p: Array, q: Array, *people: int) -> float:
        """Return the loss of these to the nearest person who is none of those; NaN for nobody."""
        _limit, other_p, other_q = self._brought
        others = [n for n, person in enumerate(self.people) if person not in people]
        if not others:
            return float("nan")
        return float(loss_to(p, q, other_p[others], other_q[others]).min())

    def _unclaimed(self) -> Iterator[Question]:
        """Ask whether tracks of nobody are those whom they are nearest to."""
        for track in self.state.tracks(UNKNOWN):
            if self.state.sure[track] or not self.seen[track]:
                continue
            nearest = self.candidates(track, 2)
            if not nearest:
                continue
            one, next_best = nearest[0], nearest[1].loss if len(nearest) > 1 else float("nan")
            theirs = self.state.tracks(one.person)
            if not self.state.told_apart([track], theirs):
                stranger = self._stranger_to(one.person)
                limit = np.array([one.limit, -np.inf])
                yield self._apart(theirs, [track], one.loss, limit, stranger, next_best)

    def _apart(
        self, left: Sequence[int], right: Sequence[int], loss: float, limit: Array,
        stranger: float, nearest: float,
    ) -> Question:  # fmt: skip
        """Ask of two groups that are two people; what the film would join was parted by someone."""
        most = float(limit.max())
        same = as_apart(loss, most, stranger)
        if loss < most:
            same = as_joined(loss, most, stranger, nearest)
        return Question(
            tuple(left), tuple(right), False, loss, float(limit[0]), float(limit[1]), same, 0.0
        )

    def _stranger_to(self, person: int) -> float:
        """Return what usually lies between a person and others; NaN where nobody is compared."""
        place = self._place.get(person)
        return float("nan") if place is None else float(self._strangers[place])


def _together(person: Array, links: Links) -> set[frozenset[int]]:
    """Return the pairs of people, by number, of whom tracks are seen in one picture."""
    both = links.kind == TOGETHER
    pairs = np.stack([person[links.left[both]], person[links.right[both]]], axis=1)
    return set(map(frozenset, pairs.tolist()))
