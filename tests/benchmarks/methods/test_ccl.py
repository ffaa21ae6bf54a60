"""CCL: FINCH's first partition, the weak labels it gives, and what is learned from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.methods.ccl import (
    by_clusters,
    features,
    first_partition,
    group,
    weak_labels,
)
from benchmarks.methods.learning import inputs, train
from tests.benchmarks.methods.drawn import alike, draw_film

pytestmark = pytest.mark.usefixtures("few_steps")


@given(st.integers(0, 25), st.integers(0, 99))
def test_the_first_partition_chains_the_links_of_the_paper(count, seed):
    unit = np.random.default_rng(seed).normal(size=(count, 4))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    nearest = [
        max((j for j in range(count) if j != i), key=lambda j: unit[i] @ unit[j], default=i)
        for i in range(count)
    ]
    cluster = list(range(count))
    for i in range(count):
        for j in range(count):
            if nearest[i] == j or nearest[j] == i or nearest[i] == nearest[j]:
                cluster = [cluster[i] if label == cluster[j] else label for label in cluster]
    assert alike(first_partition(unit), np.array(cluster, int))


def test_clusters_are_one_person_but_never_those_seen_together():
    film, _ = draw_film(2, 3, spread=0.3)
    film = replace(film, counts=np.array([1, 7, 4, 4, 4, 4]))
    cluster = first_partition(film.means)
    one, two = weak_labels(film)
    for i in range(6):
        for j in range(6):
            meet = film.first[i] <= film.last[j] and film.first[j] <= film.last[i]
            if i == j:
                assert one[i, j] == (film.counts[i] > 1)
                assert not two[i, j]
            else:
                assert one[i, j] == (cluster[i] == cluster[j] and not meet)
                assert two[i, j] != one[i, j]


def test_two_who_are_seen_together_are_two_though_they_are_each_others_nearest():
    one, two = weak_labels(draw_film(2, 1)[0])
    assert np.array_equal(one, np.eye(2, dtype=bool))
    assert np.array_equal(two, ~one)


@pytest.mark.parametrize("meet", [True, False])
def test_people_far_from_each_other_are_found_and_again_by_the_same_seed(meet):
    film, who = draw_film(4, 4, meet=meet)
    assert alike(group(film, [4], 0)[0], who)
    assert np.array_equal(features(film, 5, 20), features(film, 5, 20))
    assert not np.array_equal(features(film, 5, 20), features(film, 6, 20))


def test_training_lowers_the_loss():
    film, _ = draw_film(3, 4, spread=0.4)
    _, losses = train(inputs(film.unit), by_clusters(film), 0, 100)
    assert np.mean(losses[-20:]) < 0.7 * np.mean(losses[:20])


@pytest.mark.parametrize(("people", "tracks"), [(0, 0), (1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("crops", [1, 2])
@pytest.mark.parametrize("meet", [True, False])
def test_hardly_anybody(people, tracks, crops, meet):
    film, _ = draw_film(people, tracks, crops, meet=meet)
    for labels in group(film, [1, 100.0], 0):
        assert labels.tolist() == [0] * (people * tracks)


def test_one_crop_each_is_enough():
    film, who = draw_film(3, 4, crops=1)
    assert alike(group(film, [3], 0)[0], who)
