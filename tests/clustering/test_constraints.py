"""What holds whatever the distances: a person's word, then what the film shows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import as_sets
from videoclusternet.clustering.constraints import constrain
from videoclusternet.said import Said

PAIR = st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] != pair[1])
PAIRS = st.lists(PAIR, max_size=8)
GROUPS = st.lists(st.integers(-1, 2), min_size=8, max_size=8)


def as_pairs(pairs):
    return np.array(pairs, np.int64).reshape(-1, 2)


def said_of(groups, apart=()):
    left, right = as_pairs(apart).T
    return Said(np.array(groups), np.zeros(len(groups), bool), left, right)


def constrained(must=(), cannot=(), groups=(-1,) * 8, apart=()):
    return constrain(said_of(groups, apart), as_pairs(must), as_pairs(cannot))


def test_links_chain():
    label = constrained(must=[(0, 3), (3, 5)]).label
    assert as_sets(label) == [{0, 3, 5}, {1}, {2}, {4}, {6}, {7}]


def test_a_link_that_would_join_two_of_one_picture_is_dropped_the_first_are_believed():
    label = constrained(must=[(0, 1), (1, 2), (2, 3)], cannot=[(0, 2)]).label
    assert as_sets(label) == [{0, 1}, {2, 3}, {4}, {5}, {6}, {7}]


def test_a_persons_word_is_stronger_than_a_picture():
    found = constrained(cannot=[(0, 1), (2, 3)], groups=[4, 4, -1, -1, -1, -1, -1, -1])
    assert found.label[0] == found.label[1]
    assert (found.apart.tolist(), found.shown.tolist()) == ([], [[2, 3]])


def test_a_persons_word_is_stronger_than_a_set_up():
    found = constrained(must=[(0, 1)], apart=[(0, 1)])
    assert found.label[0] != found.label[1]
    assert found.apart.tolist() == [[0, 1]]


def test_what_was_said_is_told_apart_from_what_is_shown():
    found = constrained(must=[(0, 2)], groups=[1, 1, -1, -1, -1, -1, -1, -1])
    assert as_sets(found.said)[0] == {0, 1}
    assert as_sets(found.label)[0] == {0, 1, 2}


@settings(max_examples=200)
@given(PAIRS, PAIRS, GROUPS, PAIRS)
def test_all_that_is_kept_holds_at_once_and_nothing_is_dropped_in_vain(must, cannot, groups, apart):
    apart = [(a, b) for a, b in apart if groups[a] != groups[b] or groups[a] < 0]
    found = constrained(must, cannot, groups, apart)
    label = found.label
    fences = np.concatenate([found.apart, found.shown])
    assert np.all(label[fences[:, 0]] != label[fences[:, 1]])
    word = said_of(groups, apart).together()
    assert all(len(set(label[word == one].tolist())) == 1 for one in word)
    forbidden = {frozenset(label[list(pair)].tolist()) for pair in fences.tolist()}
    for pair in as_pairs(must).tolist():
        ends = frozenset(label[pair].tolist())
        assert len(ends) == 1 or ends in forbidden
    kept = {tuple(pair) for pair in fences.tolist()}
    for pair in [*cannot, *apart]:
        assert pair in kept or word[pair[0]] == word[pair[1]]
