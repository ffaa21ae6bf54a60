"""Margins are those of the published losses, pair by pair, and a confidence follows them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import as_sets, draw_outputs, draw_tracks, pieces, scorer, sides_of
from tests.oracles import loss_between_slowly, own_limit_slowly
from videoclusternet.clustering.confidence import (
    OFFSET,
    SLOPE,
    Margins,
    person_confidence,
    track_confidence,
    track_margins,
)
from videoclusternet.clustering.distance import RULES, Sides, compare
from videoclusternet.clustering.merge import merge_tracks

SEEDS = st.integers(0, 10**6)


def drawn(seed):
    people, counts, how = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how)
    return sides_of(model, outputs, counts), slow, pieces(outputs, counts)


def brought(tracks, cluster):
    """Return what a cluster brings: each crop of one track, the mean output of several."""
    if len(cluster) == 1:
        return tracks[min(cluster)]
    return [np.mean(tracks[track], axis=0) for track in sorted(cluster)]


def any_partition(seed, tracks):
    """Return labels that no rule has made: margins are of any clusters."""
    drawn = np.random.default_rng(seed).integers(0, 3, tracks)
    _, first, inverse = np.unique(drawn, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.booleans())
def test_margins_are_those_of_the_losses_pair_by_pair(seed, merged):
    sides, slow, tracks = drawn(seed)
    label = merge_tracks(sides, RULES["loss"])[0] if merged else any_partition(seed, len(tracks))
    margins = track_margins(sides, label, compare(sides, label)[0])
    clusters = as_sets(label)
    for track, crops in enumerate(tracks):
        rest = clusters[label[track]] - {track}
        own = (
            loss_between_slowly(slow, crops, brought(tracks, rest))
            if rest
            else own_limit_slowly(slow, crops)
        )
        assert margins.own[track] == pytest.approx(own)
        others = {
            number: loss_between_slowly(slow, crops, brought(tracks, cluster))
            for number, cluster in enumerate(clusters)
            if number != label[track]
        }
        if not others:
            assert np.isnan(margins.other[track])
            assert margins.nearest[track] == -1
            continue
        assert margins.other[track] == pytest.approx(min(others.values()))
        assert others[margins.nearest[track]] == pytest.approx(min(others.values()))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_shuffled_tracks_are_as_sure_as_before(seed, random):
    sides, _, tracks = drawn(seed)
    label = any_partition(seed, len(tracks))
    limit = compare(sides, label)[0]
    order = list(range(len(tracks)))
    random.shuffle(order)
    shuffled = Sides(*(getattr(sides, f.name)[order] for f in dataclasses.fields(sides)))
    np.testing.assert_allclose(
        track_margins(shuffled, label[order], limit).margin,
        track_margins(sides, label, limit).margin[order],
    )


def test_no_track_has_no_margin():
    sides = sides_of(scorer(0)[0], np.empty((0, 2, 2, 3)), [])
    margins = track_margins(sides, np.empty(0, np.int64), np.empty(0))
    assert len(margins.own) == len(margins.other) == len(margins.margin) == 0
    assert len(person_confidence(np.empty(0, np.int64), np.empty(0), np.empty(0))) == 0


def margins(own, other):
    return Margins(np.array(own), np.array(other), np.zeros(len(own), np.int64))


def test_the_margin_is_the_silhouette():
    """Nearer to its own, between the two, nearer to another, and identical to both."""
    found = margins([1.0, 2.0, 4.0, 0.0, 0.0], [4.0, 2.0, 1.0, 0.0, 3.0]).margin
    assert found.tolist() == [0.75, 0.0, -0.75, 0.0, 1.0]


def test_without_another_cluster_or_a_limit_nothing_is_claimed():
    found = margins([1.0, -np.inf, 1.0], [np.nan, 2.0, 2.0]).margin
    assert np.isnan(found).tolist() == [True, True, False]
    assert np.isnan(track_confidence(found)).tolist() == [True, True, False]


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9))
def test_confidence_is_the_logistic_of_the_margin(margin):
    found = track_confidence(np.array(margin))
    expected = [1 / (1 + math.exp(-(SLOPE * value + OFFSET))) for value in margin]
    assert found.tolist() == pytest.approx(expected)


def test_more_margin_is_more_confidence():
    found = track_confidence(np.linspace(-1, 1, 21))
    assert np.all(np.diff(found) > 0)
    assert found[0] < 0.05
    assert found[-1] > 0.99


def test_a_person_is_as_sure_as_its_crops_on_the_average():
    label = np.array([0, 1, 0, 1, 2])
    confidence = np.array([0.9, 0.5, 0.6, np.nan, np.nan])
    found = person_confidence(label, confidence, np.array([1, 7, 3, 9, 2]))
    assert found[:2].tolist() == pytest.approx([(0.9 + 3 * 0.6) / 4, 0.5])
    assert np.isnan(found[2])
