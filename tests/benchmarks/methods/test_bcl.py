"""Ball cluster learning: its loss, its teacher, and the threshold it learns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks.methods import METHODS, bcl
from benchmarks.methods.bcl import Balls, ball_loss, group, lessons, train
from tests.benchmarks.methods.drawn import alike, draw_film


def taught(*people: int, name: str = "{}"):
    """Return a teacher: a film of so many people each, by names that films share."""
    films = [draw_film(count, 3, seed=10 + i) for i, count in enumerate(people)]
    return [(film, np.array([name.format(i) for i in who])) for film, who in films]


def test_the_loss_is_what_lacks_to_being_within_a_ball_and_far_from_the_next():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    who, radius = rng.integers(0, 4, 20) * 7, 0.2
    centres = {}
    for person in set(who.tolist()):
        mean = points[who == person].mean(axis=0)
        centres[person] = mean / np.linalg.norm(mean)
    pull = push = 0.0
    for point, person in zip(points, who.tolist(), strict=True):
        away = {other: ((point - centre) ** 2).sum() for other, centre in centres.items()}
        pull += max(0.0, away.pop(person) - radius) / 20
        push += max(0.0, 9 * radius + 0.05 - min(away.values())) / 20
    found = ball_loss(*map(torch.as_tensor, (points, who, radius)))
    assert found.item() == pytest.approx(4 * pull + push)


def test_only_named_tracks_are_learned_from_and_one_name_is_one_person():
    film, who = draw_film(3, 2, crops=2)
    names = np.array(["a", "", "b", "a", "c", ""])
    for of_tracks, values in ((True, film.means), (False, film.unit)):
        found, whose = lessons([(film, names), (film, names)], of_tracks=of_tracks)
        spread = names if of_tracks else names[film.track]
        assert np.array_equal(found, np.concatenate([values[spread != ""]] * 2))
        assert np.array_equal(whose, np.concatenate([spread[spread != ""]] * 2))
    assert len(who) == 6


def test_people_like_those_of_the_teacher_are_found_though_nothing_is_told():
    film, who = draw_film(4, 3)
    teacher = taught(4, 4)
    labels = METHODS["BCL"].group(film, [None], 1, teacher)[0]
    assert alike(labels, who)
    assert labels.dtype == np.int64
    first, second, other = (train(teacher, seed, 5)[0] for seed in (1, 1, 2))
    with torch.no_grad():
        seen = torch.ones(1, 12)
        assert torch.equal(first(seen), second(seen))
        assert not torch.equal(first(seen), other(seen))
    assert first.radius.item() == second.radius.item()


def test_training_lowers_the_loss_and_moves_the_radius():
    teacher = taught(4, 4)
    start = Balls(12, torch.Generator().manual_seed(0)).radius.item()
    balls, losses = train(teacher, 0, 60)
    assert losses[-1] < 0.5 * losses[0]
    assert 0 < balls.radius.item() < start


@pytest.mark.parametrize("falls", [True, False])
def test_people_held_out_decide_which_balls_are_kept(monkeypatch, falls):
    """Ten people leave two to hold out; of their scores, the best one has the balls."""
    teacher, asked = taught(10, 10), []

    def fake(labels, names):
        asked.append(set(names))
        return SimpleNamespace(bcubed_f1=1 / len(asked) if falls else len(asked))

    early = train(teacher, 0, 20)[0]
    monkeypatch.setattr(bcl, "score", fake)
    kept = train(teacher, 0, 40)[0]
    equal = torch.equal(kept.layers[0].weight, early.layers[0].weight)
    assert equal == falls
    assert len(asked[0]) == 2
    assert asked == [asked[0]] * 2


@pytest.mark.parametrize("tracks", [0, 1])
def test_hardly_anybody_needs_no_teacher(tracks):
    assert group(draw_film(tracks, tracks)[0], [None], 0, [])[0].tolist() == [0] * tracks


@pytest.mark.parametrize("teacher", [[], taught(0), taught(1), taught(3, name="")])
def test_a_teacher_must_name_two_people(teacher):
    with pytest.raises(ValueError, match="two named people"):
        group(draw_film(2, 1)[0], [None], 0, teacher)


def test_one_crop_each_and_nobody_who_meets():
    film, who = draw_film(3, 2, crops=1, meet=False)
    assert alike(group(film, [None], 0, taught(3, 3))[0], who)


def test_only_who_learns_is_shown_a_teacher():
    film, _ = draw_film(2, 2)
    assert [name for name, row in METHODS.items() if row.learns] == ["BCL"]
    assert len(METHODS["TSiam"].group(film, [1.0], teacher=taught(2))[0]) == 4
