"""Average linkage merges the nearest groups by mean distance, until it is told to stop."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from benchmarks.methods import METHODS, TrackSet


def tracks_of(seed, count=9):
    random = np.random.default_rng(seed)
    return TrackSet(
        random.normal(size=(2 * count, 5)).astype(np.float32), np.full(count, 2),
        10 * np.arange(count), 10 * np.arange(count) + 5,
    )  # fmt: skip


def merged_slowly(tracks, stop):
    """Merge the nearest pair of groups while `stop(distance, groups)` does not say otherwise."""
    groups = [[n] for n in range(len(tracks))]
    apart = 1 - tracks.means @ tracks.means.T
    while len(groups) > 1:
        distance, i, j = min(
            (np.mean([apart[a, b] for a in groups[i] for b in groups[j]]), i, j)
            for i in range(len(groups))
            for j in range(i + 1, len(groups))
        )
        if stop(distance, len(groups)):
            break
        groups[i] += groups.pop(j)
    labels = np.zeros(len(tracks), int)
    for label, members in enumerate(groups):
        labels[members] = label
    return labels


@pytest.mark.parametrize("seed", range(4))
def test_it_merges_as_the_slow_loop_does(seed):
    tracks, row = tracks_of(seed), METHODS["HAC average"]
    for threshold, labels in zip(row.thresholds, row.group(tracks, row.thresholds), strict=True):
        slow = merged_slowly(tracks, lambda distance, _, most=threshold: distance > most)
        assert adjusted_rand_score(slow, labels) == 1
        np.testing.assert_array_equal(row.group(tracks, [threshold])[0], labels)
    told = METHODS["HAC average, told people"]
    for people in (1, 3, 9):
        slow = merged_slowly(tracks, lambda _, groups, least=people: groups <= least)
        assert adjusted_rand_score(slow, told.group(tracks, [people])[0]) == 1


@pytest.mark.parametrize("count", [0, 1])
def test_few_tracks_are_no_trouble(count):
    tracks = tracks_of(0, count)
    assert METHODS["HAC average"].group(tracks, [0.1])[0].tolist() == [0] * count


def test_it_must_be_told_something():
    with pytest.raises(ValueError, match="must be told"):
        METHODS["HAC average"].group(tracks_of(0), [None])
