"""The threshold of a film: a share of the distance that lies between strangers in films.

Networks differ tenfold in how far apart they hold strangers, and one network by a third from film
to film, because light, lens and make-up are shared by all who are in it. What is alike across
networks is that two shots of one person are nearer than `NEARER` of that distance. Strangers that a
film shows for certain are two faces in one picture; but they share more than their film, so they
move the measure by a quarter of what they say. All of this is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.clustering.distance import Sides, pair_limit
from videoclusternet.records import Array

NEARER = 0.8
"""Share of the distance between strangers up to which two are one person; chosen on sixteen real
films and three networks at once, among .62 to .86: docs/choices.md."""

MOVED = 0.25
"""How far a film's own strangers move the distance from the usual to theirs, where they are many;
among 0 to 1."""

PRIOR = 20.0
"""Pairs of strangers of which a film needs as many for half of that."""

MIRROR = 0.15
"""Share of the distance between strangers below which two faces in one picture are one in a mirror,
on a screen or in a split picture, and no strangers."""

UNLIKE = 0.9
"""Share of the distance between strangers from which on two faces in one place of a camera set-up
are not believed to be one person: somebody else sits there now."""

BEYOND = 2.0
"""How many times farther apart than the crops of one track strangers are at least: with three
networks on eleven films it was 1.5 to 7 times, in the middle 3.6."""

LEAST = 1e-6
"""The least distance between strangers, where all tracks are one and the same picture."""

SAMPLE = 1024
"""Tracks, spread evenly over the film, whose pairs tell what is usual in it."""


@dataclass(frozen=True)
class Calibration:
    """What distances mean in one film, as its network sees it."""

    strangers: float  # the distance that usually lies between two people
    pairs: int  # certain strangers that the film shows

    @property
    def threshold(self) -> float:
        """The distance from which on two are two people."""
        return NEARER * self.strangers

    @property
    def unlike(self) -> float:
        """The distance from which on two faces in one place are two people."""
        return UNLIKE * self.strangers

    @property
    def mirrored(self) -> float:
        """The distance below which two faces of one picture are one."""
        return MIRROR * self.strangers


def calibrate(sides: Sides, together: Array, usual: float | None = None) -> Calibration:
    """Return what distances mean in a film.

    Args:
        sides: the tracks, two at least for there to be a distance.
        together: pairs of tracks that are seen in one picture, int64 (n, 2).
        usual: the distance between strangers that the network has in other films; None where
            nobody has measured it: the middle one of all pairs of the film takes its place, for
            most pairs are strangers, unless it is small beside how far apart the crops of one
            track are: then most pairs are of one person.
    """
    if usual is None:
        usual = max(_middle(sides), BEYOND * _within(sides), LEAST)
    shown = distance_of(sides, together)
    if not len(shown):
        return Calibration(usual, 0)
    share = MOVED * len(shown) / (len(shown) + PRIOR)
    return Calibration(usual + share * (float(np.median(shown)) - usual), len(shown))


def distance_of(sides: Sides, pairs: Array) -> Array:
    """Return the distance of pairs of tracks (n, 2), as in `clustering.linkage`, float64 (n,)."""
    one, other = pairs.T
    p, q = (x[one] - x[other] for x in (sides.mean_p, sides.mean_q))
    far: Array = np.einsum("nk,nk->n", p, q) / 2
    return far


def _within(sides: Sides) -> float:
    """Return how far apart the crops of the middle track are, 0 where no track has two."""
    several = sides.select(sides.count > 1)
    if not len(several.count):
        return 0.0
    return float(np.median(pair_limit(several.count, several.p, several.q, several.own)))


def _middle(sides: Sides) -> float:
    """Return the median distance of all pairs of tracks, 0 where there is none."""
    count = len(sides.count)
    if count < 2:
        return 0.0
    some = np.unique(np.linspace(0, count - 1, min(SAMPLE, count)).astype(np.int64))
    p, q = sides.mean_p[some], sides.mean_q[some]
    own = np.einsum("tk,tk->t", p, q)
    far = (own[:, None] + own - p @ q.T - q @ p.T) / 2
    return float(np.median(far[np.triu_indices(len(some), 1)]))
