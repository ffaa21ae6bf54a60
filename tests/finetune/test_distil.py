"""One stretch of training, step by step against the same steps written out."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch

from tests.oracles import SlowLoss, masked_loss_slowly
from tests.pocket import NO_FILE, QUICK, draw_crops
from videoclusternet.finetune import distil as room
from videoclusternet.finetune import patches as patch_room
from videoclusternet.finetune.distil import WARM_UP, Stage, distil
from videoclusternet.finetune.guard import CollapseError, Watch
from videoclusternet.finetune.pairs import PairSampler
from videoclusternet.finetune.patches import MaskedPatches, draw_masks
from videoclusternet.finetune.teacher import CENTRE_MOMENTUM, Teacher
from videoclusternet.models.face_model import FaceModel

CROPS = draw_crops([0, 1, 2], [3, 2, 1])
ALONE = np.zeros((3, 3), bool)  # no track matches another


@pytest.fixture
def student(pocket):
    return FaceModel.create(pocket, NO_FILE, QUICK, 0).eval()


def stage_of(student, teacher, *, rate=1e-2, steps=range(6), schedule=6, name="round 1"):
    group = {"params": list(student.parameters()), "rate": rate}
    return Stage(
        name=name,
        optimiser=torch.optim.AdamW([group]),
        sampler=PairSampler(CROPS.counts, ALONE, np.random.default_rng(1)),
        view=lambda crop: torch.tensor(CROPS.images[crop]),
        student=student,
        teacher=teacher.model,
        people=3,
        steps=steps,
        schedule=schedule,
    )


def run(student, **how):
    teacher = Teacher(student)
    stepped = []
    stage = stage_of(student, teacher, **how)
    distil(stage, teacher, Watch(), lambda: stepped.append(len(student.log)))
    return teacher, stage, stepped


def test_the_steps_are_those_of_the_published_rule(student):
    """A plain loop: one crop to each side, the loss by its formula, average and running mean."""
    mine, steps = copy.deepcopy(student), 6
    run(student, steps=range(steps), schedule=steps)

    slow, centre = copy.deepcopy(mine), torch.zeros_like(mine.centre)
    optimiser = torch.optim.AdamW(mine.parameters())
    sampler = PairSampler(CROPS.counts, ALONE, np.random.default_rng(1))
    used = centre
    for step in range(steps):
        left, right = (torch.tensor(CROPS.images[side]) for side in sampler.draw(QUICK.batch))
        with torch.no_grad():
            told = slow(right)
            p = torch.softmax((told - used) / QUICK.teacher_temperature, -1)
        log_q = torch.log_softmax(mine(left) / QUICK.student_temperature, -1)
        loss = -(p * log_q).sum() / (QUICK.batch * QUICK.heads)
        assert student.log[step]["loss"] == pytest.approx(loss.item(), rel=1e-4)
        falling = (1 + math.cos(math.pi * step / steps)) / 2
        optimiser.param_groups[0]["lr"] = 1e-2 * min(1, (step + 1) / WARM_UP) * falling
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        used = centre
        centre = CENTRE_MOMENTUM * centre + (1 - CENTRE_MOMENTUM) * told.mean(0)
        momentum = 1 - (1 - QUICK.momentum) * falling
        with torch.no_grad():
            for average, value in zip(slow.parameters(), mine.parameters(), strict=True):
                average.copy_(momentum * average + (1 - momentum) * value)
    torch.testing.assert_close(student.centre, centre, rtol=1e-3, atol=1e-4)
    for name, value in mine.named_parameters():
        torch.testing.assert_close(
            student.get_parameter(name), value, rtol=1e-2, atol=1e-3, msg=name
        )


def test_with_masked_patches_the_two_losses_are_added(pocket_vit):
    """Both from the left crop, half hidden from the student; the teacher sees both crops whole."""
    student = FaceModel.create(pocket_vit, NO_FILE, QUICK, 0)
    teacher = Teacher(student)
    stage = dataclasses.replace(
        stage_of(student, teacher, steps=range(1), schedule=1),
        patches=MaskedPatches(teacher, np.random.default_rng(2)),
    )
    mine = copy.deepcopy(student)
    distil(stage, teacher, Watch(), lambda: None)

    sampler = PairSampler(CROPS.counts, ALONE, np.random.default_rng(1))
    left, right = (torch.tensor(CROPS.images[side]) for side in sampler.draw(QUICK.batch))
    mask = torch.tensor(draw_masks(len(left), (4, 4), np.random.default_rng(2)))
    with torch.no_grad():
        values, tokens = mine.tokens(left, mask)
        p = torch.softmax(mine(right) / QUICK.teacher_temperature, -1)
        log_q = torch.log_softmax(mine.head(mine.tail(values)) / QUICK.student_temperature, -1)
        pairs = -(p * log_q).sum() / (QUICK.batch * QUICK.heads)
        slow = SlowLoss(
            np.zeros((QUICK.heads, QUICK.outputs)),
            QUICK.teacher_temperature,
            QUICK.student_temperature,
        )
        told, guessed = (
            mine.patch_head.chosen(x, torch.ones_like(mask)).unflatten(0, mask.shape).numpy()
            for x in (mine.tokens(left)[1], tokens)
        )
    patches = masked_loss_slowly(slow, told, guessed, mask.numpy())
    (row,) = student.log
    assert row["patches"] == pytest.approx(patches, rel=1e-4)
    assert row["loss"] == pytest.approx(pairs.item() + patches, rel=1e-4)


def test_each_step_is_logged_and_told(student):
    _, _, stepped = run(student, steps=range(6, 10), schedule=12, name="round 2")
    assert stepped == [1, 2, 3, 4]
    assert [row["step"] for row in student.log] == [6, 7, 8, 9]
    assert {row["stage"] for row in student.log} == {"round 2"}
    assert all(math.isfinite(row["loss"]) and row["information"] > 0 for row in student.log)


@pytest.mark.parametrize("kind", ["pocket", "pocket_vit"])
def test_a_step_in_pieces_is_the_same_step(kind, request):
    spec = request.getfixturevalue(kind)
    states = []
    for pieces in (1, 3):
        student = FaceModel.create(spec, NO_FILE, QUICK, 0).eval()
        teacher = Teacher(student)
        patches = MaskedPatches(teacher, np.random.default_rng(2)) if student.patch_head else None
        stage = dataclasses.replace(stage_of(student, teacher), patches=patches, pieces=pieces)
        distil(stage, teacher, Watch(), lambda: None)
        states.append({**student.state_dict(), "loss": torch.tensor(student.log[-1]["loss"])})
    torch.testing.assert_close(states[1], states[0], rtol=1e-3, atol=1e-4)


def test_rates_warm_up_and_fall_to_nothing(student, monkeypatch):
    rates = []
    teacher = Teacher(student)
    stage = stage_of(student, teacher, steps=range(100), schedule=100, rate=1e-9)
    distil(stage, teacher, Watch(), lambda: rates.append(stage.optimiser.param_groups[0]["lr"]))
    share = np.array(rates) / 1e-9
    assert share[0] == pytest.approx(1 / WARM_UP)
    assert np.argmax(share) == pytest.approx(WARM_UP, abs=1)
    assert np.all(np.diff(share[WARM_UP:]) < 0)
    assert share[50] == pytest.approx(0.5)
    assert share[-1] < 0.001
    assert stage.optimiser.param_groups[0]["rate"] == 1e-9


def test_training_makes_the_outputs_tell_more(student):
    with torch.no_grad():
        embeddings = student.tail(student.trunk(torch.tensor(CROPS.images)))
        student.head.standardise(embeddings)
    run(student, steps=range(60), schedule=60)
    told = [row["information"] for row in student.log]
    assert np.mean(told[-10:]) > 1.2 * np.mean(told[:5])
    assert max(told) <= math.log(3) + 1e-6  # that many different people were shown


def test_frozen_statistics_stay_frozen_in_both_copies(student):
    before = {name: value.clone() for name, value in student.backbone.norm.named_buffers()}
    weight = student.backbone.norm.weight.detach().clone()
    teacher, _, _ = run(student)
    for network in (student, teacher.model):
        assert not any(module.training for module in network.modules())
        for name, value in network.backbone.norm.named_buffers():
            assert torch.equal(value, before[name])
    assert not torch.equal(student.backbone.norm.weight, weight)  # its parameters do learn


def test_the_teacher_has_no_gradient_and_follows(student):
    teacher, _, _ = run(student)
    assert all(value.grad is None for value in teacher.model.parameters())
    apart = [
        (mine - other).abs().max().item()
        for mine, other in zip(teacher.model.parameters(), student.parameters(), strict=True)
    ]
    assert 0 < max(apart) < 0.1


def test_a_stage_without_steps_changes_nothing(student):
    before = copy.deepcopy(student.state_dict())
    run(student, steps=range(0), schedule=0)
    assert all(torch.equal(value, before[name]) for name, value in student.state_dict().items())
    assert student.log == []


def test_collapse_is_told_before_the_step_is_taken(student, monkeypatch):
    real, calls = room.cross_entropy, []

    def broken(p, log_q):
        calls.append(1)
        return real(p, log_q) * (math.nan if len(calls) == 3 else 1)

    monkeypatch.setattr(room, "cross_entropy", broken)
    with pytest.raises(CollapseError, match="no longer a number"):
        run(student)
    assert len(student.log) == 2
    assert all(value.isfinite().all() for value in student.state_dict().values())


def test_a_broken_loss_of_patches_is_told_before_the_step_is_taken(pocket_vit, monkeypatch):
    monkeypatch.setattr(
        patch_room, "masked_cross_entropy", lambda p, log_q, mask: p.sum() * math.nan
    )
    student = FaceModel.create(pocket_vit, NO_FILE, QUICK, 0)
    teacher = Teacher(student)
    patches = MaskedPatches(teacher, np.random.default_rng(2))
    with pytest.raises(CollapseError, match="no longer a number"):
        distil(
            dataclasses.replace(stage_of(student, teacher), patches=patches),
            teacher, Watch(), lambda: None,
        )  # fmt: skip
    assert student.log == []
    assert all(value.isfinite().all() for value in student.state_dict().values())


def test_what_the_last_step_broke_is_told_too(student):
    teacher = Teacher(student)

    def stepped():
        if len(student.log) == 6:
            torch.nn.init.constant_(student.backbone.matrix.weight, math.nan)

    with pytest.raises(CollapseError, match="no longer numbers"):
        distil(stage_of(student, teacher), teacher, Watch(), stepped)
