"""Collapse is seen, undone and told; what only looks like it is left alone."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from tests.pocket import NO_FILE, QUICK, draw_crops, load
from videoclusternet.finetune import distil as step_room
from videoclusternet.finetune.distil import SLOWER, TRIES
from videoclusternet.finetune.guard import LEAST, CollapseError, Snapshot, Watch
from videoclusternet.finetune.train import finetune_model
from videoclusternet.models.face_model import FaceModel

CROPS = draw_crops([0, 1, 2, 0, 1, 3], [4, 3, 4, 3, 5, 2])


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("people", [1, 2])
def test_a_loss_that_is_no_number_is_collapse(loss, people):
    with pytest.raises(CollapseError, match="no longer a number"):
        Watch().look(loss, 1.0, people)
    with pytest.raises(CollapseError, match="no longer a number"):
        Watch().look(1.0, math.nan, people)


def test_what_is_lost_is_measured_by_the_best_so_far():
    watch = Watch()
    for told in (0.5, 2.0, 1.0, 2.0 * LEAST * 1.01):
        watch.look(3.0, told, 5)
    with pytest.raises(CollapseError, match="the same answer"):
        watch.look(3.0, 2.0 * LEAST * 0.99, 5)


def test_little_from_the_start_is_no_loss():
    watch = Watch()
    for told in (0.01, 0.005, 0.02):
        watch.look(3.0, told, 5)


def test_one_person_may_have_one_answer():
    watch = Watch()
    watch.look(3.0, 2.0, 1)
    watch.look(3.0, 0.0, 1)


def take_steps(optimiser, network, seed, steps=3):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimiser.zero_grad()
        network(torch.rand(4, 3, generator=generator)).square().sum().backward()
        optimiser.step()


def test_a_snapshot_goes_back_to_the_same_future():
    """Networks and optimiser, its moments included, go on as if nothing had been in between."""
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).train()
    other = torch.nn.Linear(2, 2)
    optimiser = torch.optim.AdamW([{"params": network.parameters(), "rate": 0.5}], lr=0.1)
    take_steps(optimiser, network, 0)
    snapshot = Snapshot(optimiser, network, other)
    before = copy.deepcopy((network.state_dict(), other.state_dict()))
    futures = []
    for _ in range(3):
        take_steps(optimiser, network, 1)
        futures.append(copy.deepcopy(network.state_dict()))
        torch.nn.init.zeros_(other.weight)
        optimiser.param_groups[0]["rate"] = 99.0
        snapshot.restore()
        for state, expected in zip((network, other), before, strict=True):
            assert all(torch.equal(v, expected[n]) for n, v in state.state_dict().items())
        assert optimiser.param_groups[0]["rate"] == 0.5
    for future in futures[1:]:
        assert all(torch.equal(value, future[name]) for name, value in futures[0].items())
    assert not torch.equal(futures[0]["0.weight"], before[0]["0.weight"])


@pytest.fixture
def tries(monkeypatch):
    """What every try at a stage started with: its name, its rates, the student and the teacher."""
    real, seen = step_room.distil, []

    def spy(stage, teacher, watch, stepped):
        networks = copy.deepcopy((teacher.student.state_dict(), teacher.model.state_dict()))
        rates = [group["rate"] for group in stage.optimiser.param_groups]
        seen.append((stage.name, rates, *networks))
        real(stage, teacher, watch, stepped)

    monkeypatch.setattr(step_room, "distil", spy)
    return seen


def break_losses(monkeypatch, *steps):
    """Make the loss of these steps, counted through all stages, no number."""
    real, calls = step_room.cross_entropy, []

    def broken(p, log_q):
        calls.append(None)
        return real(p, log_q) * (math.nan if len(calls) - 1 in steps else 1.0)

    monkeypatch.setattr(step_room, "cross_entropy", broken)


def same(state, other):
    return all(torch.equal(value, other[name]) for name, value in state.items())


def test_a_broken_loss_is_undone_and_tried_again_more_slowly(pocket, monkeypatch, tries):
    head = math.ceil(QUICK.head_passes * len(CROPS) / QUICK.batch)  # steps of the stage in front
    break_losses(monkeypatch, head + 3)
    model = finetune_model(CROPS, pocket, NO_FILE, QUICK)
    assert [name for name, *_ in tries] == ["head", "round 1", "round 1", "round 2"]
    (_, rates, *before), (_, slower, *again) = tries[1:3]
    assert rates == [QUICK.backbone_rate, QUICK.head_rate]
    assert slower == pytest.approx([rate * SLOWER for rate in rates])
    assert tries[3][1] == slower  # what was too fast stays slow
    assert all(same(*pair) for pair in zip(before, again, strict=True))
    assert len(model.events) == 1
    assert "'round 1'" in model.events[0]
    assert "no longer a number" in model.events[0]
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_a_head_that_never_trains_is_left_as_it_was_drawn(pocket, monkeypatch, tries):
    break_losses(monkeypatch, *range(10_000))
    told = []
    model = finetune_model(CROPS, pocket, NO_FILE, QUICK, progress=lambda *now: told.append(now))
    drawn = FaceModel.create(pocket, NO_FILE, QUICK, 0)
    assert [name for name, *_ in tries] == ["head"] * TRIES
    assert model.events[-1] == "The head was left as it was drawn."
    assert len(model.events) == TRIES + 1
    assert [row["stage"] for row in model.log] == ["matching"]
    for name, value in drawn.named_parameters():
        assert torch.equal(model.get_parameter(name), value)
    assert told[-1][0] == told[-1][1]


def test_real_collapse_leaves_the_backbone_as_it_came(pocket, tries):
    told = []
    config = QUICK.model_copy(update={"backbone_rate": 1.0})
    model = finetune_model(CROPS, pocket, NO_FILE, config, progress=lambda *now: told.append(now))
    names = [name for name, *_ in tries]
    assert names[-TRIES:] == [names[-1]] * TRIES
    assert names[-1].startswith("round")
    assert sum("the same answer" in event for event in model.events) == TRIES
    assert model.events[-1] == "The backbone was left as it came."
    assert same(load(None).state_dict(), model.backbone.state_dict())
    trained = next(student for name, _, student, _ in tries if name == "round 1")
    assert same(trained, model.state_dict())  # the head is the one trained on it
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize("seed", range(2))
def test_a_film_of_one_person_is_no_collapse(pocket, monkeypatch, seed):
    real, people = step_room.distil, []

    def spy(stage, *others):
        people.append(stage.people)
        real(stage, *others)

    monkeypatch.setattr(step_room, "distil", spy)
    crops = draw_crops([0] * 7, [4, 3, 4, 0, 3, 5, 2], noise=5)
    model = finetune_model(crops, pocket, NO_FILE, QUICK, seed=seed)
    assert people == [1, 1, 1]  # the track without a crop is nobody
    matches = [row["matches"] for row in model.log if row["stage"] == "matching"]
    assert matches == [30, 30]
    assert model.events == []


def test_sound_training_is_let_alone(pocket):
    assert finetune_model(CROPS, pocket, NO_FILE, QUICK).events == []


def small_gpu(monkeypatch, room_for):
    """Let networks that are trained have memory for so many crops at a time."""
    real = FaceModel.forward

    def forward(self, images):
        if torch.is_grad_enabled() and len(images) > room_for:
            raise torch.OutOfMemoryError
        return real(self, images)

    monkeypatch.setattr(FaceModel, "forward", forward)


def test_a_step_that_is_too_large_is_done_in_pieces(pocket, monkeypatch, tries):
    small_gpu(monkeypatch, math.ceil(QUICK.batch / 4))
    model = finetune_model(CROPS, pocket, NO_FILE, QUICK)
    assert [name for name, *_ in tries] == ["head", "round 1", "round 1", "round 1", "round 2"]
    assert all(same(state, tries[1][2]) for _, _, state, _ in tries[2:4])
    assert [rates for _, rates, *_ in tries[1:]] == [tries[1][1]] * 4
    assert model.events == [
        f"In the stage 'round 1' the GPU's memory was too small: steps in {parts} parts."
        for parts in (2, 4)
    ]


def test_where_no_crop_has_room_nothing_is_hidden(pocket, monkeypatch):
    small_gpu(monkeypatch, 0)
    with pytest.raises(torch.OutOfMemoryError):
        finetune_model(CROPS, pocket, NO_FILE, QUICK)
