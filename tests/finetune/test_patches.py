"""Masked patches: which are hidden, what is asked about them, and that answering is learned."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from tests.clustering.drawn import cluster_crops, one_by_one
from tests.oracles import SlowLoss, masked_loss_slowly
from tests.pocket import NO_FILE, QUICK, draw_crops
from tests.pocket_vit import POCKET_VIT, QUICK_VIT
from videoclusternet.config import ClusterConfig
from videoclusternet.finetune import distil as steps
from videoclusternet.finetune import patches as room
from videoclusternet.finetune import train
from videoclusternet.finetune.patches import (
    MASKED,
    RATIO,
    MaskedPatches,
    draw_masks,
    standardise_patches,
)
from videoclusternet.finetune.teacher import CENTRE_MOMENTUM, Teacher
from videoclusternet.finetune.train import finetune_model
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.loss import cross_entropy, information, probabilities
from videoclusternet.models.views import Augmentation
from videoclusternet.results.metrics import score

PEOPLE = [0, 1, 2, 3, 0, 1, 2, 0, 1, 3]
CROPS = draw_crops(PEOPLE, [5, 4, 6, 5, 3, 5, 4, 1, 2, 4])
TRACKS = one_by_one(len(CROPS.counts))
SHORT = QUICK_VIT.model_copy(update={"head_passes": 2, "passes": 1})
IMAGES = torch.tensor(CROPS.images[::4])


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("grid", [(14, 14), (7, 7), (4, 4), (3, 9), (1, 20)])
def test_half_of_the_pictures_hide_a_tenth_to_a_half(grid):
    patches = grid[0] * grid[1]
    masks = draw_masks(2000, grid, rng())
    assert masks.shape == (2000, patches)
    hidden = masks.sum(1)
    assert np.mean(hidden > 0) == pytest.approx(MASKED, abs=0.05)
    some = hidden[hidden > 0]
    assert max(1, round(RATIO[0] * patches)) <= some.min()
    assert 0.9 * RATIO[1] * patches <= some.max() <= round(RATIO[1] * patches)
    assert some.mean() / patches == pytest.approx(sum(RATIO) / 2, abs=0.02)


def test_every_place_is_hidden_sometimes():
    often = draw_masks(4000, (4, 4), rng()).mean(0)
    assert often.min() > 0.4 * often.max()


def test_what_is_hidden_lies_together():
    """In blocks far more hidden patches have a hidden neighbour than of as many strewn about."""
    masks = draw_masks(400, (14, 14), rng())
    strewn = rng().permuted(masks, axis=1)

    def beside(masks):
        grids = masks.reshape(-1, 14, 14)
        return (grids[:, :, 1:] & grids[:, :, :-1]).sum()

    assert beside(masks) > 1.8 * beside(strewn)


def test_the_seed_draws_the_masks():
    one, same, other = (draw_masks(30, (5, 4), rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_no_pictures_and_a_single_patch():
    assert draw_masks(0, (4, 4), rng()).shape == (0, 16)
    assert set(draw_masks(50, (1, 1), rng()).ravel()) == {False, True}


@pytest.fixture
def teacher(pocket_vit):
    """A student with its teacher, a little apart, with a centre that is not nothing."""
    student = FaceModel.create(pocket_vit, NO_FILE, QUICK, 0)
    standardise_patches(student, CROPS.images)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        student.patch_head.centre.copy_(torch.rand(4, 32, generator=generator) - 0.5)
        teacher = Teacher(student)
        for value in student.parameters():
            value.add_(0.02 * torch.randn(value.shape, generator=generator))
    return teacher


def test_the_step_is_that_of_the_published_rule(teacher):
    """The student sees the masked view, the teacher the same view whole; heads and loss slowly."""
    student, slow = teacher.student, teacher.model
    mask = torch.tensor(draw_masks(len(IMAGES), (4, 4), rng(5)))
    assert 0 < mask.any(1).sum() < len(mask)
    with torch.no_grad():
        every = torch.ones_like(mask)
        told = (
            slow.patch_head.chosen(slow.tokens(IMAGES)[1], every).unflatten(0, mask.shape).numpy()
        )
        values, tokens = student.tokens(IMAGES, mask)
        guessed = student.patch_head.chosen(tokens, every).unflatten(0, mask.shape).numpy()
        expected = student.head(student.tail(values))
    centre = slow.patch_head.centre.numpy().copy()
    slow_loss = SlowLoss(centre, QUICK.teacher_temperature, QUICK.student_temperature)
    outputs, loss = MaskedPatches(teacher, rng(5))(IMAGES)
    torch.testing.assert_close(outputs, expected)
    assert loss.item() == pytest.approx(
        masked_loss_slowly(slow_loss, told, guessed, mask.numpy()), rel=1e-4
    )
    moved = CENTRE_MOMENTUM * centre + (1 - CENTRE_MOMENTUM) * told[mask.numpy()].mean(0)
    np.testing.assert_allclose(student.patch_head.centre.numpy(), moved, atol=1e-5)
    np.testing.assert_array_equal(slow.patch_head.centre.numpy(), centre)  # until it follows


def test_nothing_hidden_is_no_loss(teacher, monkeypatch):
    monkeypatch.setattr(room, "draw_masks", lambda count, grid, rng: np.zeros((count, 16), bool))
    student = teacher.student
    centre = student.patch_head.centre.clone()
    outputs, loss = MaskedPatches(teacher, rng())(IMAGES)
    assert loss.item() == 0
    assert torch.equal(student.patch_head.centre, centre)
    torch.testing.assert_close(outputs, student(IMAGES))
    (outputs.sum() + loss).backward()
    assert all(v.grad is None or v.grad.isfinite().all() for v in student.parameters())


def test_the_loss_of_patches_trains_the_student_alone(teacher):
    _, loss = MaskedPatches(teacher, rng())(IMAGES)
    loss.backward()
    student = teacher.student
    for name, value in student.patch_head.named_parameters():
        assert value.grad.abs().sum() > 0, name
    assert student.backbone.mask_token.grad.abs().sum() > 0
    assert student.backbone.cut.weight.grad.abs().sum() > 0
    assert all(value.grad is None for value in student.head.parameters())
    assert all(value.grad is None for value in teacher.model.parameters())


def test_without_a_second_head_there_are_no_masked_patches(pocket, pocket_vit):
    for spec, config in [
        (pocket, QUICK),
        (pocket_vit, QUICK.model_copy(update={"patches": False})),
    ]:
        model = FaceModel.create(spec, NO_FILE, config, 0)
        standardise_patches(model, CROPS.images)  # has nothing to do
        with pytest.raises(TypeError, match="patch tokens"):
            MaskedPatches(Teacher(model), rng())


@pytest.mark.parametrize(("count", "repeated"), [(1, 1), (3, 1), (20, 1), (20, 5)])
def test_the_second_head_is_standardised_place_by_place(pocket_vit, monkeypatch, count, repeated):
    """By all crops where they are few, and by as many as are to be looked at, spread evenly."""
    monkeypatch.setattr(room, "SAMPLE", 20)
    images = CROPS.images[:count]
    model = FaceModel.create(pocket_vit, NO_FILE, QUICK, 0)
    standardise_patches(model, np.repeat(images, repeated, axis=0))
    with torch.no_grad():
        tokens = model.tokens(torch.tensor(images))[1].double().numpy()
    mean, deviation = tokens.mean(0), np.maximum(tokens.std(0), 1e-6)
    np.testing.assert_allclose(model.patch_head.mean, mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.patch_head.deviation, deviation, rtol=1e-3, atol=1e-5)


@functools.cache
def tuned(seed):
    """Return the student and the teacher, tuned to the drawn people, and the student's start."""
    kept = []

    class Keeper(Teacher):
        def __init__(self, student):
            super().__init__(student)
            kept.append(self.model)
            kept.append(FaceModel.create(POCKET_VIT, NO_FILE, QUICK_VIT, seed).eval())
            kept[1].load_state_dict(student.state_dict())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "Teacher", Keeper)
        student = finetune_model(CROPS, POCKET_VIT, NO_FILE, QUICK_VIT, seed=seed)
    return student, *kept


@torch.no_grad()
def missed(student, teacher, shuffled=False):
    """Return the loss of masked patches in views of all crops, and what the teacher's side tells.

    Shuffled, the teacher sees each picture in the place of another one.
    """
    images = Augmentation(77)(torch.tensor(CROPS.images).repeat(3, 1, 1, 1))
    mask = torch.tensor(draw_masks(len(images), (4, 4), rng(9)))
    seen = images[rng(1).permutation(len(images))] if shuffled else images
    p = teacher.patch_head.chosen(teacher.tokens(seen)[1], mask)
    p = probabilities(p, teacher.patch_head.centre, QUICK_VIT.teacher_temperature)
    log_q = student.student_side(student.patch_head.chosen(student.tokens(images, mask)[1], mask))
    return cross_entropy(p, log_q).mean().item(), information(p).item()


SEEDS = pytest.mark.parametrize("seed", [0, 1])


@SEEDS
def test_hidden_patches_come_to_be_predicted(pocket_vit, seed):
    """Better than at the start, and from the picture itself: those of another one are missed."""
    student, teacher, start = tuned(seed)
    before, told_before = missed(start, start)
    after, told = missed(student, teacher)
    assert after < 0.9 * before
    assert after < 0.85 * missed(student, teacher, shuffled=True)[0]
    assert told > 0.8 * told_before  # not because all patches got one answer


@SEEDS
def test_the_people_are_told_apart(pocket_vit, seed):
    student, _, _ = tuned(seed)
    found = score(
        cluster_crops(CROPS, TRACKS, student, ClusterConfig(rule="loss-nearest"), seed=seed).label,
        [str(p) for p in PEOPLE],
    )
    assert found.bcubed_f1 == 1.0
    assert found.predicted == 4
    told = [row["information"] for row in student.log if "information" in row]
    assert np.mean(told[-20:]) > np.mean(told[:20])
    assert student.events == []


def test_only_joint_steps_have_masked_patches(pocket_vit):
    log = finetune_model(CROPS, pocket_vit, NO_FILE, SHORT).log
    steps = [row for row in log if row["stage"] != "matching"]
    assert {row["stage"] for row in steps if "patches" in row} == {"round 1", "round 2"}
    assert all(("patches" in row) == row["stage"].startswith("round") for row in steps)
    assert all(0 <= row["patches"] < row["loss"] for row in steps if "patches" in row)


def test_the_second_head_waits_for_the_joint_rounds(pocket_vit):
    model = finetune_model(CROPS, pocket_vit, NO_FILE, SHORT.model_copy(update={"rounds": 0}))
    drawn = FaceModel.create(pocket_vit, NO_FILE, SHORT, 0)
    for name, value in drawn.patch_head.named_parameters():
        assert torch.equal(model.patch_head.get_parameter(name), value)
    assert not torch.equal(model.patch_head.mean, drawn.patch_head.mean)
    joint = finetune_model(CROPS, pocket_vit, NO_FILE, SHORT)
    for name, value in drawn.patch_head.named_parameters():
        assert not torch.equal(joint.patch_head.get_parameter(name), value)
    assert not torch.equal(joint.backbone.mask_token, drawn.backbone.mask_token)


def test_switched_off_it_leaves_no_trace(pocket_vit):
    model = finetune_model(CROPS, pocket_vit, NO_FILE, SHORT.model_copy(update={"patches": False}))
    drawn = FaceModel.create(pocket_vit, NO_FILE, SHORT, 0)
    assert model.patch_head is None
    assert not any("patches" in row for row in model.log)
    assert set(drawn.state_dict()) - set(model.state_dict()) == {
        f"patch_head.{name}" for name in drawn.patch_head.state_dict()
    }


def test_the_same_seed_writes_the_same_bytes(pocket_vit, tmp_path):
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        finetune_model(CROPS, pocket_vit, NO_FILE, SHORT, seed=seed).save(tmp_path / name)
    one, same, other = ((tmp_path / name).read_bytes() for name in ("one", "same", "other"))
    assert one == same
    assert one != other


@pytest.mark.parametrize("changes", [{}, {"rounds": 0}, {"patches": False}])
def test_progress_rises_to_its_total(pocket_vit, changes):
    told = []
    config = SHORT.model_copy(update=changes)
    finetune_model(CROPS, pocket_vit, NO_FILE, config, progress=lambda *now: told.append(now))
    done, total = zip(*told, strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == total[0] == max(total)


@pytest.mark.parametrize("counts", [[1, 1], [2, 0, 1]])
def test_a_handful_of_crops_can_be_tuned(pocket_vit, counts):
    model = finetune_model(draw_crops(range(len(counts)), counts), pocket_vit, NO_FILE, SHORT)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    assert model.events == []


def test_collapse_puts_the_second_head_back_too(pocket_vit, monkeypatch):
    """Both copies of it, its centre included, whatever a broken loss has made of them."""
    real, calls, starts = room.masked_cross_entropy, [], []

    def broken(p, log_q, mask):
        calls.append(None)
        return real(p, log_q, mask) * (float("nan") if len(calls) % 3 == 0 else 1.0)

    def spy(stage, teacher, *others):
        if stage.name == "round 1":
            networks = teacher.student.patch_head, teacher.model.patch_head
            starts.append([{n: v.clone() for n, v in h.state_dict().items()} for h in networks])
        return distil(stage, teacher, *others)

    distil = steps.distil
    monkeypatch.setattr(room, "masked_cross_entropy", broken)
    monkeypatch.setattr(steps, "distil", spy)
    model = finetune_model(CROPS, pocket_vit, NO_FILE, SHORT.model_copy(update={"passes": 2.5}))
    assert len(starts) == steps.TRIES
    for start in starts:
        for head, first in zip(start, starts[0], strict=True):
            assert all(torch.equal(value, first[name]) for name, value in head.items())
    assert all(torch.equal(v, starts[0][0][n]) for n, v in model.patch_head.state_dict().items())
    assert model.events[-1] == "The backbone was left as it came."
