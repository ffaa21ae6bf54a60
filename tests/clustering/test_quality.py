"""SER-FIQ pass by pass, and who is left out by it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import quality_slowly
from tests.pocket import NO_FILE, POCKET, QUICK, draw_crops
from tests.portraits import portraits
from videoclusternet.clustering.known import LEAST_TRACKS, recognisable
from videoclusternet.clustering.quality import (
    crop_quality,
    seen_and_scored,
    track_quality,
)
from videoclusternet.config import ClusterConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import choose_backbone
from videoclusternet.models.views import BATCH, augmented, trunk_views

CONFIG = ClusterConfig(quality_passes=6)


def values_of(model, images):
    with torch.no_grad():
        return model.eval().trunk(torch.tensor(images))


@pytest.fixture
def model(pocket):
    return FaceModel.create(pocket, NO_FILE, QUICK, 0)


@pytest.fixture
def values(model):
    return values_of(model, draw_crops([0, 1, 2], [2, 2, 1]).images)


def test_the_score_is_that_of_the_published_rule(model, values):
    generator = torch.Generator().manual_seed(9)
    masks = torch.rand(6, values.shape[1], generator=generator).numpy() < 0.7
    matrix = model.backbone.matrix
    weights, bias = matrix.weight.tolist(), matrix.bias.tolist()
    expected = [quality_slowly(weights, bias, row, masks, 0.7) for row in values.tolist()]
    scores = crop_quality(model, values, CONFIG, 9, 0.3)
    np.testing.assert_allclose(scores, expected, rtol=1e-4)
    assert np.all((scores > 0) & (scores < 1))


def test_a_score_does_not_depend_on_the_other_crops(model, values):
    together = crop_quality(model, values, CONFIG, 0)
    assert len(set(together)) == len(together)
    np.testing.assert_array_equal(crop_quality(model, values.flip(0), CONFIG, 0)[::-1], together)
    alone = [crop_quality(model, values[i : i + 1], CONFIG, 0)[0] for i in range(5)]
    np.testing.assert_array_equal(alone, together)


def test_more_is_dropped_and_less_is_agreed_on(model, values):
    little, much = (crop_quality(model, values, ClusterConfig(), 0, share) for share in (0.05, 0.6))
    assert np.all(little > much)


def test_no_crops_have_no_scores(model, values):
    assert crop_quality(model, values[:0], CONFIG, 0).shape == (0,)


@pytest.mark.parametrize("counts", [[2, 1], [BATCH, 9]])
def test_crops_are_embedded_and_scored_batch_by_batch(model, counts):
    images = draw_crops(range(len(counts)), counts).images
    embeddings, scores = seen_and_scored(model, images, augmented(3, 5), CONFIG, 5)
    assert embeddings.shape == (len(images), 3, POCKET.dimension)
    assert not embeddings.requires_grad
    values = torch.cat([*trunk_views(model, images, augmented(3, 5))])
    torch.testing.assert_close(embeddings, model.tail(values).detach())
    np.testing.assert_allclose(scores, crop_quality(model, values[:, 0], CONFIG, 5), rtol=1e-5)
    assert scores.shape == (len(images),)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_real_network_recognises_sharp_faces_better_than_blurred_ones(real, seed):
    """Each for itself a face may gain by blur, for the score says more about pose and no face."""
    model, sharp, blurred, noise = real
    many = ClusterConfig(quality_passes=60)  # the fewer passes, the more chance in a score
    one, other, none = (
        crop_quality(model, values, many, seed) for values in (sharp, blurred, noise)
    )
    assert one.mean() > other.mean() + 0.004  # the spread among faces is 0.01
    assert np.mean(one > other) > 0.75
    assert none.max() < one.min()


@pytest.fixture(scope="module")
def real():
    small = QUICK.model_copy(update={"heads": 1, "outputs": 2, "hidden": 2})
    model = FaceModel.create(*choose_backbone("dlib_resnet"), small, 0)
    sharp = portraits()
    tiny = [cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA) for image in sharp]
    blurred = np.array([cv2.resize(image, sharp.shape[1:3]) for image in tiny])
    noise = np.random.default_rng(0).integers(0, 256, (3, *sharp.shape[1:]), np.uint8)
    return model, *(values_of(model, images) for images in (sharp, blurred, noise))


def test_a_track_has_the_mean_score_of_its_crops():
    quality = track_quality(np.array([0.5, 0.7, 0.9]), np.array([0, 2, 0, 1, 0]))
    np.testing.assert_allclose(quality, [np.nan, 0.6, np.nan, 0.9, np.nan])
    assert track_quality(np.empty(0), np.array([0, 0])).shape == (2,)
    assert track_quality(np.empty(0), np.empty(0, int)).shape == (0,)


def recognised_slowly(quality, deviations):
    values = sorted(quality)
    median = float(np.median(values))
    spread = 1.4826 * float(np.median([abs(value - median) for value in values]))
    return [value >= median - deviations * spread for value in quality]


@given(st.integers(0, 10**6), st.integers(LEAST_TRACKS, 30), st.floats(0.5, 5))
def test_who_lies_far_below_the_median_is_left_out(seed, tracks, deviations):
    quality = np.random.default_rng(seed).standard_t(2, tracks)
    assert recognisable(quality, deviations).tolist() == recognised_slowly(quality, deviations)


def test_only_the_low_side_is_left_out():
    quality = np.array([0.1, *np.linspace(0.88, 0.92, 9), 5.0])
    assert recognisable(quality, 3.5).tolist() == [False] + [True] * 10


def test_three_and_a_half_deviations_leave_out_few_of_a_normal_crowd():
    quality = np.random.default_rng(0).normal(0.9, 0.01, 100_000)
    left_out = 1 - recognisable(quality, 2.0).mean()
    assert left_out == pytest.approx(0.0228, abs=0.002)  # beyond two deviations, on one side


def test_tracks_without_spread_are_all_recognised():
    assert recognisable(np.full(20, 0.9), 3.5).all()
    assert recognisable(np.array([0.2] + [0.9] * 19), 3.5).all()


def test_few_tracks_are_all_recognised():
    quality = np.array([0.1, *np.linspace(0.88, 0.92, LEAST_TRACKS - 1)])
    assert recognisable(quality, 3.5).tolist() == [False] + [True] * (LEAST_TRACKS - 1)
    assert recognisable(quality[:-1], 3.5).all()


def test_tracks_without_crops_are_not_recognised_and_do_not_count():
    few = np.array([np.nan, 0.1, *np.linspace(0.88, 0.92, LEAST_TRACKS - 2), np.nan])
    assert recognisable(few, 3.5).tolist() == np.isfinite(few).tolist()
    many = np.array([np.nan, 0.1, *np.linspace(0.88, 0.92, LEAST_TRACKS - 1)])
    assert recognisable(many, 3.5).tolist() == [False, False] + [True] * (LEAST_TRACKS - 1)
    assert recognisable(np.array([np.nan, np.nan]), 3.5).tolist() == [False, False]
    assert recognisable(np.empty(0), 3.5).shape == (0,)
