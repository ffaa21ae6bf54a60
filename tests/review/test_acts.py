"""What a person can say, and what is true afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.errors import UsageError
from videoclusternet.records import UNKNOWN
from videoclusternet.review import acts
from videoclusternet.review.acts import Act
from videoclusternet.review.state import State


def state_of(*person: int, **facts: Any) -> State:
    """Return a film in which nobody said anything yet; the longest track is the last."""
    known = {f"track/{track}": one for track, one in enumerate(person)}
    weight = np.arange(1, len(person) + 1)
    return State(known | {"next": max(0, *person) + 1} | facts, weight)


def after(state: State, act: Act) -> State:
    facts = dict(state.facts) | dict(act.changes)
    return State({key: value for key, value in facts.items() if value is not None}, state.weight)


def test_a_named_person_keeps_their_longest_track() -> None:
    state = state_of(1, 1, 2, 2)
    named = after(state, acts.name(state, 1, "  Ada\u0301   Lovelace "))
    assert named.name == {1: "Adá Lovelace"}
    assert named.sure.tolist() == [False, True, False, False]
    assert named.find("adá lovelace") == named.find("1") == named.find("ADÁ LOVELACE") == 1
    bare = after(named, acts.name(named, 1, ""))
    assert bare.name == {}


@pytest.mark.parametrize("text", ["Person 3", "7", "unknown", "a\nb\x07", "x" * 121])
def test_what_cannot_be_a_name(text: str) -> None:
    with pytest.raises(UsageError):
        acts.name(state_of(1, 2), 1, text)


def test_two_people_cannot_have_one_name() -> None:
    state = state_of(1, 2, **{"name/2": "Ada"})
    with pytest.raises(UsageError, match="merge the two"):
        acts.name(state, 1, "ADA")
    assert acts.name(state, 2, "ADA").changes["name/2"] == "ADA"


def test_people_who_are_merged_keep_a_name_and_are_one_for_ever() -> None:
    state = state_of(1, 1, 2, 3, **{"name/2": "Ada", "apart/0/2": True, "ignored/3": True})
    one = after(state, acts.merge(state, 1, [2, 3]))
    assert one.person.tolist() == [1, 1, 1, 1]
    assert one.name == {1: "Ada"}
    assert not one.apart
    assert not one.ignored
    assert one.said().group.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("people", [[1], [1, 1], [1, 9], [1, UNKNOWN], []])
def test_it_takes_two_to_merge(people: list[int]) -> None:
    with pytest.raises(UsageError):
        acts.merge(state_of(1, 2), people[0] if people else 1, people[1:])


def test_who_is_moved_is_not_who_they_were() -> None:
    state = state_of(1, 1, 1, 2)
    moved = after(state, acts.move(state, [0], None))
    assert moved.person.tolist() == [3, 1, 1, 2]
    assert moved.next == 4
    assert moved.apart == {(0, 2)}  # the longest track stands for the rest
    back = after(moved, acts.move(moved, [0], 1))
    assert back.person.tolist() == [1, 1, 1, 2]
    assert back.apart == set()


def test_the_last_track_takes_its_person_with_it() -> None:
    state = state_of(1, 2, **{"name/1": "Ada"})
    gone = after(state, acts.move(state, [0], 2))
    assert gone.people == [2]
    assert gone.name == {}


def test_nobody_stays_nobody() -> None:
    state = state_of(1, 1)
    said = after(state, acts.move(state, [0], UNKNOWN)).said()
    assert said.nobody.tolist() == [True, False]
    assert said.group.tolist() == [-1, 1]


def test_an_answer_joins_or_parts() -> None:
    state = state_of(1, 1, 2, UNKNOWN)
    assert after(state, acts.same(state, [0, 1], [2])).person.tolist() == [1, 1, 1, UNKNOWN]
    assert after(state, acts.same(state, [2], [3])).person.tolist() == [1, 1, 2, 2]
    assert after(state, acts.different(state, [0], [1])).person.tolist() == [1, 3, 2, UNKNOWN]
    apart = after(state, acts.different(state, [0, 1], [2]))
    assert apart.person.tolist() == state.person.tolist()
    assert apart.told_apart([0, 1], [2])
    later = after(state, acts.later(state, [2], [0, 1]))
    assert later.later == {(0, 2)}


ACTS = st.sampled_from(["name", "ignore", "merge", "move", "new", "unknown", "same", "different"])


def _act(state: State, word: str, one: int, other: int) -> Act:
    p, q = int(state.person[one]), int(state.person[other])
    match word:
        case "name":
            return acts.name(state, p, f"Name {one}")
        case "ignore":
            return acts.ignore(state, p)
        case "merge":
            return acts.merge(state, p, [q])
        case "move":
            return acts.move(state, [one], q)
        case "new":
            return acts.move(state, [one, other], None)
        case "unknown":
            return acts.move(state, [one], UNKNOWN)
        case "same":
            return acts.same(state, [one], [other])
    return acts.different(state, [one], [other])


@given(
    st.lists(st.integers(-1, 4).map(lambda n: n or 1), min_size=1, max_size=8),
    st.lists(st.tuples(ACTS, st.integers(0, 7), st.integers(0, 7)), max_size=12),
)
def test_whatever_is_said_makes_sense(person: list[int], said: list[tuple[str, int, int]]) -> None:
    """No order of acts makes a state that contradicts itself, or leaves names of nobody."""
    state = state_of(*person)
    for word, one, other in said:
        one, other = one % len(person), other % len(person)
        try:
            act = _act(state, word, one, other)
        except UsageError:
            continue
        state = after(state, act)
        assert set(state.name) <= set(state.people)
        assert state.ignored <= set(state.people)
        assert state.next > max(state.people, default=0)
        told = state.said()  # checks itself
        assert not (told.nobody & (told.group >= 0)).any()
        verdict = state.verdict()
        assert verdict.person.tolist() == state.person.tolist()
        if word == "same":
            assert state.person[one] == state.person[other] != UNKNOWN
        if word == "different" and state.person[one] != UNKNOWN:
            assert state.person[one] != state.person[other]
