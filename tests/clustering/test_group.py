"""Tracks to groups: a person's word, the film's links, then the rule."""

from __future__ import annotations

import numpy as np
import pytest

from tests.clustering.drawn import as_sets
from tests.clustering.test_linkage import cosine_sides
from videoclusternet.clustering.calibration import NEARER
from videoclusternet.clustering.distance import RULES
from videoclusternet.clustering.group import group_tracks, links_among
from videoclusternet.records import FRAGMENT, SAID, SHOWN, THREAD, TOGETHER, Links
from videoclusternet.said import Said

AVERAGE = RULES["cosine-average"]
DEGREES = [0, 10, 100, 110, 30]  # two people, and somebody of the first in other light


def sides_at(degrees):
    angles = np.radians(degrees)
    return cosine_sides(np.stack([np.cos(angles), np.sin(angles)], 1))


def links_of(*rows):
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Links(*columns)


def grouped(degrees=DEGREES, links=(), rule=AVERAGE, said=None, solid=None, usual=0.5, **rest):
    count = len(degrees)
    said = Said.nothing(count) if said is None else said
    solid = np.ones(count, bool) if solid is None else np.array(solid)
    sides = sides_at(degrees)
    return group_tracks(sides, rule, said, links_of(*links), solid, usual, **rest)


def test_without_evidence_who_is_near_is_one():
    found = grouped()
    assert as_sets(found.label) == [{0, 1, 4}, {2, 3}]
    assert found.threshold == pytest.approx(NEARER * 0.5)
    assert found.limit.tolist() == [found.threshold] * 2
    assert {merge.round for merge in found.history} >= {0}


def test_a_set_up_that_returns_joins_who_is_far_and_says_so():
    found = grouped(degrees=[0, 10, 55, 100], links=[(0, 2, THREAD)])
    assert found.label[0] == found.label[2] != grouped(degrees=[0, 10, 55, 100]).label[2]
    (shown,) = [merge for merge in found.history if merge.round == SHOWN]
    assert (shown.left, shown.right) == (0, 2)
    assert shown.loss == pytest.approx(1 - np.cos(np.radians(55)))
    assert shown.loss > found.threshold == shown.left_limit


def test_somebody_else_in_the_same_place_is_not_joined():
    assert as_sets(grouped(links=[(0, 2, THREAD)]).label) == as_sets(grouped().label)


def test_two_in_one_picture_stay_two_and_widen_what_a_stranger_is():
    found = grouped(links=[(0, 4, TOGETHER)])
    assert as_sets(found.label)[0] != {0, 1, 4}
    assert found.label[0] != found.label[4]
    assert found.threshold < NEARER * 0.5  # these strangers are nearer than usual


def test_a_mirror_image_is_no_second_person():
    found = grouped(degrees=[0, 1, 100], links=[(0, 1, TOGETHER)])
    assert as_sets(found.label) == [{0, 1}, {2}]


def test_pieces_of_one_shot_are_no_evidence():
    assert as_sets(grouped(links=[(0, 2, FRAGMENT)]).label) == as_sets(grouped().label)


def test_a_person_has_the_last_word():
    said = Said(np.array([0, -1, 0, -1, -1]), np.zeros(5, bool), np.array([0]), np.array([1]))
    found = grouped(links=[(0, 2, TOGETHER), (0, 1, THREAD)], said=said)
    assert found.label[0] == found.label[2] != found.label[1]
    assert [merge.round for merge in found.history if merge.right == 2] == [SAID]


def test_only_the_surest_are_joined_where_that_is_asked():
    assert as_sets(grouped(nearer=0.1).label) == [{0, 1}, {2, 3}, {4}]
    assert as_sets(grouped(nearer=0.01).label) == [{0}, {1}, {2}, {3}, {4}]


def test_faint_tracks_join_and_join_nobody():
    bridge = [0, 20, 25, 55]  # those between bring together who is too far apart alone
    assert as_sets(grouped(bridge).label) == [{0, 1, 2, 3}]
    found = grouped(bridge, solid=[True, False, False, True])
    assert as_sets(found.label) == [{0, 1, 2}, {3}]


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if not rule.average])
def test_rules_with_limits_obey_the_films_links_too(name):
    links = [(0, 2, THREAD), (1, 3, TOGETHER), (0, 1, TOGETHER)]
    found = grouped([0, 10, 55, 110, 30], links=links, rule=RULES[name])
    assert found.threshold is None
    assert found.label[0] == found.label[2]
    assert found.label[1] != found.label[3]
    assert next(merge.round for merge in found.history) == SHOWN


def test_links_among_some_tracks_are_numbered_anew():
    links = links_of((0, 2, THREAD), (1, 2, TOGETHER), (2, 4, FRAGMENT))
    some = links_among(links, np.array([1, 2, 4]))
    assert np.stack([some.left, some.right, some.kind], 1).tolist() == [
        [0, 1, TOGETHER],
        [1, 2, FRAGMENT],
    ]


def test_one_track_and_none_are_grouped():
    assert as_sets(grouped([5], usual=None).label) == [{0}]
    none = group_tracks(
        sides_at([1]).select(np.empty(0, np.int64)), AVERAGE, Said.nothing(0), Links.empty(),
        np.empty(0, bool),
    )  # fmt: skip
    assert (len(none.label), len(none.limit), none.history) == (0, 0, [])
