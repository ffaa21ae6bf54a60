"""DBSCAN joins what is within reach; HDBSCAN is told nothing."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.methods import METHODS
from tests.benchmarks.methods.drawn import alike, draw_film


def joined_slowly(apart, radius):
    """Return labels of tracks that chain within the radius, -1 for who has nobody in reach."""
    labels = [-1] * len(apart)
    for start in range(len(apart)):
        waiting = [start]
        while waiting:
            one = waiting.pop()
            near = [j for j in range(len(apart)) if j != one and apart[one, j] <= radius]
            if near and labels[one] < 0:
                labels[one] = start
                waiting += near
    return np.array(labels)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("radius", [0.05, 0.3, 0.6])
def test_what_is_in_reach_chains_and_who_is_alone_is_left_out(seed, radius):
    film, _ = draw_film(5, 3, spread=0.5, seed=seed)
    (labels,) = METHODS["DBSCAN"].group(film, [radius])
    slow = joined_slowly(1 - film.means @ film.means.T, radius)
    assert np.array_equal(labels < 0, slow < 0)
    known = slow >= 0
    assert alike(labels[known], slow[known])


def test_people_far_from_each_other_are_found_by_density():
    film, who = draw_film(4, 5)
    assert alike(METHODS["HDBSCAN"].group(film, [None])[0], who)


def test_who_is_seen_once_is_left_out():
    film, who = draw_film(4, 5)
    rows = np.flatnonzero((who != 0) | (np.arange(len(who)) == 0))
    few = draw_film(4, 5)[0]
    few = type(few)(
        film.embeddings[np.isin(film.track, rows)], film.counts[rows], film.first[rows],
        film.last[rows],
    )  # fmt: skip
    for name, told in (("DBSCAN", 0.2), ("HDBSCAN", None)):
        labels = METHODS[name].group(few, [told])[0]
        assert labels[0] == -1, name
        assert alike(labels[1:], who[rows][1:]), name
