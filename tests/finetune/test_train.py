"""The whole of it on drawn people: what is tuned, what is not, and that it serves its purpose."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from tests.clustering.drawn import cluster_crops, one_by_one
from tests.pocket import NO_FILE, POCKET, QUICK, draw_crops, load
from videoclusternet.config import ClusterConfig
from videoclusternet.finetune import distil as step_room
from videoclusternet.finetune import train as room
from videoclusternet.finetune.pairs import ACROSS
from videoclusternet.finetune.teacher import Teacher
from videoclusternet.finetune.train import finetune_model
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Crops
from videoclusternet.results.metrics import score

PEOPLE = [0, 1, 2, 3, 0, 1, 2, 0, 1, 3]
COUNTS = [5, 4, 6, 5, 3, 5, 4, 1, 2, 4]
CROPS = draw_crops(PEOPLE, COUNTS)
TRACKS = one_by_one(len(CROPS.counts))
NAMES = [str(person) for person in PEOPLE]


def quick(**changes):
    return QUICK.model_copy(update=changes)


def saved(model, path):
    model.save(path)
    return path.read_bytes()


def same_backbone(model):
    came, now = load(None).state_dict(), model.backbone.state_dict()
    return all(torch.equal(value, now[name]) for name, value in came.items())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rounds", [0, 2])
def test_tuning_finds_the_people(pocket, seed, rounds):
    model = finetune_model(CROPS, pocket, NO_FILE, quick(rounds=rounds), seed=seed)
    found = score(
        cluster_crops(CROPS, TRACKS, model, ClusterConfig(rule="loss-nearest"), seed=seed).label,
        NAMES,
    )
    assert found.bcubed_f1 == 1.0
    assert found.predicted == 4
    drawn = finetune_model(CROPS, pocket, NO_FILE, quick(head_passes=0, rounds=0), seed=seed)
    untuned = cluster_crops(CROPS, TRACKS, drawn, ClusterConfig(rule="loss-nearest"), seed=seed)
    assert score(untuned.label, NAMES).bcubed_f1 < 1.0


@pytest.fixture
def drawn_pairs(monkeypatch):
    """The tracks of the pairs (2, n) that each stage drew, by its name, and what it could draw."""
    real, seen = step_room.distil, {}

    def spy(stage, *others):
        draw, pairs = stage.sampler.draw, []

        def drawing(size):
            sides = draw(size)
            pairs.append(CROPS.track[np.stack(sides)])
            return sides

        stage.sampler.draw = drawing
        real(stage, *others)
        matches = np.zeros((len(COUNTS),) * 2, bool)
        for track, partners in enumerate(stage.sampler.partners):
            matches[track, partners] = True
        seen[stage.name] = np.concatenate(pairs, axis=1), matches

    monkeypatch.setattr(step_room, "distil", spy)
    return seen


@pytest.mark.parametrize("matching", ["principal", "tsne"])
def test_coarse_matches_are_of_one_person_and_get_their_pairs(pocket, drawn_pairs, matching):
    """In the head's own training, too. So small a t-SNE matches strangers as well."""
    model = finetune_model(CROPS, pocket, NO_FILE, quick(matching=matching))
    assert list(drawn_pairs) == ["head", "round 1", "round 2"]
    strangers = ~np.equal.outer(PEOPLE, PEOPLE)
    for (left, right), matches in drawn_pairs.values():
        assert matches.any()
        assert matching == "tsne" or not matches[strangers].any()
        assert np.count_nonzero(matches & ~strangers) > np.count_nonzero(matches & strangers)
        assert np.all((left == right) | matches[left, right])
        matched = matches.any(1)[left]
        assert np.mean((left != right)[matched]) == pytest.approx(ACROSS, abs=0.15)
    told = [(row["round"], row["matches"]) for row in model.log if row["stage"] == "matching"]
    head, first, second = (int(matches.sum()) for _, matches in drawn_pairs.values())
    assert told == [(0, head), (2, second)]
    assert model.log[0]["stage"] == "matching"
    assert first == head  # nothing about the backbone is new before its first round


@pytest.mark.parametrize("matching", ["principal", "tsne"])
def test_the_setting_chooses_the_space_of_the_matches(pocket, monkeypatch, matching):
    real, seen = room.match_tracks, []

    def spy(embeddings, counts, **how):
        seen.append(how)
        return real(embeddings, counts, **how)

    monkeypatch.setattr(room, "match_tracks", spy)
    finetune_model(
        CROPS, pocket, NO_FILE, quick(matching=matching, head_passes=1, passes=1), seed=5
    )
    assert seen == [{"tsne": matching == "tsne", "seed": 5}] * 2


def test_the_same_seed_writes_the_same_bytes(pocket, tmp_path):
    one, same, other = (
        saved(finetune_model(CROPS, pocket, NO_FILE, QUICK, seed=seed), tmp_path / str(seed))
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_nobody_elses_random_numbers_are_used(pocket):
    torch.manual_seed(3)
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one = finetune_model(CROPS, pocket, NO_FILE, quick(rounds=1))
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002
    torch.manual_seed(4)
    same = finetune_model(CROPS, pocket, NO_FILE, quick(rounds=1))
    assert one.log == same.log


def test_the_head_is_trained_in_front_of_a_frozen_backbone(pocket):
    model = finetune_model(CROPS, pocket, NO_FILE, quick(rounds=0))
    assert same_backbone(model)
    drawn = FaceModel.create(pocket, NO_FILE, quick(rounds=0), 0)
    for name, value in drawn.head.named_parameters():
        assert not torch.equal(model.head.get_parameter(name), value)
    assert model.centre.abs().sum() > 0
    assert not model.training


def test_joint_rounds_train_the_backbone_and_leave_its_statistics(pocket):
    model = finetune_model(CROPS, pocket, NO_FILE, QUICK)
    came = load(None)
    for name, value in came.named_parameters():
        assert not torch.equal(model.backbone.get_parameter(name), value)
    for name, value in came.named_buffers():
        assert torch.equal(model.backbone.get_buffer(name), value)
    assert not model.training


def test_statistics_of_batch_normalisation_never_move_in_either_copy(pocket, monkeypatch):
    """They would in training mode, as a pass of the same network in it shows."""
    kept = []

    class Keeper(Teacher):
        def __init__(self, student):
            super().__init__(student)
            kept.append(self)

    monkeypatch.setattr(room, "Teacher", Keeper)
    model = finetune_model(CROPS, pocket, NO_FILE, quick(passes=3))
    loose = FaceModel.create(pocket, NO_FILE, QUICK, 0).train()
    loose(torch.tensor(CROPS.images))
    came = load(None).norm
    for name, value in came.named_buffers():
        assert not torch.equal(loose.backbone.norm.get_buffer(name), value)
        for network in (model, kept[0].student, kept[0].model):
            assert torch.equal(network.backbone.norm.get_buffer(name), value)
    assert int(model.backbone.norm.num_batches_tracked) == 0


def test_the_head_is_standardised_by_the_film(pocket):
    model = finetune_model(CROPS, pocket, NO_FILE, quick(rounds=0, views=1))
    with torch.no_grad():
        embeddings = model.tail(model.trunk(torch.tensor(CROPS.images)))
    torch.testing.assert_close(model.head.mean, embeddings.mean(0))
    torch.testing.assert_close(model.head.deviation, embeddings.std(0, correction=0))


def steps_of(passes, crops):
    return math.ceil(passes * crops / QUICK.batch)


@pytest.mark.parametrize(
    "counts", [[2, 2], [3, 0, 1, 2], [1] * 10, [9] * 3], ids=["two", "one empty", "ten", "long"]
)
def test_steps_follow_from_the_number_of_crops(pocket, counts):
    crops = draw_crops(range(len(counts)), counts)
    log = finetune_model(crops, pocket, NO_FILE, QUICK).log
    steps = steps_of(QUICK.passes, sum(counts))
    stages = ["matching"] + ["head"] * steps_of(QUICK.head_passes, sum(counts))
    stages += ["round 1"] * steps + ["matching"] + ["round 2"] * steps
    assert [row["stage"] for row in log] == stages
    joint = [row["step"] for row in log if row["stage"].startswith("round")]
    assert joint == list(range(2 * steps))  # one schedule over all rounds
    assert [row["round"] for row in log if row["stage"] == "matching"] == [0, 2]


def test_rates_and_momentum_have_one_schedule_over_all_rounds(pocket, monkeypatch):
    real, seen = step_room.distil, []

    def spy(stage, *others):
        seen.append((stage.steps, stage.schedule))
        return real(stage, *others)

    monkeypatch.setattr(step_room, "distil", spy)
    finetune_model(CROPS, pocket, NO_FILE, quick(rounds=3, head_passes=8, passes=4))
    head, joint = steps_of(8, sum(COUNTS)), steps_of(4, sum(COUNTS))
    rounds = [(range(n * joint, (n + 1) * joint), 3 * joint) for n in range(3)]
    assert seen == [(range(head), head), *rounds]


def test_tracks_are_matched_by_the_backbone_as_it_came_then_by_the_teacher(pocket, monkeypatch):
    real, trained = room.embedded_views, []

    def spy(model, *others):
        trained.append(all(value.requires_grad for value in model.parameters()))
        return real(model, *others)

    monkeypatch.setattr(room, "embedded_views", spy)
    finetune_model(CROPS, pocket, NO_FILE, quick(rounds=3))
    assert trained == [True, False, False]  # nothing ever trains the teacher


def test_each_side_is_augmented_on_its_own(pocket, monkeypatch):
    """Two looks at the same crops are two draws, of cached views and of pictures."""
    real, told = step_room.distil, []

    def spy(stage, *others):
        crop = np.arange(len(CROPS))
        one, other = stage.view(crop), stage.view(crop)
        told.append((stage.name, (one != other).flatten(1).any(1).float().mean().item()))
        return real(stage, *others)

    monkeypatch.setattr(step_room, "distil", spy)
    finetune_model(CROPS, pocket, NO_FILE, quick(rounds=1, head_passes=1, passes=1))
    assert [name for name, _ in told] == ["head", "round 1"]
    assert told[0][1] == pytest.approx(1 - 1 / QUICK.views, abs=0.25)
    assert told[1][1] == 1


def test_without_matching_no_pairs_go_across(pocket, drawn_pairs):
    log = finetune_model(CROPS, pocket, NO_FILE, quick(matching="none")).log
    assert [row["matches"] for row in log if row["stage"] == "matching"] == [0, 0]
    assert list(drawn_pairs) == ["head", "round 1", "round 2"]
    for (left, right), matches in drawn_pairs.values():
        assert np.array_equal(left, right)
        assert not matches.any()


@pytest.mark.parametrize("counts", [[], [0, 0], [4], [1], [0, 3, 0]])
def test_fewer_than_two_tracks_leave_all_as_it_came(pocket, counts):
    crops = draw_crops([0] * len(counts), counts)
    model = finetune_model(crops, pocket, NO_FILE, QUICK, seed=4)
    drawn = FaceModel.create(pocket, NO_FILE, QUICK, 4).state_dict()
    assert all(torch.equal(value, drawn[name]) for name, value in model.state_dict().items())
    assert (model.log, model.events) == ([], [])
    assert not model.training


def test_tracks_without_crops_change_nothing(pocket):
    """But the numbers by which the log calls the other tracks."""
    counts = np.insert(CROPS.counts, [0, 4, 10], 0)
    track = np.repeat(np.arange(len(counts)), counts)
    with_empty = dataclasses.replace(CROPS, counts=counts, track=track)
    one, other = (finetune_model(crops, pocket, NO_FILE, QUICK) for crops in (CROPS, with_empty))
    called = np.flatnonzero(counts).tolist()
    for row in one.log:
        if row["stage"] == "matching":
            row["pairs"] = [[called[i], called[j]] for i, j in row["pairs"]]
    assert other.log == one.log
    assert all(torch.equal(v, other.state_dict()[name]) for name, v in one.state_dict().items())


def test_two_tracks_of_one_crop_each_can_be_tuned(pocket):
    model = finetune_model(draw_crops([0, 1], [1, 1]), pocket, NO_FILE, QUICK)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_crops_may_be_a_read_only_map(pocket, tmp_path):
    np.save(tmp_path / "images.npy", CROPS.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    crops: Crops = dataclasses.replace(CROPS, images=mapped)
    one, other = (finetune_model(c, pocket, NO_FILE, quick(rounds=1)) for c in (CROPS, crops))
    assert one.log == other.log


@pytest.mark.parametrize(
    "changes", [{}, {"rounds": 0}, {"rounds": 1, "passes": 0}, {"rounds": 3, "views": 1}]
)
def test_progress_rises_to_its_total(pocket, changes):
    told = []
    finetune_model(CROPS, pocket, NO_FILE, quick(**changes), progress=lambda *now: told.append(now))
    done, total = zip(*told, strict=True)
    assert len(set(total)) == 1
    assert list(done) == sorted(done)
    assert done[-1] == total[0]


def test_training_without_any_pass_is_the_model_as_drawn_and_standardised(pocket):
    model = finetune_model(CROPS, pocket, NO_FILE, quick(head_passes=0, rounds=0))
    drawn = FaceModel.create(pocket, NO_FILE, QUICK, 0)
    for name, value in drawn.named_parameters():
        assert torch.equal(model.get_parameter(name), value)
    assert POCKET.dimension == len(model.head.mean)
