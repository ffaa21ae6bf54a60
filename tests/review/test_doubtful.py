"""What is asked, and in which order; on tracks whose people are known because they were drawn."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from tests.clustering.drawn import draw_outputs, scorer, sides_of
from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.distance import Sides
from videoclusternet.config import ClusterConfig
from videoclusternet.records import TOGETHER, UNKNOWN, Links, Signatures, Tracks
from videoclusternet.review import acts
from videoclusternet.review.doubtful import Evidence
from videoclusternet.review.odds import as_apart, as_joined
from videoclusternet.review.state import State
from videoclusternet.web.pages import enough

CREW = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def drawn(crew: list[int] = CREW, seed: int = 3) -> Signatures:
    """Sign tracks of four crops; those of one person lie close."""
    model, _ = scorer(seed)
    counts = [4] * len(crew)
    sides = sides_of(model, draw_outputs(seed, crew, counts, spread=0.05), counts)
    quality = np.ones(len(crew), np.float32)
    columns = {f.name: getattr(sides, f.name) for f in fields(Sides)}
    return replace(Signatures.empty(), quality=quality, **columns)


def state_of(person: list[int], **facts: object) -> State:
    known = {f"track/{track}": one for track, one in enumerate(person)}
    return State(known | {"next": max(person) + 1} | facts, np.ones(len(person)))


SECONDS = np.full(len(CREW), 10.0)
TRUE = [person + 1 for person in CREW]


def test_who_was_parted_is_asked_of_first() -> None:
    """One person stands as two: of all questions theirs is worth most."""
    evidence = Evidence(state_of([1, 1, 9, *TRUE[3:]]), drawn())
    first = evidence.questions(SECONDS)[0]
    assert (set(first.left), set(first.right)) in (({0, 1}, {2}), ({2}, {0, 1}))
    assert not first.together
    assert first.same > 0.8
    assert first.gain == pytest.approx(10.0 * first.same)


def test_who_was_mixed_is_parted_where_they_meet() -> None:
    state = state_of([1, 1, 1, 1, 1, 1, *TRUE[6:]])
    split = Evidence(state, drawn()).split(1)
    assert {split.left, split.right} == {(0, 1, 2), (3, 4, 5)}
    assert split.together
    assert split.same < 0.5
    first = Evidence(state, drawn()).questions(SECONDS)[0]
    assert {first.left, first.right} == {split.left, split.right}


def test_answers_lead_to_the_truth_and_to_an_end() -> None:
    """However wrong the people are: who answers truly comes to the true ones, and is let go."""
    signatures = drawn()
    state = state_of([1, 2, 1, 2, 2, 3, 4, 4, 5, UNKNOWN, 6, 6])
    for _ in range(60):
        questions = Evidence(state, signatures).questions(SECONDS)
        if not questions:
            break
        one = questions[0]
        if len({CREW[track] for track in (*one.left, *one.right)}) == 1:
            act = acts.same(state, one.left, one.right)
        else:
            act = acts.different(state, one.left, one.right)
        facts = dict(state.facts) | dict(act.changes)
        state = State({k: v for k, v in facts.items() if v is not None}, state.weight)
    assert not Evidence(state, signatures).questions(SECONDS)
    groups = {tuple(state.tracks(person)) for person in state.people}
    assert groups == {(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)}


def test_what_was_answered_is_not_asked_again() -> None:
    state = state_of([1, 1, 9, *TRUE[3:]])
    first = Evidence(state, drawn()).questions(SECONDS)[0]
    key = f"apart/{min(first.left[0], first.right[0])}/{max(first.left[0], first.right[0])}"
    told = state_of([1, 1, 9, *TRUE[3:]], **{key: True})
    pairs = {(q.left, q.right) for q in Evidence(told, drawn()).questions(SECONDS)}
    assert (first.left, first.right) not in pairs
    assert (first.right, first.left) not in pairs


def test_what_was_put_off_comes_last() -> None:
    state = state_of([1, 1, 9, *TRUE[3:]])
    first = Evidence(state, drawn()).questions(SECONDS)[0]
    act = acts.later(state, first.left, first.right)
    again = Evidence(State(state.facts | dict(act.changes), state.weight), drawn())
    last = again.questions(SECONDS)[-1]
    assert {last.left, last.right} == {first.left, first.right}


def test_a_track_is_nearest_to_its_own_person() -> None:
    evidence = Evidence(state_of([1, 1, UNKNOWN, *TRUE[3:]]), drawn())
    assert evidence.candidates(2)[0].person == 1
    assert evidence.candidates(3)[0].person == 2  # without itself
    losses = [one.loss for one in evidence.candidates(3)]
    assert losses == sorted(losses)
    one = drawn()
    alone = one.select(np.array([5]))
    assert evidence.nearest(alone)[0].person == 2


def test_there_may_be_nothing_to_ask() -> None:
    signatures = drawn()
    nobody = Evidence(state_of([UNKNOWN] * 12), signatures)
    assert nobody.questions(SECONDS) == []
    assert nobody.candidates(0) == []
    unseen = replace(signatures, count=np.zeros(12, np.int64))
    assert Evidence(state_of(TRUE), unseen).questions(SECONDS) == []
    assert Evidence(state_of(TRUE), unseen).split(1) is None
    alone = Evidence(state_of([1] * 12), signatures)
    assert all(np.isfinite(question.gain) for question in alone.questions(SECONDS))
    ignored = state_of(TRUE, **{f"ignored/{n}": True for n in (1, 2, 3, 4)})
    assert Evidence(ignored, signatures).questions(SECONDS) == []


def test_the_nearer_the_likelier() -> None:
    apart = [as_apart(loss, 1.0, 2.0) for loss in (0.5, 1.0, 1.5, 2.0)]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.02  # of pairs as far apart as strangers, 1 in 50 was one person
    joined = [as_joined(loss, 1.0, 2.0, 3.0) for loss in (0.5, 1.0, 1.1, 1.5, 2.0)]
    assert joined == sorted(joined, reverse=True)
    assert joined[0] > 0.9 > 0.1 > joined[-1]
    near = [as_joined(1.0, 1.0, 2.0, nearest) for nearest in (4.0, 3.0, 2.0, 1.5)]
    assert near == sorted(near, reverse=True)
    nan = float("nan")
    assert as_apart(1.0, 1.0, nan) == as_apart(3.0, 2.0, 1.0)
    assert as_joined(1.0, 1.0, nan, nan) == as_joined(7.0, 1.0, nan, nan) > 0.9


def test_how_many_answers_are_enough() -> None:
    questions = Evidence(state_of([1, 2, 1, 2, 2, 3, *TRUE[6:]]), drawn()).questions(SECONDS)
    gains = [question.gain for question in questions]
    n = enough(questions)
    assert sum(gains[:n]) >= 0.8 * sum(gains) > sum(gains[: n - 1])
    assert enough([]) == 0


def test_a_clustering_is_what_was_drawn() -> None:
    """The drawing is one that the method itself solves, so that its errors here are ours."""
    tracks = replace(Tracks.empty(), **_looks(len(CREW)))
    label = cluster_tracks(
        drawn(), tracks, ClusterConfig(rule="loss-nearest", quality_deviations=1e6)
    ).label
    assert label.tolist() == CREW


def _looks(count: int) -> dict[str, np.ndarray]:
    one = np.arange(count)
    return {
        "track": one, "frame": one, "box": np.zeros((count, 4), np.float32),
        "landmarks": np.zeros((count, 5, 2), np.float32), "score": np.ones(count, np.float32),
        "sharpness": np.ones(count, np.float32), "frontal": np.ones(count, np.float32),
        "exposure": np.ones(count, np.float32),
        "usable": np.ones(count, bool), "filled": np.zeros(count, bool),
    }  # fmt: skip


def test_two_in_one_picture_are_not_asked_about() -> None:
    state = state_of([1, 1, 9, *TRUE[3:]])
    links = Links(np.array([1]), np.array([2]), np.array([TOGETHER]))
    asked = {
        (question.left, question.right)
        for question in Evidence(state, drawn(), links=links).questions(SECONDS)
    }
    assert asked
    assert not any({*left, *right} == {0, 1, 2} for left, right in asked)


def test_a_films_threshold_stands_for_everybodys_limit() -> None:
    evidence = Evidence(state_of(TRUE), drawn(), threshold=1.25)
    assert {one.limit for one in evidence.candidates(0)} == {1.25}
