"""SSiam: the pairs that ranking finds, and what is learned from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.methods.learning import HALF, inputs, train
from benchmarks.methods.ssiam import draws, features, group, hard_pairs
from tests.benchmarks.methods.drawn import alike, draw_film

pytestmark = pytest.mark.usefixtures("few_steps")


@given(st.integers(2, 90), st.integers(0, 99))
def test_hard_pairs_are_what_a_slow_ranking_finds(count, seed):
    unit = np.random.default_rng(seed).normal(size=(count, 5))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    likeness = unit @ unit.T
    near, far = [], []
    for i in range(count):
        ranked = sorted((likeness[i, j], j) for j in range(count) if j != i)
        near.append((ranked[-1][0], i, ranked[-1][1]))
        far.append((-ranked[0][0], i, ranked[0][1]))
    found = hard_pairs(likeness)
    for slow, pairs in zip((near, far), found, strict=True):
        expected = [(i, j) for _, i, j in sorted(slow)[:HALF]]
        assert sorted(zip(*pairs.tolist(), strict=True)) == sorted(expected)


def test_ranking_leaves_the_likeness_as_it_was():
    likeness = np.eye(4)
    hard_pairs(likeness)
    assert np.array_equal(likeness, np.eye(4))


def test_half_of_the_crops_are_ranked_for_a_batch_and_not_always_the_same():
    film, _ = draw_film(3, 4, crops=5)
    rng = np.random.default_rng(0)
    draw = draws(film.unit)
    batches = [draw(rng) for _ in range(2)]
    parts = [set(np.concatenate(batch[:2]).tolist()) for batch in batches]
    assert [len(part) for part in parts] == [30, 30]
    assert parts[0] != parts[1]
    left, right, same = batches[0]
    assert (left != right).all()
    assert same.sum() * 2 == len(same)


def test_people_far_from_each_other_are_found_and_again_by_the_same_seed():
    film, who = draw_film(4, 4)
    assert alike(group(film, [4], 0)[0], who)
    assert np.array_equal(features(film, 5, 20), features(film, 5, 20))
    assert not np.array_equal(features(film, 5, 20), features(film, 6, 20))


def test_when_tracks_were_seen_decides_nothing():
    met, unmet = (draw_film(3, 4, meet=meet)[0] for meet in (True, False))
    assert np.array_equal(features(met, 0, 10), features(unmet, 0, 10))


def test_training_lowers_the_loss():
    film, _ = draw_film(3, 4, spread=0.4)
    _, losses = train(inputs(film.unit), draws(film.unit), 0, 100)
    assert np.mean(losses[-20:]) < 0.7 * np.mean(losses[:20])


@pytest.mark.parametrize(("people", "tracks"), [(0, 0), (1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("crops", [1, 2])
def test_hardly_anybody(people, tracks, crops):
    film, _ = draw_film(people, tracks, crops)
    for labels in group(film, [1, 100.0], 0):
        assert labels.tolist() == [0] * (people * tracks)
