"""FINCH gives coarser and coarser partitions, or so many people."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.methods import METHODS, TrackSet
from benchmarks.methods.ccl import first_partition
from tests.benchmarks.methods.drawn import alike, draw_film


def film_of(seed, count):
    rng = np.random.default_rng(seed)
    place = np.arange(count)
    return TrackSet(rng.normal(size=(count, 5)).astype(np.float32), place * 0 + 1, place, place)


@given(st.integers(0, 30), st.integers(0, 99))
def test_its_first_partition_is_that_of_ccl(count, seed):
    film = film_of(seed, count)
    (labels,) = METHODS["FINCH"].group(film, [0.0])
    assert alike(labels, first_partition(film.means))


@pytest.mark.parametrize("seed", range(4))
def test_each_partition_is_made_of_the_one_before(seed):
    row = METHODS["FINCH"]
    found = row.group(film_of(seed, 60), row.thresholds)
    for fine, coarse in pairwise(found):
        assert len(set(coarse.tolist())) <= len(set(fine.tolist()))
        together = fine[:, None] == fine
        assert (coarse[:, None] == coarse)[together].all()
    assert np.array_equal(found[-1], found[-2])  # there are no more


@pytest.mark.parametrize("people", [1, 2, 3, 4])
def test_it_gives_as_many_people_as_it_is_told(people):
    film, who = draw_film(4, 4)
    (labels,) = METHODS["FINCH, told people"].group(film, [people])
    assert len(set(labels.tolist())) == people
    assert people != 4 or alike(labels, who)


def test_more_people_than_it_can_tell_are_its_first_partition(capsys):
    film = film_of(0, 20)
    (labels,) = METHODS["FINCH, told people"].group(film, [20])
    assert alike(labels, first_partition(film.means))
    assert capsys.readouterr().out == ""
