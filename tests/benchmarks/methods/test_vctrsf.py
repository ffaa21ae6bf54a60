"""VCTRSF: its loss, its views, and what training makes of drawn people."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from benchmarks.methods import METHODS
from benchmarks.methods.vctrsf import CROPS, HEAT, centred_loss, points, train, view
from tests.benchmarks.methods.drawn import alike, draw_film

pytestmark = pytest.mark.usefixtures("few_steps")


def test_a_point_is_drawn_to_its_centre_and_from_those_it_was_seen_with():
    rng = np.random.default_rng(0)
    seen, centres = (torch.nn.functional.normalize(torch.as_tensor(rng.normal(size=(n, 4))))
                     for n in (3, 5))  # fmt: skip
    who, rivals = [4, 0, 2], rng.random((5, 5)) < 0.5
    np.fill_diagonal(rivals, False)
    slow = 0.0
    for point, track in zip(seen, who, strict=True):
        likeness = [float(point @ centre) for centre in centres]
        among = [j for j in range(5) if j == track or rivals[track, j]]
        total = sum(math.exp(likeness[j] / HEAT) for j in among)
        slow += -math.log(math.exp(likeness[track] / HEAT) / total) + 1 - likeness[track]
    found = centred_loss(seen, centres, torch.tensor(who), torch.as_tensor(rivals))
    assert found.item() == pytest.approx(slow / 3)


def test_a_view_is_of_its_own_track():
    counts = np.array([1, 5, 3])
    rows = view(counts, np.array([2, 0, 1]), np.random.default_rng(0))
    assert rows.shape == (3, CROPS)
    assert set(rows[0].tolist()) <= {6, 7, 8}
    assert set(rows[1].tolist()) == {0}
    assert set(rows[2].tolist()) <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize("meet", [True, False])
def test_people_far_from_each_other_are_found(meet):
    film, who = draw_film(4, 4, meet=meet)
    (labels,) = METHODS["VCTRSF, told people"].group(film, [4])
    assert alike(labels, who)


def test_training_lowers_the_loss_and_a_seed_gives_the_same_again():
    film, _ = draw_film(3, 4, spread=0.4)
    encoder, losses = train(film, 3, 40)
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])
    again, other = train(film, 3, 40)[0], train(film, 4, 40)[0]
    np.testing.assert_array_equal(points(encoder, film), points(again, film))
    assert not np.array_equal(points(encoder, film), points(other, film))


def test_nobody_elses_random_numbers_are_drawn():
    film, _ = draw_film(2, 2)
    before = torch.get_rng_state()
    train(film, 0, 2)
    assert torch.equal(torch.get_rng_state(), before)
