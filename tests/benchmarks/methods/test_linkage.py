"""Trees are cut at a distance or into a number of people."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.methods.linkage import cosine_distances, cut
from tests.benchmarks.methods.drawn import alike


def directions(*degrees):
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_a_threshold_is_a_distance_and_an_int_is_a_number_of_people():
    features = np.array([[0.0], [0.1], [1.0], [1.3]])
    by_number, low, high = cut(features, "ward", [2, 0.2, 5.0])
    assert alike(by_number, np.array([0, 0, 1, 1]))
    assert alike(low, np.array([0, 0, 1, 2]))
    assert alike(high, np.zeros(4))


@pytest.mark.parametrize("by", ["average", "complete"])
def test_the_others_measure_cosines(by):
    unit = directions(0, 20, 40)
    far = 1 - np.cos(np.radians(40))
    reach = far if by == "complete" else (far + 1 - np.cos(np.radians(20))) / 2
    below, above = cut(unit, by, [reach - 1e-3, reach + 1e-3])
    assert len(set(below.tolist())) == 2
    assert len(set(above.tolist())) == 1


def test_a_tree_must_be_told_something():
    with pytest.raises(ValueError, match="must be told"):
        cut(np.zeros((0, 2)), "ward", [None])


def test_equal_vectors_are_not_less_than_nothing_apart():
    unit = np.random.default_rng(0).normal(size=(30, 7)).repeat(2, axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    distance = cosine_distances(unit)
    assert distance.min() == 0
    assert not distance.diagonal().any()
