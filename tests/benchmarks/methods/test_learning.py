"""What the trained rivals share: the loss, the pairs by tracks, and who sees a teacher."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.methods import METHODS, WARD
from benchmarks.methods.learning import Siamese, by_tracks, contrastive_loss, paired
from tests.benchmarks.methods.drawn import alike, draw_film

pytestmark = pytest.mark.usefixtures("few_steps")


def test_the_loss_pulls_one_person_together_and_pushes_two_apart_up_to_the_margin():
    rng = np.random.default_rng(0)
    left, right = rng.normal(scale=0.5, size=(2, 30, 2))
    same = rng.random(30) < 0.5
    slow = 0.0
    for a, b, one in zip(left, right, same, strict=True):
        distance = np.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
        slow += distance**2 if one else max(0.0, 1 - distance) ** 2
    fast = contrastive_loss(*(torch.as_tensor(value) for value in (left, right, same)))
    assert fast.item() == pytest.approx(slow / 30)


def test_equal_points_of_two_people_have_a_gradient_that_is_a_number():
    point = torch.zeros(1, 2, requires_grad=True)
    contrastive_loss(point, torch.zeros(1, 2), torch.tensor([False])).backward()
    assert torch.isfinite(point.grad).all()


def test_pairs_are_of_allowed_tracks_and_never_a_crop_with_itself():
    counts = np.array([3, 1, 2, 4])
    allowed = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 1]], bool)
    track = np.repeat(np.arange(4), counts)
    left, right = paired(counts, allowed, 3000, np.random.default_rng(0))
    wanted = {
        (a, b) for a in range(10) for b in range(10) if allowed[track[a], track[b]] and a != b
    }
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == wanted


def test_where_no_tracks_are_allowed_there_are_no_pairs_of_that_kind():
    counts = np.array([2, 2])
    left, _, same = by_tracks(counts, np.zeros((2, 2), bool), ~np.eye(2, dtype=bool))(
        np.random.default_rng(0)
    )
    assert len(left) == 64
    assert not same.any()
    nothing = by_tracks(counts, *np.zeros((2, 2, 2), bool))(np.random.default_rng(0))
    assert all(len(part) == 0 for part in nothing)


def test_weights_come_from_the_generator_and_nobody_elses():
    before = torch.get_rng_state()
    first, second = (Siamese(4, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.hidden.weight, second.hidden.weight)


@pytest.mark.parametrize("name", ["TSiam", "SSiam", "CCL"])
def test_a_row_sweeps_its_thresholds_and_a_row_told_people_takes_a_whole_number(name):
    film, who = draw_film(3, 3)
    swept = METHODS[name].group(film, METHODS[name].tells(3))
    assert len(swept) == len(WARD)
    assert np.array_equal(swept[40], METHODS[name].group(film, [WARD[40]])[0])
    told = METHODS[f"{name}, told people"]
    assert alike(told.group(film, told.tells(3))[0], who)
    assert METHODS[name].thresholds == WARD
