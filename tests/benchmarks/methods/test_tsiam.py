"""TSiam: pairs from tracks and from what is seen together, and what is learned from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.methods import TrackSet
from benchmarks.methods.learning import inputs, train
from benchmarks.methods.tsiam import draws, features, group, two_people
from tests.benchmarks.methods.drawn import alike, draw_film

pytestmark = pytest.mark.usefixtures("few_steps")


def test_who_meets_somebody_is_told_from_them_alone():
    film, _ = draw_film(3, 4)
    apart = two_people(film)
    for i in range(len(film)):
        for j in range(len(film)):
            meet = film.first[i] <= film.last[j] and film.first[j] <= film.last[i]
            assert apart[i, j] == (meet and i != j)


def test_who_meets_nobody_is_told_from_the_farthest_quarter():
    film, _ = draw_film(4, 3, spread=0.3, meet=False)
    apart = two_people(film)
    for i in range(len(film)):
        others = [j for j in range(len(film)) if j != i]
        others.sort(key=lambda j: float(film.means[i] @ film.means[j]))
        assert np.flatnonzero(apart[i]).tolist() == sorted(others[:2])


def test_no_more_than_25_tracks_are_far():
    film, _ = draw_film(4, 30, crops=1, meet=False)
    assert two_people(film).sum(axis=1).tolist() == [25] * 120


def test_pairs_of_one_person_are_of_one_track_and_all_others_of_two_people():
    film, who = draw_film(3, 3)
    left, right, same = draws(film)(np.random.default_rng(1))
    assert np.array_equal(film.track[left] == film.track[right], same)
    assert (left != right).all()
    assert (who[film.track[left]] != who[film.track[right]])[~same].all()
    assert same.sum() == len(same) // 2 == 64


@pytest.mark.parametrize("meet", [True, False])
def test_people_far_from_each_other_are_found_and_again_by_the_same_seed(meet):
    film, who = draw_film(4, 4, meet=meet)
    (labels,) = group(film, [4], 0)
    assert alike(labels, who)
    assert labels.dtype == np.int64
    assert np.array_equal(features(film, 5, 20), features(film, 5, 20))
    assert not np.array_equal(features(film, 5, 20), features(film, 6, 20))


def test_training_lowers_the_loss():
    film, _ = draw_film(3, 4, spread=0.4)
    _, losses = train(inputs(film.unit), draws(film), 0, 100)
    assert np.mean(losses[-20:]) < 0.7 * np.mean(losses[:20])


@pytest.mark.parametrize(("people", "tracks"), [(0, 0), (1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("crops", [1, 2])
def test_hardly_anybody(people, tracks, crops):
    film, _ = draw_film(people, tracks, crops)
    for labels in group(film, [1, 100.0], 0):
        assert labels.tolist() == [0] * (people * tracks)


def test_one_crop_each_leaves_only_pairs_of_two_people():
    film, who = draw_film(3, 3, crops=1)
    assert not draws(film)(np.random.default_rng(0))[2].any()
    assert alike(group(film, [3], 0)[0], who)


def test_tracks_of_unequal_length_are_means_of_their_own_crops():
    film, _ = draw_film(2, 2, crops=3)
    counts = np.array([1, 5, 2, 4])
    uneven: TrackSet = replace(film, counts=counts)
    network, _ = train(inputs(uneven.unit), draws(uneven), 0, 5)
    found = features(uneven, 0, 5)
    learned = network.hidden(inputs(uneven.unit)).detach().numpy().astype(float)
    for i in range(4):
        mean = learned[counts[:i].sum() : counts[: i + 1].sum()].mean(axis=0)
        assert found[i] == pytest.approx(mean / np.linalg.norm(mean))
