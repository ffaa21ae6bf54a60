"""Doubts are found by looking at each pair and each cut, and they change nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import as_sets, draw_outputs, draw_tracks, pieces, scorer, sides_of
from tests.clustering.test_confidence import any_partition, brought
from tests.oracles import loss_between_slowly, own_limit_slowly
from videoclusternet.clustering.distance import RULES
from videoclusternet.clustering.doubts import find_doubts
from videoclusternet.clustering.merge import merge_tracks
from videoclusternet.records import SAME_TIME, TWO_GROUPS

SEEDS = st.integers(0, 10**6)


def drawn(seed):
    people, counts, how = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how)
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 60, len(counts))
    spans = np.stack([first, first + rng.integers(0, 12, len(counts))], axis=1)
    return sides_of(model, outputs, counts), slow, pieces(outputs, counts), spans


def cut_slowly(slow, tracks, cluster):
    """Return the two halves that average linkage of the tracks' losses joins last."""
    halves = [{track} for track in sorted(cluster)]

    def apart(pair):
        losses = [
            loss_between_slowly(slow, tracks[a], tracks[b]) for a, b in itertools.product(*pair)
        ]
        return sum(losses) / len(losses)

    while len(halves) > 2:
        left, right = min(itertools.combinations(halves, 2), key=apart)
        halves = [half for half in halves if half not in (left, right)] + [left | right]
    return sorted(halves, key=min)


def two_groups_slowly(slow, tracks, clusters):
    """Return (halves, loss, larger limit) of each cluster whose halves would not match."""
    for cluster in clusters:
        if len(cluster) < 2:
            continue
        halves = cut_slowly(slow, tracks, cluster)
        loss = loss_between_slowly(slow, *(brought(tracks, half) for half in halves))
        limit = max(
            own_limit_slowly(slow, [crop for track in half for crop in tracks[track]])
            for half in halves
        )
        if loss >= limit:
            yield halves, loss, limit


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.booleans())
def test_two_groups_are_those_of_the_slow_search(seed, merged):
    sides, slow, tracks, spans = drawn(seed)
    label = merge_tracks(sides, RULES["loss"])[0] if merged else any_partition(seed, len(tracks))
    doubts, part = find_doubts(sides, label, spans)
    expected = list(two_groups_slowly(slow, tracks, as_sets(label)))
    told = [doubt for doubt in doubts if doubt.reason == TWO_GROUPS]
    assert [(d.left, d.right) for d in told] == [(min(a), min(b)) for (a, b), _, _ in expected]
    for doubt, ((left, right), loss, limit) in zip(told, expected, strict=True):
        assert (doubt.loss, doubt.limit) == (pytest.approx(loss), pytest.approx(limit))
        assert set(np.flatnonzero(part == doubt.left)) == left
        assert set(np.flatnonzero(part == doubt.right)) == right
    split = {label[doubt.left] for doubt in told}
    for number, cluster in enumerate(as_sets(label)):
        if number not in split:
            assert {part[track] for track in cluster} == {min(cluster)}


def test_the_drawn_clusters_of_the_rule_have_two_groups_and_have_none():
    """So that the search above is not only of clusters that no rule makes."""
    found = []
    for seed in range(150):
        sides, _, _, spans = drawn(seed)
        label = merge_tracks(sides, RULES["loss"])[0]
        if np.bincount(label).max() > 2:
            doubts, _ = find_doubts(sides, label, spans)
            found.append(any(doubt.reason == TWO_GROUPS for doubt in doubts))
    assert min(sum(found), len(found) - sum(found)) >= 5


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_tracks_at_one_time_are_those_that_share_a_frame(seed):
    sides, slow, tracks, spans = drawn(seed)
    label = any_partition(seed, len(tracks))
    doubts, _ = find_doubts(sides, label, spans)
    told = [doubt for doubt in doubts if doubt.reason == SAME_TIME]
    frames = [set(range(first, last + 1)) for first, last in spans]
    assert [(doubt.left, doubt.right) for doubt in told] == [
        (i, j)
        for i, j in itertools.combinations(range(len(tracks)), 2)
        if label[i] == label[j] and frames[i] & frames[j]
    ]
    for doubt in told:
        left, right = tracks[doubt.left], tracks[doubt.right]
        limits = own_limit_slowly(slow, left), own_limit_slowly(slow, right)
        assert doubt.loss == pytest.approx(loss_between_slowly(slow, left, right))
        assert doubt.limit == pytest.approx(max(limits))


@pytest.mark.parametrize(("last", "shared"), [(4, False), (5, True)])
def test_a_shared_frame_is_enough(last, shared):
    model, _ = scorer(0)
    sides = sides_of(model, draw_outputs(0, [0, 0], [3, 3]), [3, 3])
    doubts, _ = find_doubts(sides, np.zeros(2, np.int64), np.array([[0, last], [5, 9]]))
    assert any(doubt.reason == SAME_TIME for doubt in doubts) == shared


def test_a_chain_of_two_people_is_told_as_its_two_ends():
    """Two tight people and one wide track between them: the wide limit has let both in."""
    model, _ = scorer(0)
    rng = np.random.default_rng(1)
    ends = np.array([[0.0, 0.0, 0.0], [0.35, 0.0, -0.35]])
    tight = [ends[n // 3] + rng.normal(0, 0.01, (6, 2, 3)) for n in range(6)]
    wide = [rng.normal(0, 0.5, (6, 2, 3)) + ends.mean(axis=0)]
    outputs = np.concatenate(tight + wide)[:, None]
    sides = sides_of(model, outputs, [6] * 7)
    label = merge_tracks(sides, RULES["loss"])[0]
    assert label.max() == 0
    doubts, part = find_doubts(sides, label, np.arange(14).reshape(7, 2) * 10)
    assert [doubt.reason for doubt in doubts] == [TWO_GROUPS]
    assert part[0] == part[1] == part[2]
    assert part[3] == part[4] == part[5]


@pytest.mark.parametrize("tracks", [0, 1, 2, 5])
def test_identical_tracks_and_nobody_are_no_doubt(tracks):
    model, _ = scorer(0)
    outputs = np.tile(draw_outputs(0, [0], [4], spread=0.3), (tracks, 1, 1, 1))
    sides = sides_of(model, outputs.reshape(-1, 1, 2, 3), [4] * tracks)
    label = np.zeros(tracks, np.int64)
    doubts, part = find_doubts(sides, label, np.arange(2 * tracks).reshape(-1, 2) * 5)
    assert doubts == []
    assert part.tolist() == [0] * tracks
