"""A film's threshold follows the strangers that it shows, beside what is usual for the network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clustering.test_linkage import NONE, cosine_sides
from videoclusternet.clustering.calibration import (
    BEYOND,
    LEAST,
    MIRROR,
    MOVED,
    NEARER,
    PRIOR,
    SAMPLE,
    UNLIKE,
    calibrate,
    distance_of,
)
from videoclusternet.clustering.distance import Sides


def on_a_circle(*degrees):
    angles = np.radians(degrees)
    return cosine_sides(np.stack([np.cos(angles), np.sin(angles)], 1))


@given(st.floats(-180, 180), st.floats(-180, 180))
def test_the_distance_of_two_tracks_is_one_less_their_cosine(one, other):
    (far,) = distance_of(on_a_circle(one, other), np.array([[0, 1]]))
    assert far == pytest.approx(1 - np.cos(np.radians(one - other)), abs=1e-12)


def test_with_nobody_seen_together_what_is_usual_holds():
    calibration = calibrate(on_a_circle(0, 10, 90), NONE, 0.5)
    assert (calibration.strangers, calibration.pairs) == (0.5, 0)
    assert calibration.threshold == pytest.approx(NEARER * 0.5)
    assert calibration.mirrored == pytest.approx(MIRROR * 0.5)
    assert calibration.unlike == pytest.approx(UNLIKE * 0.5)


def test_pairs_seen_together_count_beside_what_is_usual():
    sides = on_a_circle(0, 90, 0, 90, 0, 90)
    pairs = np.array([[0, 1], [2, 3], [4, 5]])
    calibration = calibrate(sides, pairs, 0.5)
    assert calibration.pairs == 3
    share = MOVED * 3 / (3 + PRIOR)
    assert calibration.strangers == pytest.approx(share * 1.0 + (1 - share) * 0.5)


def test_one_odd_pair_does_not_move_the_middle():
    sides = on_a_circle(0, 90, 0, 90, 0, 180)
    pairs = np.array([[0, 1], [2, 3], [4, 5]])
    assert calibrate(sides, pairs, 1.0).strangers == pytest.approx(1.0)


def test_where_nothing_is_usual_the_middle_pair_of_the_film_takes_its_place():
    assert calibrate(on_a_circle(0, 60, 120), NONE).strangers == pytest.approx(0.5)


def test_of_many_tracks_some_are_enough_to_tell_what_is_usual():
    rng = np.random.default_rng(0)
    many = cosine_sides(rng.normal(size=(3 * SAMPLE, 16)))
    assert calibrate(many, NONE).strangers == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("tracks", [0, 1])
def test_too_few_tracks_have_the_least_distance(tracks):
    sides = on_a_circle(0, 1).select(np.arange(tracks))
    assert calibrate(sides, NONE).strangers == LEAST


def test_tracks_of_one_picture_are_one_person():
    sides = on_a_circle(30, 30, 30)
    assert distance_of(sides, np.array([[0, 2]]))[0] < calibrate(sides, NONE).threshold


def test_any_unit_of_distance_gives_the_same_people():
    """Twice as far strangers, twice the threshold: no network has a number of its own."""
    narrow, wide = on_a_circle(0, 60, 120), on_a_circle(0, 90, 180)
    ratio = calibrate(wide, NONE).threshold / calibrate(narrow, NONE).threshold
    assert ratio == pytest.approx(1.0 / 0.5)


def test_a_film_of_one_person_has_no_strangers_to_measure():
    """All tracks are as near as the crops of each: nothing tells them apart."""
    sides = on_a_circle(0, 1, 2)
    counts = np.full(3, 4)
    within = 0.01
    p, q = counts[:, None] * sides.mean_p, counts[:, None] * sides.mean_q
    own = within * counts * (counts - 1) + (p * q).sum(1)
    crops = Sides(counts, p, q, own, sides.mean_p, sides.mean_q)
    assert calibrate(crops, NONE).strangers == pytest.approx(BEYOND * within)
    assert calibrate(crops, NONE, 0.5).strangers == 0.5
