"""Sums that add give exactly what loops over all pairs give."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import CONFIG, draw_outputs, draw_tracks, pieces, scorer, sides_of
from tests.oracles import loss_between_slowly, own_limit_slowly
from tests.pocket import POCKET, build
from videoclusternet.clustering.calibration import distance_of
from videoclusternet.clustering.distance import Sides, loss_between, pair_limit
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Signatures

SEEDS = st.integers(0, 10**6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 3))
def test_the_limit_of_each_track_is_the_mean_over_pairs(seed, views):
    people, counts, how = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how, views=views)
    sides = sides_of(model, outputs, counts)
    limits = pair_limit(sides.count, sides.p, sides.q, sides.own)
    expected = [own_limit_slowly(slow, crops) for crops in pieces(outputs, counts)]
    np.testing.assert_allclose(limits, expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_sums_of_tracks_add_to_those_of_their_cluster(seed):
    people, counts, how = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how)
    sides = sides_of(model, outputs, counts)
    merged = [np.sum(x, axis=0)[None] for x in (sides.count, sides.p, sides.q, sides.own)]
    crops = list(itertools.chain(*pieces(outputs, counts)))
    np.testing.assert_allclose(
        pair_limit(*merged)[0], own_limit_slowly(slow, crops), rtol=1e-9, atol=1e-12
    )


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 3))
def test_the_loss_between_tracks_is_the_mean_over_pairs(seed, views):
    people, counts, how = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how, views=views)
    sides = sides_of(model, outputs, counts)
    loss = loss_between(sides.p / sides.count[:, None], sides.q / sides.count[:, None])
    tracks = pieces(outputs, counts)
    for i, j in np.ndindex(loss.shape):
        np.testing.assert_allclose(
            loss[i, j], loss_between_slowly(slow, tracks[i], tracks[j]), rtol=1e-9, atol=1e-12
        )
    np.testing.assert_array_equal(loss, loss.T)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_the_mean_of_a_track_is_taken_in_front_of_the_softmax(seed):
    people, counts, _ = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, spread=0.5, views=2)
    sides = sides_of(model, outputs, counts)
    means = [np.mean(crops, axis=0) for crops in pieces(outputs, counts)]
    there = -sides.mean_p @ sides.mean_q.T
    for i, j in np.ndindex(there.shape):
        np.testing.assert_allclose(there[i, j], slow(means[i], means[j]), rtol=1e-9, atol=1e-12)


def test_a_single_crop_sets_no_limit_and_its_views_set_one():
    model, _ = scorer(0)
    outputs = draw_outputs(0, [0, 1], [1, 2], views=2)
    for views, expected in [(1, [False, True]), (2, [True, True])]:
        sides = sides_of(model, outputs[:, :views], [1, 2])
        limits = pair_limit(sides.count, sides.p, sides.q, sides.own)
        assert np.isfinite(limits).tolist() == expected
        assert np.all((limits == -np.inf) == ~np.isfinite(limits))


def test_outputs_of_the_network_are_precise_enough():
    """Single precision, as the network gives it, moves a limit by no more than its last digits."""
    model, slow = scorer(1)
    outputs = draw_outputs(1, [0, 1], [30, 40]).astype(np.float32)
    sides = sides_of(model, outputs, [30, 40])
    limits = pair_limit(sides.count, sides.p, sides.q, sides.own)
    expected = [own_limit_slowly(slow, crops) for crops in pieces(outputs.astype(float), [30, 40])]
    np.testing.assert_allclose(limits, expected, rtol=1e-6)


def test_the_sides_are_those_that_the_model_was_trained_with():
    model = FaceModel(POCKET, build(), CONFIG)
    outputs = draw_outputs(2, [0], [1])
    sides = sides_of(model, outputs, [1])
    p = torch.softmax(torch.tensor(outputs[0, 0]) / CONFIG.teacher_temperature, -1)
    q = torch.log_softmax(torch.tensor(outputs[0, 0]) / CONFIG.student_temperature, -1)
    np.testing.assert_allclose(sides.p[0], p.flatten() / CONFIG.heads, rtol=1e-12)
    np.testing.assert_allclose(sides.q[0], q.flatten(), rtol=1e-12)


def test_the_sides_of_stored_tracks_are_summed_in_full_precision():
    stored = Signatures.empty().columns()
    rng = np.random.default_rng(0)
    columns = {
        name: rng.uniform(1, 9, (3, 4)[: max(1, values.ndim)]).astype(values.dtype)
        for name, values in stored.items()
    }
    sides = Sides.of(Signatures(**columns), np.array([2, 0]))
    for field in dataclasses.fields(Sides):
        column = getattr(sides, field.name)
        assert column.dtype == (np.int64 if field.name == "count" else np.float64)
        np.testing.assert_array_equal(column, columns[field.name][[2, 0]])


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_a_late_mean_is_that_of_the_probabilities(seed):
    people, counts, how = draw_tracks(seed)
    model, _ = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how)
    early, late = (sides_of(model, outputs, counts, rule) for rule in ("loss", "loss-late"))
    np.testing.assert_allclose(late.mean_p, late.p / late.count[:, None])
    np.testing.assert_allclose(late.mean_q, late.q / late.count[:, None])
    several = np.array(counts) > 1
    if several.any():
        assert not np.allclose(late.mean_p[several], early.mean_p[several], rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", ["cosine-average", "loss-average"])
def test_a_track_knows_how_far_apart_its_crops_are(name):
    model, _ = scorer(3)
    outputs = draw_outputs(3, [0, 1], [4, 1])
    if name.startswith("cosine"):
        outputs = outputs.reshape(*outputs.shape[:2], -1)
    sides = sides_of(model, outputs, [4, 1], name)
    crops = [sides_of(model, outputs[[n]], [1], name) for n in range(4)]
    columns = [[getattr(one, f.name) for one in crops] for f in dataclasses.fields(Sides)]
    pairs = np.array(list(itertools.combinations(range(4), 2)))
    apart = distance_of(Sides(*map(np.concatenate, columns)), pairs)
    found = pair_limit(sides.count, sides.p, sides.q, sides.own)
    assert found[0] == pytest.approx(np.mean(apart))
    assert found[1] == -np.inf
