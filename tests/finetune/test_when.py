"""Tuning goes on while it helps, is skipped where nothing tells, and matches by average linkage."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.clustering.test_group import links_of
from tests.finetune.test_train import COUNTS, CROPS, PEOPLE, quick, same_backbone
from tests.pocket import NO_FILE, load
from videoclusternet.finetune import held_out
from videoclusternet.finetune.held_out import HeldOut
from videoclusternet.finetune.linked import match_by_linkage
from videoclusternet.finetune.train import finetune_model
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import THREAD, TOGETHER, Links
from videoclusternet.said import Said

SHOWN = links_of(  # two set-ups, of which the first is held out, and strangers
    (0, 4, THREAD), (1, 5, THREAD), (0, 1, TOGETHER), (2, 3, TOGETHER)
)
WHILE = quick(when="helps", matching="linkage")


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(held_out, "FEWEST", 1)


def test_a_film_that_shows_too_little_is_left_alone(pocket):
    told = []
    model = finetune_model(
        CROPS, pocket, NO_FILE, WHILE, links=SHOWN, progress=lambda *now: told.append(now)
    )
    assert same_backbone(model)
    assert not model.tuned
    assert (model.log, told) == ([], [(1, 1)])
    (event,) = model.events
    assert "too few camera set-ups return" in event


@pytest.mark.parametrize("change", [{"rounds": 0}, {"when": "never"}])
def test_the_settings_may_leave_it_alone(pocket, few, change):
    config = WHILE.model_copy(update=change)
    model = finetune_model(CROPS, pocket, NO_FILE, config, links=SHOWN)
    (event,) = model.events
    assert "tuning is off" in event
    assert same_backbone(model)


def test_a_rule_that_needs_a_head_is_always_given_one(pocket):
    model = finetune_model(CROPS, pocket, NO_FILE, quick(rounds=0))
    assert model.log[-1]["stage"] == "head"


@pytest.mark.parametrize(
    ("separations", "rounds"), [([1.0, 2.0, 3.0], 2), ([1.0, 2.0, 1.5], 1), ([1.0, 0.9], 0)]
)
def test_rounds_stay_as_long_as_what_is_held_out_stands_out_better(
    pocket, few, monkeypatch, separations, rounds
):
    answers = iter(separations)
    monkeypatch.setattr(HeldOut, "separated", lambda *_: next(answers))
    model = finetune_model(CROPS, pocket, NO_FILE, WHILE, links=SHOWN)
    assert model.tuned == (rounds > 0)
    assert same_backbone(model) == (rounds == 0)
    measured = [row["separation"] for row in model.log if row["stage"] == "held out"]
    assert measured == separations[1:]
    helped = [event.startswith("Tuning helped") for event in model.events]
    assert helped == [True] * rounds + [False] * (len(separations) - 1 - rounds)


def test_what_is_given_up_leaves_the_rounds_before_it(pocket, few, monkeypatch):
    def run(*separations):
        answers = iter(separations)
        monkeypatch.setattr(HeldOut, "separated", lambda *_: next(answers))
        return finetune_model(CROPS, pocket, NO_FILE, WHILE, links=SHOWN).state_dict()

    given_up, kept = run(1.0, 2.0, 1.5), run(1.0, 2.0, 3.0)
    assert any(not torch.equal(value, kept[name]) for name, value in given_up.items())


def test_what_is_held_out_is_never_matched(pocket, few):
    model = finetune_model(CROPS, pocket, NO_FILE, WHILE, links=SHOWN)
    for row in model.log:
        if row["stage"] == "matching":
            assert [0, 4] not in row["pairs"]
            assert [4, 0] not in row["pairs"]
    assert any([1, 5] in row.get("pairs", ()) for row in model.log)


def test_a_tuned_network_remembers_that_it_is(pocket, few, monkeypatch, tmp_path):
    answers = iter([1.0, 2.0, 3.0])
    monkeypatch.setattr(HeldOut, "separated", lambda *_: next(answers))
    model = finetune_model(CROPS, pocket, NO_FILE, WHILE, links=SHOWN)
    model.save(tmp_path / "model.safetensors")
    assert FaceModel.load(tmp_path / "model.safetensors").tuned
    assert model.strangers is None


class TestMatching:
    @pytest.fixture
    def model(self, pocket):
        return FaceModel(pocket, load(None), quick())

    def match(self, model, links=None, said=None):
        rng = np.random.default_rng(0)
        people = np.repeat(PEOPLE, COUNTS)
        embeddings = np.eye(8)[people] + 0.15 * rng.normal(size=(len(people), 8))
        embeddings += 0.2 * np.repeat(rng.normal(size=(len(COUNTS), 8)), COUNTS, axis=0)
        embeddings = torch.tensor(embeddings[:, None], dtype=torch.float32)
        said = Said.nothing(len(COUNTS)) if said is None else said
        return match_by_linkage(model, embeddings, CROPS, links or Links.empty(), said)

    def test_matches_go_both_ways_and_chain(self, model):
        matches = self.match(model)
        np.testing.assert_array_equal(matches, matches.T)
        assert not matches.diagonal().any()
        reach = matches | np.eye(len(COUNTS), dtype=bool)
        np.testing.assert_array_equal(reach, reach.astype(int) @ reach.astype(int) > 0)

    def test_they_are_of_one_person(self, model):
        left, right = np.nonzero(self.match(model))
        assert len(left) > 4
        assert all(PEOPLE[a] == PEOPLE[b] for a, b in zip(left, right, strict=True))

    def test_what_the_film_shows_is_obeyed(self, model):
        assert self.match(model, links_of((3, 9, THREAD)))[3, 9]
        assert not self.match(model, links_of((0, 1, THREAD)))[0, 1]  # somebody else sits there
        assert not self.match(model, links_of((0, 4, TOGETHER)))[0, 4]
