"""MLR: its loss, which names it is told, and what it makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from benchmarks.methods import METHODS
from benchmarks.methods.mlr import CONSTRAINT, ENTROPY, labelled, objective
from tests.benchmarks.methods.drawn import alike, draw_film

ROW = METHODS["MLR"]


def test_the_loss_is_that_of_names_entropy_and_pairs_who_are_two():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 6)
    slow = -(math.log(p[1, 2]) + math.log(p[4, 0])) / 2
    unknown = [0, 2, 3, 5]
    slow -= ENTROPY * sum(v * math.log(v) for i in unknown for v in p[i]) / 4
    pairs = [(0, 1), (3, 5)]
    slow -= CONSTRAINT * sum(math.log(1 - sum(p[i] * p[j])) for i, j in pairs) / 2
    mask = torch.zeros(6, dtype=torch.bool)
    mask[unknown] = True
    found = objective(
        torch.as_tensor(np.log(p)), torch.tensor([1, 4]), torch.tensor([2, 0]), mask,
        torch.tensor(pairs),
    )  # fmt: skip
    assert found.item() == pytest.approx(slow)


@pytest.mark.parametrize(("named", "told"), [(0, 0), (1, 1), (4, 1), (10, 2), (23, 5)])
def test_a_fifth_of_the_names_are_told_and_not_always_the_same(named, told):
    names = np.array(["Ann"] * named + [""] * 7)
    rows = labelled(names, 0)
    assert len(set(rows.tolist())) == told
    assert (names[rows] != "").all()
    assert named < 10 or rows.tolist() != labelled(names, 1).tolist()


def test_a_few_names_are_enough_for_people_far_from_each_other():
    film, who = draw_film(3, 10)
    names = np.array([f"person {n}" for n in who])
    seeds = [s for s in range(20) if len(set(who[labelled(names, s)])) == 3]
    assert len(seeds) > 1
    for seed in seeds[:2]:
        assert alike(ROW.group(film, [None], seed, names=names)[0], who)


def test_who_is_seen_together_is_two_though_likeness_says_one():
    film, _ = draw_film(2, 5, spread=0.9)
    names = np.array(["a", "b"] * 5)
    seed = next(s for s in range(20) if len(set(names[labelled(names, s)])) == 2)
    (labels,) = ROW.group(film, [None], seed, names=names)
    assert (labels[::2] != labels[1::2]).all()


def test_one_name_or_none_is_one_person():
    film, _ = draw_film(2, 2)
    for name in ("Ann", ""):
        assert ROW.group(film, [None], 0, names=np.array([name] * 4))[0].tolist() == [0] * 4
