"""Which pairs are drawn: never strangers, never one crop twice without need, all in turn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.finetune.pairs import ACROSS, PairSampler

SEEDS = st.integers(0, 10**6)
ALONE = np.zeros((1, 1), bool)


def drawn(seed):
    """Return counts of crops, some of them 0, and matches among the tracks that have some."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, int(rng.integers(1, 9)))
    counts[rng.integers(len(counts))] = rng.integers(1, 5)
    matches = rng.random((len(counts),) * 2) < 0.3
    matches &= ~np.eye(len(counts), dtype=bool) & (counts > 0) & (counts > 0)[:, None]
    return counts, matches, rng


def tracks_of(counts, crops):
    return np.repeat(np.arange(len(counts)), counts)[crops]


@given(SEEDS, st.booleans())
def test_pairs_lie_inside_a_track_or_in_matched_ones(seed, matching):
    counts, matches, rng = drawn(seed)
    matches &= matching
    left, right = PairSampler(counts, matches, rng).draw(200)
    one, other = tracks_of(counts, left), tracks_of(counts, right)
    assert np.all((one == other) | matches[one, other])


@given(SEEDS)
def test_a_pair_inside_a_track_is_of_two_crops_where_there_are_two(seed):
    counts, matches, rng = drawn(seed)
    left, right = PairSampler(counts, matches, rng).draw(200)
    one, other = tracks_of(counts, left), tracks_of(counts, right)
    inside = one == other
    assert np.all((left != right)[inside] == (counts[one] > 1)[inside])


@given(SEEDS, st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_tracks_take_turns_however_long_they_are(seed, sizes):
    counts, matches, rng = drawn(seed)
    sampler = PairSampler(counts, matches, rng)
    turns = Counter(dict.fromkeys(np.flatnonzero(counts).tolist(), 0))
    for size in sizes:
        turns.update(tracks_of(counts, sampler.draw(size)[0]).tolist())
        assert max(turns.values()) - min(turns.values()) <= 1
    assert set(turns) == set(np.flatnonzero(counts).tolist())


@given(SEEDS)
def test_the_same_seed_draws_the_same_pairs(seed):
    counts, matches, _ = drawn(seed)
    one, same, other = (
        np.stack(PairSampler(counts, matches, np.random.default_rng(s)).draw(100))
        for s in (seed, seed, seed + 1)
    )
    np.testing.assert_array_equal(one, same)
    assert np.count_nonzero(counts) == 1 or not np.array_equal(one, other)


def test_the_share_of_pairs_across_and_who_they_go_to():
    counts = np.array([2, 3, 1, 4])
    matches = np.zeros((4, 4), bool)
    matches[0, [1, 2]] = True  # directed: 1 and 2 match nobody
    matches[3, 0] = True
    left, right = PairSampler(counts, matches, np.random.default_rng(0)).draw(16_000)
    one, other = tracks_of(counts, left), tracks_of(counts, right)
    share = {track: np.mean(other[one == track] != track) for track in range(4)}
    assert share == {
        0: pytest.approx(ACROSS, abs=0.03),
        1: 0,
        2: 0,
        3: pytest.approx(0.5, abs=0.03),
    }
    partners = Counter(other[(one == 0) & (other != 0)].tolist())
    assert partners[1] == pytest.approx(partners[2], rel=0.15)  # not the longer one more often


def test_crops_of_a_track_are_drawn_alike_on_both_sides():
    left, right = PairSampler(np.array([5]), ALONE, np.random.default_rng(0)).draw(20_000)
    pairs = Counter(zip(left.tolist(), right.tolist(), strict=True))
    assert set(pairs) == {(i, j) for i in range(5) for j in range(5) if i != j}
    assert min(pairs.values()) > 0.85 * max(pairs.values())


def test_nothing_is_drawn_when_nothing_is_asked_for():
    left, right = PairSampler(np.array([2]), ALONE, np.random.default_rng(0)).draw(0)
    assert left.shape == right.shape == (0,)
