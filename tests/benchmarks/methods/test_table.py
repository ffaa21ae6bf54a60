"""Every row of the table of rivals keeps what the table promises."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.methods import METHODS
from tests.benchmarks.methods.drawn import draw_film

pytestmark = [pytest.mark.usefixtures("few_steps"), pytest.mark.parametrize("name", list(METHODS))]


def teacher():
    film, who = draw_film(4, 3, seed=9)
    return [(film, np.array([f"other {n}" for n in who]))]


def asked(name, film, people, seed=0):
    row = METHODS[name]
    told = row.tells(people)
    names = np.array([f"name {n % max(1, people)}" for n in range(len(film))], np.str_)
    return told, row.group(film, told, seed, teacher(), names)


def test_a_row_says_who_published_it_and_what_differs(name):
    row = METHODS[name]
    assert row.name == name
    assert row.source
    assert row.differs
    assert bool(row.thresholds) == (row.told == "threshold")
    assert list(row.thresholds) == sorted(set(row.thresholds))
    assert name.endswith(", told people") == (row.told == "people")


@pytest.mark.parametrize(("people", "tracks"), [(0, 0), (1, 1), (2, 1), (1, 2), (3, 3)])
def test_each_thing_that_is_told_has_an_answer(name, people, tracks):
    film, _ = draw_film(people, tracks, meet=False)
    told, found = asked(name, film, people)
    assert len(found) == len(told) >= 1
    for labels in found:
        assert labels.shape == (people * tracks,)
        assert labels.dtype == np.int64
        assert labels.min(initial=0) >= -1


def test_the_same_question_has_the_same_answer(name):
    film, _ = draw_film(3, 3, spread=0.4)
    _, found = asked(name, film, 3, seed=4)
    _, again = asked(name, film, 3, seed=4)
    np.testing.assert_array_equal(found, again)


def test_who_is_told_the_people_finds_no_more(name):
    film, _ = draw_film(3, 3, spread=0.4)
    _, (labels, *_) = asked(name, film, 3)
    assert METHODS[name].told != "people" or len(set(labels.tolist())) <= 3
