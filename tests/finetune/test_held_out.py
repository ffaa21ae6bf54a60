"""What is kept out of training to tell whether it helps."""

from __future__ import annotations

import numpy as np
import pytest

from tests.clustering.test_group import links_of
from tests.clustering.test_linkage import cosine_sides
from videoclusternet.finetune.held_out import FEWEST, HeldOut, separation
from videoclusternet.records import FRAGMENT, THREAD, TOGETHER


def test_every_other_set_up_is_held_out_whole():
    links = links_of(
        (0, 1, THREAD), (1, 2, THREAD), (3, 4, THREAD), (5, 6, THREAD), (0, 3, TOGETHER),
        (1, 2, FRAGMENT),
    )  # fmt: skip
    held = HeldOut.of(links, np.ones(7, np.int64))
    assert held.same.tolist() == [[0, 1], [1, 2], [5, 6]]
    assert held.different.tolist() == [[0, 3]]
    assert held.rest.kind.tolist() == [THREAD, TOGETHER, FRAGMENT]
    matches = np.ones((7, 7), bool)
    held.forbid(matches)
    assert np.argwhere(matches).tolist() == [[3, 3], [3, 4], [4, 3], [4, 4]]


def test_who_has_no_crop_measures_nothing():
    links = links_of((0, 1, THREAD), (0, 2, TOGETHER))
    held = HeldOut.of(links, np.array([1, 0, 0]))
    assert (len(held.same), len(held.different), len(held.rest)) == (0, 0, 2)


def test_no_links_are_too_few():
    assert "too few" in HeldOut.of(links_of(), np.ones(3, np.int64)).refusal(rounds=3)


@pytest.mark.parametrize(
    ("same", "different"), [(FEWEST, FEWEST), (FEWEST - 1, FEWEST), (FEWEST, 0)]
)
def test_enough_are_both_kinds(same, different):
    # Set-ups of two tracks each; every other one is held out.
    threads = [(2 * n, 2 * n + 1, THREAD) for n in range(2 * same)]
    together = [(0, n + 1, TOGETHER) for n in range(different)]
    held = HeldOut.of(links_of(*threads, *together), np.ones(4 * FEWEST + 9, np.int64))
    assert len(held.same) == same
    assert (held.refusal(rounds=3) is None) == (same >= FEWEST and different >= FEWEST)
    assert "tuning is off" in held.refusal(rounds=0)


def test_separation_is_how_much_farther_strangers_are_in_deviations():
    angles = np.radians([0, 10, 30, 90, 120])
    units = np.stack([np.cos(angles), np.sin(angles)], 1)
    far = 1 - units @ units.T
    one, two = [far[0, 1], far[1, 2]], [far[0, 3], far[1, 4]]
    spread = np.sqrt((np.var(one) + np.var(two)) / 2)
    found = separation(cosine_sides(units), np.array([[0, 1], [1, 2]]), np.array([[0, 3], [1, 4]]))
    assert found == pytest.approx((np.mean(two) - np.mean(one)) / spread)
