"""The clusters after a person went over them: what still holds is kept, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.results.small_film import small_film
from videoclusternet.records import TWO_GROUPS
from videoclusternet.results.people import from_json, list_people, to_json
from videoclusternet.results.reviewed import reviewed
from videoclusternet.said import Verdict

SEEN = [(0, 0, 30), (0, 60, 90), (1, 0, 30), (1, 60, 90), (2, 120, 150), (-1, 120, 150)]
FILM = small_film(
    SEEN, stops=[200],
    merges=[(0, 0, 1, 3.0, 4.0, 4.0), (0, 2, 3, 3.5, 4.0, 4.0)],
    doubts=[(0, 1, TWO_GROUPS, 4.5, 4.25), (2, 3, TWO_GROUPS, 4.5, 4.25)],
)  # fmt: skip


def verdict(person: list[int], **names: str) -> Verdict:
    number = np.unique([one for one in person if one >= 0]).astype(np.int64)
    called = np.array([names.get(f"p{n}", "") for n in number], np.str_)
    return Verdict(np.array(person), number, called, np.zeros(len(number), bool))


def test_who_has_the_same_tracks_keeps_what_was_found() -> None:
    told = verdict([7, 7, 3, 3, 9, -1])
    after, rows = reviewed(FILM.clusters, told)
    assert after.label.tolist() == FILM.clusters.label.tolist()
    assert told.number[rows].tolist() == [7, 3, 9]
    np.testing.assert_array_equal(after.limit, FILM.clusters.limit)
    np.testing.assert_array_equal(after.confidence, FILM.clusters.confidence)
    assert after.doubt_left.tolist() == [0, 2]
    assert after.left.tolist() == [0, 2]


def test_who_changed_is_not_told_what_was_true_of_others() -> None:
    after, _ = reviewed(FILM.clusters, verdict([1, 2, 3, 3, 1, 2]))
    assert after.label.tolist() == [0, 1, 2, 2, 0, 1]
    assert np.isnan(after.limit[:2]).all()
    assert after.limit[2] == FILM.clusters.limit[1]
    assert np.isnan(after.confidence[[0, 1, 4, 5]]).all()
    assert after.confidence[2] == FILM.clusters.confidence[2]
    assert after.doubt_left.tolist() == [2]
    assert after.left.tolist() == [2]
    after.check()


def test_people_have_their_numbers_and_names_and_come_back_from_the_file() -> None:
    told = verdict([7, 7, 3, 3, 9, -1], p3="Ada")
    people = list_people(FILM.clusters, FILM.tracks, FILM.crops, FILM.shots, told)
    assert {p.number: p.name for p in people} == {7: "Person 7", 3: "Ada", 9: "Person 9"}
    assert from_json(to_json(people)) is not people
    assert to_json(from_json(to_json(people))) == to_json(people)


def test_everybody_may_be_nobody() -> None:
    people = list_people(FILM.clusters, FILM.tracks, FILM.crops, FILM.shots, verdict([-1] * 6))
    assert len(people) == 0
    assert people.unknown.tracks == tuple(range(6))


def test_another_film_is_refused() -> None:
    with pytest.raises(ValueError, match="6 labels and 1 verdicts"):
        reviewed(FILM.clusters, verdict([1]))
