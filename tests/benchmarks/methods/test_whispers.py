"""Everybody takes the label that most neighbours have, and the lowest of those."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks.methods import METHODS
from benchmarks.methods.whispers import whisper
from tests.benchmarks.methods.drawn import alike, draw_film


def whispered_slowly(joined, orders):
    label = list(range(len(joined)))
    for order in orders:
        before = list(label)
        for one in order:
            votes = Counter(label[j] for j in range(len(joined)) if joined[one][j])
            label[one] = min(votes, key=lambda name: (-votes[name], name))
        if label == before:
            break
    return np.array(label)


@pytest.mark.parametrize("seed", range(6))
def test_it_whispers_as_a_slow_loop_does(seed):
    rng = np.random.default_rng(seed)
    joined = rng.random((14, 14)) < 0.15
    joined = joined | joined.T | np.eye(14, dtype=bool)
    orders = [rng.permutation(14) for _ in range(5)]
    assert alike(whisper(joined, orders), whispered_slowly(joined, orders))


def test_people_far_from_each_other_are_found_whatever_the_seed():
    film, who = draw_film(4, 4)
    for seed in range(3):
        none, right, one = METHODS["Chinese Whispers"].group(film, [1e-6, 0.3, 2.0], seed)
        assert len(set(none.tolist())) == 16
        assert alike(right, who)
        assert len(set(one.tolist())) == 1
