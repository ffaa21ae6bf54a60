"""The teacher is an exact moving average of the student, and nothing ever trains it."""

from __future__ import annotations

import math

import pytest
import torch

from tests.pocket import NO_FILE, QUICK
from videoclusternet.finetune.teacher import CENTRE_MOMENTUM, Teacher, momentum_at
from videoclusternet.models.face_model import FaceModel


@pytest.fixture
def student(pocket):
    return FaceModel.create(pocket, NO_FILE, QUICK, 0)


def change(network, seed):
    """Give the network other parameters and buffers."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.copy_(torch.rand(value.shape, generator=generator) * 9)


def parameters(network):
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def buffers(network):
    return {name: value.clone() for name, value in network.named_buffers()}


def all_of(teacher):
    """Return the pairs of all parameters, the teacher's first."""
    return [*zip(teacher.model.parameters(), teacher.student.parameters(), strict=True)]


def test_only_what_is_trained_follows(student):
    teacher = Teacher(student)
    before = parameters(teacher.model)
    before = {name: value.clone() for name, value in before.items()}
    change(student, 1)
    head = [*zip(teacher.model.head.parameters(), student.head.parameters(), strict=True)]
    teacher.follow(head, 0.5)
    for name, value in parameters(teacher.model).items():
        assert torch.equal(value, before[name]) != name.startswith("head."), name


def test_it_starts_as_a_copy_of_its_own(student):
    teacher = Teacher(student)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    assert all(torch.equal(v, before[n]) for n, v in teacher.model.state_dict().items())
    change(student, 1)
    assert all(torch.equal(v, before[n]) for n, v in teacher.model.state_dict().items())


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.96, 1.0])
def test_its_parameters_are_the_moving_average(student, momentum):
    teacher = Teacher(student)
    expected = {name: value.double() for name, value in parameters(student).items()}
    for step in range(5):
        change(student, step)
        teacher.follow(all_of(teacher), momentum)
        now = parameters(student)
        for name in expected:
            expected[name] = momentum * expected[name] + (1 - momentum) * now[name].double()
    for name, value in parameters(teacher.model).items():
        torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-5)


def test_its_buffers_are_the_students_own(student):
    """Statistics of batch normalisation, and the film's mean and deviation, are not averaged."""
    teacher = Teacher(student)
    change(student, 1)
    teacher.follow(all_of(teacher), 0.99)
    copied = buffers(teacher.model)
    assert {"backbone.norm.running_mean", "backbone.norm.num_batches_tracked"} < copied.keys()
    assert {"head.mean", "head.deviation", "centre"} < copied.keys()
    for name, value in buffers(student).items():
        assert torch.equal(copied[name], value)
    change(student, 2)  # copies, not the same memory
    assert all(torch.equal(v, copied[n]) for n, v in buffers(teacher.model).items())


def test_it_stays_in_evaluation_and_without_gradient(student):
    teacher = Teacher(student.train())
    for network in (student, teacher.model):
        assert not any(module.training for module in network.modules())
    assert not any(value.requires_grad for value in teacher.model.parameters())
    assert all(value.requires_grad for value in student.parameters())
    teacher.follow(all_of(teacher), 0.5)
    teacher.recentre(torch.ones_like(student.centre)[None])
    assert all(value.grad_fn is None for value in teacher.model.state_dict().values())


def test_the_centre_is_the_running_mean_of_the_batches(student):
    teacher = Teacher(student)
    expected = torch.zeros_like(student.centre)
    for step in range(4):
        batch = torch.rand(6, *expected.shape, generator=torch.Generator().manual_seed(step))
        teacher.recentre(batch)
        expected = CENTRE_MOMENTUM * expected + (1 - CENTRE_MOMENTUM) * batch.sum(0) / 6
        torch.testing.assert_close(student.centre, expected)
    teacher.follow(all_of(teacher), 1.0)
    assert torch.equal(teacher.model.centre, student.centre)


@pytest.mark.parametrize("start", [0.0, 0.95, 0.996])
def test_the_momentum_rises_to_one_along_half_a_cosine(start):
    momenta = [momentum_at(step, 50, start) for step in range(51)]
    assert momenta[0] == pytest.approx(start)
    assert momenta[25] == pytest.approx((1 + start) / 2)
    assert momenta[50] == 1
    assert momenta == sorted(momenta)
    quarter = 1 - (1 - start) * (1 + math.sqrt(0.5)) / 2
    assert momentum_at(1, 4, start) == pytest.approx(quarter)


def test_the_second_head_follows_likewise(pocket_vit):
    student = FaceModel.create(pocket_vit, NO_FILE, QUICK, 0)
    teacher = Teacher(student)
    before = parameters(student.patch_head)
    change(student, 1)
    teacher.follow(all_of(teacher), 0.75)
    now = parameters(student.patch_head)
    for name, value in parameters(teacher.model.patch_head).items():
        torch.testing.assert_close(value, 0.75 * before[name] + 0.25 * now[name])
    for name, value in buffers(student.patch_head).items():
        assert torch.equal(teacher.model.patch_head.get_buffer(name), value)
