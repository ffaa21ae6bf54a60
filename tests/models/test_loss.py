"""The formula against plain loops, and what its measures say at their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import SlowLoss, masked_loss_slowly
from videoclusternet.models.loss import (
    cross_entropy,
    information,
    log_probabilities,
    masked_cross_entropy,
    probabilities,
)

SEEDS = st.integers(0, 10**6)


def drawn(seed, n=5, heads=3, k=4):
    rng = np.random.default_rng(seed)
    teacher, student = rng.uniform(-1, 1, (2, n, heads, k))
    return teacher, student, rng.uniform(-0.5, 0.5, (heads, k)), *rng.uniform(0.05, 1, 2)


@given(SEEDS)
def test_the_loss_is_the_formula(seed):
    teacher, student, centre, warm, cool = drawn(seed)
    slow = SlowLoss(centre, warm, cool)
    p = probabilities(torch.tensor(teacher), torch.tensor(centre), warm)
    loss = cross_entropy(p, log_probabilities(torch.tensor(student), cool))
    expected = [slow(t, s) for t, s in zip(teacher, student, strict=True)]
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-9)


@given(SEEDS)
def test_centre_and_sharpening_are_the_teachers(seed):
    teacher, _, centre, warm, _ = drawn(seed)
    outputs = torch.tensor(teacher)
    plain = torch.softmax(outputs, -1)
    p = probabilities(outputs, torch.tensor(centre), warm)
    torch.testing.assert_close(p.sum(-1), torch.ones_like(p.sum(-1)))
    torch.testing.assert_close(probabilities(outputs, torch.zeros(3, 4), 1.0), plain)
    torch.testing.assert_close(log_probabilities(outputs, 1.0).exp(), plain)
    held_back = probabilities(outputs, torch.tensor([2.0, 0, 0, 0]), 1.0)
    assert torch.all(held_back[..., 0] < plain[..., 0])
    sharp = probabilities(outputs, torch.zeros(3, 4), 0.05)
    assert torch.all(sharp.amax(-1) > plain.amax(-1))


@given(SEEDS)
def test_the_mean_over_all_pairs_is_the_product_of_the_means(seed):
    teacher, student, centre, warm, cool = drawn(seed)
    p = probabilities(torch.tensor(teacher), torch.tensor(centre), warm)
    log_q = log_probabilities(torch.tensor(student), cool)
    pairs = [cross_entropy(p[i : i + 1], log_q[j : j + 1]) for i in range(5) for j in range(5)]
    product = cross_entropy(p.mean(0, keepdim=True), log_q.mean(0, keepdim=True))
    torch.testing.assert_close(torch.cat(pairs).mean(), product[0])


def test_large_outputs_give_numbers():
    outputs = torch.tensor([[[1e4, 0.0, -1e4]]])
    p = probabilities(outputs, torch.zeros(1, 3), 0.01)
    assert cross_entropy(p, log_probabilities(-outputs, 0.01)).isfinite().all()


@pytest.mark.parametrize("heads", [1, 3])
def test_information_is_nothing_in_both_ways_of_collapse(heads):
    one_answer = torch.zeros(20, heads, 8)
    one_answer[..., 2] = 1.0
    all_equal = torch.full((20, heads, 8), 1 / 8)
    same = torch.softmax(torch.randn(1, heads, 8, generator=torch.Generator().manual_seed(0)), -1)
    for p in (one_answer, all_equal, same.expand(20, -1, -1)):
        assert information(p).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("k", [2, 8])
def test_information_is_best_where_each_input_has_its_own_answer(k):
    p = torch.eye(k).repeat(3, 1)[:, None]
    assert information(p).item() == pytest.approx(math.log(k), abs=1e-5)
    half = torch.cat([p, torch.full_like(p, 1 / k)], dim=1)  # the second of two heads says nothing
    assert information(half).item() == pytest.approx(math.log(k) / 2, abs=1e-5)


@given(SEEDS)
def test_information_lies_between_its_limits(seed):
    teacher, _, centre, warm, _ = drawn(seed)
    told = information(probabilities(torch.tensor(teacher), torch.tensor(centre), warm)).item()
    assert -1e-9 <= told <= math.log(4)


@given(SEEDS, st.integers(0, 4), st.floats(0, 1))
def test_the_loss_of_masked_patches_is_the_plain_mean(seed, n, share):
    rng = np.random.default_rng(seed)
    teacher, student = rng.uniform(-1, 1, (2, n, 6, 3, 4))
    mask, centre = rng.random((n, 6)) < share, rng.uniform(-0.5, 0.5, (3, 4))
    expected = masked_loss_slowly(SlowLoss(centre, 0.1, 0.2), teacher, student, mask)
    chosen = torch.tensor(mask)
    p = probabilities(torch.tensor(teacher)[chosen], torch.tensor(centre), 0.1)
    log_q = log_probabilities(torch.tensor(student)[chosen], 0.2)
    found = masked_cross_entropy(p, log_q, chosen)
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_each_picture_counts_alike_however_many_patches_it_hides():
    mask = torch.tensor([[True, True, True], [True, False, False]])
    p = torch.tensor([[[1.0, 0.0]]] * 3 + [[[0.0, 1.0]]])
    log_q = torch.tensor([[[-1.0, -9.0]]] * 4)
    assert masked_cross_entropy(p, log_q, mask).item() == pytest.approx((1 + 9) / 2)


def test_a_mask_of_no_patches_has_no_loss_and_no_gradient():
    outputs = torch.zeros(2, 5, 3, 4, requires_grad=True)
    mask = torch.zeros(2, 5, dtype=torch.bool)
    loss = masked_cross_entropy(outputs[mask], log_probabilities(outputs[mask], 1.0), mask)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(outputs.grad, torch.zeros_like(outputs))
