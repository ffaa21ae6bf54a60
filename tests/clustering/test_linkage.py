"""Average linkage from sums is average linkage of all pairs, under the same constraints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import as_sets
from videoclusternet.clustering.distance import Sides
from videoclusternet.clustering.linkage import FEW, assign_clusters, link_clusters

SEEDS = st.integers(0, 10**6)
NONE = np.empty((0, 2), np.int64)


def cosine_sides(units, counts=None):
    """Return the sides of tracks with these mean directions (tracks, d)."""
    counts = np.ones(len(units), np.int64) if counts is None else np.array(counts)
    units = np.asarray(units, float)
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    one = np.ones((len(units), 1))
    p, q = np.hstack([units, -one]), np.hstack([units, one])
    return Sides(counts, counts[:, None] * p, counts[:, None] * q, np.zeros(len(units)), p, q)


def draw(seed):
    rng = np.random.default_rng(seed)
    tracks = int(rng.integers(1, 12))
    units = rng.normal(size=(tracks, 3)) + 2 * rng.normal(size=(3, 3))[rng.integers(0, 3, tracks)]
    pairs = rng.integers(0, tracks, (int(rng.integers(0, 5)), 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    counts = rng.integers(1, 20, tracks)
    weight = np.sqrt(counts) * (rng.random(tracks) < 0.8)
    return units, counts, weight, pairs, float(rng.uniform(0.05, 1.2))


def far_slowly(units, weight, one, other):
    """Return the weighted mean of 1 - cos over all pairs of tracks of two clusters."""
    total = sum(weight[a] * weight[b] for a in one for b in other)
    if not total:
        return np.inf
    unit = units / np.linalg.norm(units, axis=1, keepdims=True)
    return sum(weight[a] * weight[b] * (1 - unit[a] @ unit[b]) for a in one for b in other) / total


def link_slowly(units, weight, apart, threshold):
    """Merge the nearest two that may merge, one pair at a time."""
    clusters = [[track] for track in range(len(units))]
    while True:
        pairs = [
            (far_slowly(units, weight, one, other), i, j)
            for i, one in enumerate(clusters)
            for j, other in enumerate(clusters[:i])
            if not any((a in one and b in other) or (b in one and a in other) for a, b in apart)
        ]
        best = min(pairs, default=(np.inf, 0, 0))
        if best[0] >= threshold:
            return sorted((set(cluster) for cluster in clusters), key=min)
        _, i, j = best
        clusters[j] += clusters.pop(i)


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.booleans())
def test_clusters_are_those_of_merging_the_nearest_two_one_by_one(seed, told):
    """As long as they are small, a pair that the film shows counts as one that a person told."""
    units, counts, weight, apart, threshold = draw(seed)
    sides = cosine_sides(units, counts)
    fences = (apart, NONE) if told else (NONE, apart)
    label, history = link_clusters(sides, weight, threshold, np.arange(len(units)), *fences)
    assert as_sets(label) == link_slowly(units, weight, apart.tolist(), threshold)
    assert len(history) == len(units) - len(as_sets(label))
    for merge in history:
        assert merge.left < merge.right
        assert merge.loss < threshold == merge.left_limit == merge.right_limit
        assert label[merge.left] == label[merge.right]


@settings(max_examples=50, deadline=None)
@given(SEEDS)
def test_a_beginning_is_kept_and_told_apart_never_meet(seed):
    units, counts, weight, apart, threshold = draw(seed)
    sides = cosine_sides(units, counts)
    start = np.minimum(np.arange(len(units)), 1)  # all but the first begin as one
    apart = apart[(apart == 0).any(axis=1)]
    label, _ = link_clusters(sides, weight, threshold, start, apart, NONE)
    assert len(set(label[1:].tolist())) <= 1
    assert np.all(label[apart[:, 0]] != label[apart[:, 1]])


@pytest.mark.parametrize(("seen", "one"), [(0, True), (1, True), (2, False), (40, False)])
def test_large_clusters_may_merge_although_few_of_their_tracks_are_seen_together(seen, one):
    """Of two clusters of 21 and 30 tracks at most one in twenty of the smaller."""
    first, second = np.arange(21), np.arange(21, 51)
    units = np.where(np.arange(51)[:, None] < 21, [1.0, 0.0], [1.0, 0.2])
    shown = np.array([(a % 21, 21 + a % 30) for a in range(seen)], np.int64).reshape(-1, 2)
    start = (np.arange(51) >= 21).astype(np.int64)
    label, _ = link_clusters(cosine_sides(units), np.ones(51), 0.5, start, NONE, shown)
    assert (len(set(label.tolist())) == 1) == one
    told, _ = link_clusters(cosine_sides(units), np.ones(51), 0.5, start, shown, NONE)
    assert (len(set(told.tolist())) == 1) == (seen == 0)
    assert len(first) * FEW >= 1 > (len(first) - 2) * FEW
    assert len(second) > len(first)


def test_one_track_seen_with_many_of_another_person_is_one():
    """A track in the wrong cluster is seen with all of the other, and is still one track."""
    units = np.where(np.arange(60)[:, None] < 30, [1.0, 0.0], [1.0, 0.2])
    shown = np.array([(0, 30 + n) for n in range(30)])
    start = (np.arange(60) >= 30).astype(np.int64)
    label, _ = link_clusters(cosine_sides(units), np.ones(60), 0.5, start, NONE, shown)
    assert len(set(label.tolist())) == 1


def test_merges_tell_the_mean_distance_of_the_groups_that_met():
    units = np.array([[1, 0], [1, 0.2], [1, 0.4], [0, 1]])
    label, history = link_clusters(cosine_sides(units), np.ones(4), 0.2, np.arange(4), NONE, NONE)
    assert as_sets(label) == [{0, 1, 2}, {3}]
    first, second = history
    assert (first.left, first.right, second.left, second.right) == (1, 2, 0, 1)
    assert first.loss == pytest.approx(far_slowly(units, np.ones(4), [1], [2]))
    assert second.loss == pytest.approx(far_slowly(units, np.ones(4), [0], [1, 2]))


def test_equally_near_tracks_all_merge():
    sides = cosine_sides(np.ones((9, 2)))
    label, _ = link_clusters(sides, np.ones(9), 0.1, np.arange(9), NONE, NONE)
    assert as_sets(label) == [set(range(9))]


def test_no_tracks_are_no_clusters():
    nothing = cosine_sides(np.ones((1, 2))).select(np.empty(0, np.int64))
    label, history = link_clusters(nothing, np.empty(0), 1.0, np.empty(0, np.int64), NONE, NONE)
    assert (len(label), history) == (0, [])


class TestAssigning:
    units = np.array([[1, 0], [0, 1], [1, 0.1], [0.1, 1], [-1, -1]])
    weight = np.array([1.0, 1.0, 0.0, 0.0, 0.0])

    def assign(self, threshold=0.3, apart=NONE):
        return assign_clusters(
            cosine_sides(self.units), self.weight, threshold, np.arange(5), NONE, np.array(apart)
        )

    def test_who_has_no_weight_joins_the_nearest_that_has_some(self):
        label, history = self.assign()
        assert as_sets(label) == [{0, 2}, {1, 3}, {4}]
        assert [(merge.left, merge.right) for merge in history] == [(0, 2), (1, 3)]

    def test_nobody_joins_who_is_too_far(self):
        assert as_sets(self.assign(threshold=0.001)[0]) == [{0}, {1}, {2}, {3}, {4}]

    def test_nobody_joins_whom_they_cannot_be(self):
        label, _ = self.assign(threshold=1.5, apart=[[0, 2], [1, 4]])
        assert as_sets(label) == [{0}, {1, 2, 3}, {4}]

    def test_two_that_cannot_meet_do_not_meet_in_a_third(self):
        self.units[3] = [1, 0.2]
        label, _ = self.assign(threshold=0.5, apart=[[2, 3]])
        assert label[0] == label[2] != label[3]

    def test_those_with_weight_do_not_meet_through_others(self):
        label, _ = self.assign(threshold=1.99)
        assert label[0] != label[1]
