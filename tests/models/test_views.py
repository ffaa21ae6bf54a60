"""Views of crops: the same from the same seed, still pictures, each changed on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.pocket import NO_FILE, QUICK, draw_crops
from tests.synthetic import texture
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.views import BATCH, Augmentation, augmented, mirrored, trunk_views


def pictures(count, size=40):
    return torch.tensor(np.array([texture(seed, (size, size)) for seed in range(count)]))


@pytest.fixture
def model(pocket):
    return FaceModel.create(pocket, NO_FILE, QUICK, 0)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_views_are_pictures_of_the_same_form(count):
    images = pictures(count)
    before = images.clone()
    augment = Augmentation(0)
    for _ in range(8):  # none, some and all of them lose their detail
        views = augment(images)
        assert views.dtype == torch.uint8
        assert views.shape == images.shape
    assert torch.equal(images, before)


def test_no_pictures_have_no_views():
    assert Augmentation(0)(pictures(1)[:0]).shape == (0, 40, 40, 3)


def test_the_seed_draws_the_views_call_by_call():
    images = pictures(4)
    one, same, other = Augmentation(1), Augmentation(1), Augmentation(2)
    first, second = one(images), one(images)
    assert torch.equal(same(images), first)
    assert torch.equal(same(images), second)
    assert not torch.equal(first, second)
    assert not torch.equal(other(images), first)


def test_nobody_elses_random_numbers_are_used():
    torch.manual_seed(4)
    before = torch.get_rng_state()
    augment = Augmentation(1)
    first = augment(pictures(3))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    assert torch.equal(Augmentation(1)(pictures(3)), first)


def test_each_picture_is_changed_on_its_own():
    views = Augmentation(0)(pictures(1).expand(64, -1, -1, -1)).float()
    assert len(torch.unique(views.flatten(1), dim=0)) == 64
    light = views.mean((1, 2, 3))
    assert light.max() > 2 * light.min()


def correlation(a, b):
    return float(np.corrcoef(a.flatten(), b.flatten())[0, 1])


def test_about_half_of_the_views_are_mirrored():
    ramp = torch.arange(0, 240, 6).to(torch.uint8).view(1, 1, 40, 1).expand(200, 40, 40, 3)
    views = Augmentation(0)(ramp).float().mean((1, 3))  # each column's light
    mirrored = (views[:, 10] > views[:, 29]).float().mean()
    assert 0.35 < mirrored < 0.65


def test_most_views_are_turned_a_little():
    """A level edge is level again in the views that were not turned."""
    edge = torch.zeros(200, 40, 40, 3, dtype=torch.uint8)
    edge[:, 20:] = 200
    views = Augmentation(0)(edge).float().mean(3)
    slope = (views[:, 10:30, 12] - views[:, 10:30, 27]).abs().mean(1) / views.amax((1, 2))
    assert 0.6 < (slope > 0.03).float().mean() < 0.95
    rise = (views[:, 10:30, 12] - views[:, 10:30, 27]).mean(1)
    assert 0.3 < (rise > 0).float().mean() < 0.7  # either way


def test_most_views_have_another_colour_temperature():
    """Red and blue drift apart, either way, along with nothing else that changes a grey."""
    grey = torch.full((200, 40, 40, 3), 90, dtype=torch.uint8)
    red, _, blue = Augmentation(0)(grey)[:, 20, 20].float().unbind(1)
    warmth = torch.log(red.clamp_min(1) / blue.clamp_min(1))
    assert 0.6 < (warmth.abs() > 0.03).float().mean() < 0.95
    assert (warmth > 0.1).any()
    assert (warmth < -0.1).any()


def test_about_half_of_the_views_lose_their_detail():
    noise = np.random.default_rng(0).integers(0, 256, (100, 40, 40, 3), np.uint8)
    augment = Augmentation(0)
    for _ in range(10):
        inner = augment(torch.tensor(noise)).float()[:, 12:-12, 12:-12]  # no corner turned in
        grain = inner.diff(dim=2).std((1, 2, 3)) / inner.std((1, 2, 3))  # whatever the light
        assert 0.3 < (grain < 0.7).float().mean() < 0.7


def test_a_view_still_shows_its_own_picture():
    images = pictures(6, 60)
    views = Augmentation(3)(images)
    for number, view in enumerate(views.float().mean(3).numpy()):
        likeness = [
            max(correlation(view, image), correlation(view, image[:, ::-1]))
            for image in images.float().mean(3).numpy()
        ]
        assert np.argmax(likeness) == number


@pytest.mark.parametrize("views", [1, 3])
def test_the_first_view_is_the_crop_itself(model, views):
    crops = draw_crops([0, 1, 2], [2, 1, 3])
    values = torch.cat([*trunk_views(model, crops.images, augmented(views, 0))])
    assert values.shape == (6, views, 8 * 36)
    with torch.no_grad():
        torch.testing.assert_close(values[:, 0], model.eval().trunk(torch.tensor(crops.images)))
    for view in range(1, views):
        assert not torch.allclose(values[:, view], values[:, 0])


def test_the_seed_draws_the_views(model):
    images = draw_crops([0, 1, 2], [2, 1, 3]).images
    one, same, other = (
        torch.cat([*trunk_views(model, images, augmented(3, seed))]) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert torch.equal(one[:, 0], other[:, 0])
    assert not torch.equal(one[:, 1:], other[:, 1:])


def test_more_crops_than_a_batch_are_seen_in_their_order(model):
    images = draw_crops(range(5), [BATCH // 4] * 5).images
    told = []
    batches = [*trunk_views(model, images, augmented(2, 0), lambda *now: told.append(now))]
    assert [len(batch) for batch in batches] == [BATCH, 80 - BATCH]  # never all at once
    values = torch.cat(batches)
    assert told == [(BATCH, 80), (80, 80)]
    with torch.no_grad():
        torch.testing.assert_close(values[:, 0], model.trunk(torch.tensor(images)))
    assert not values.requires_grad


def test_statistics_of_the_network_are_used_and_left_alone(model):
    model.train()
    before = model.backbone.norm.running_mean.clone()
    list(trunk_views(model, draw_crops([0], [4]).images, augmented(2, 0)))
    assert not model.training
    assert torch.equal(model.backbone.norm.running_mean, before)


def test_no_crops_have_no_values(model):
    told = []
    images = draw_crops([], []).images
    assert [*trunk_views(model, images, augmented(3, 0), lambda *now: told.append(now))] == []
    assert told == []


def test_the_mirrored_view_is_the_crop_seen_in_a_mirror():
    images = torch.arange(2 * 4 * 4 * 3, dtype=torch.uint8).reshape(2, 4, 4, 3)
    same, mirror = mirrored(images)
    assert torch.equal(same, images)
    assert torch.equal(mirror[:, :, 0], images[:, :, 3])
    assert torch.equal(mirror.flip(2), images)
