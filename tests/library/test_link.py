"""Who of one film is who of another: right against a slow loop, careful, and obedient."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from tests.library.drawn import draw_library, pairs_right
from videoclusternet.library import strangers
from videoclusternet.library.link import Bonds, Cast, keep_numbers, link_cast
from videoclusternet.library.strangers import Groups


def bonds(same=(), apart=()):
    return Bonds(*(np.array(pairs, np.int64).reshape(-1, 2) for pairs in (same, apart)))


def linked(cast, said=None):
    return link_cast(cast, Bonds.none() if said is None else said)


def crops_of(rng, total):
    """Crops of length 1 with about this mean."""
    x = total + rng.normal(size=(5, len(total))) * 0.05
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_places_are_those_of_a_slow_loop_over_crops(seed):
    """Single people of films, few films, and nobody twice: all by the definition."""
    rng = np.random.default_rng(seed)
    film = np.repeat(np.arange(3), [4, 3, 4])
    who = np.concatenate([rng.permutation(6)[:k] for k in (4, 3, 4)])
    faces = rng.normal(size=(6, 8))
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    crops = [crops_of(rng, faces[one]) for one in who]

    def mean_distance(one, other, same=False):
        pairs = [
            1 - a @ b
            for i, a in enumerate(one)
            for j, b in enumerate(other)
            if not (same and i == j)
        ]
        return np.mean(pairs)

    n = len(crops)
    far = np.array([[mean_distance(a, b) for b in crops] for a in crops])
    inside = np.array([mean_distance(a, a, same=True) for a in crops])
    stranger = np.full(n, np.inf)
    for row in range(n):
        for other in range(3):
            members = np.flatnonzero(film == other)
            most_alike = row if film[row] == other else members[np.argmin(far[row, members])]
            stranger[row] = min([stranger[row], *(far[row, m] for m in members if m != most_alike)])
    expected = {}
    for a, b in combinations(range(n), 2):
        if far[a, b] < min(stranger[a], stranger[b]):
            expected[a, b] = max(
                (far[a, b] - inside[end]) / (stranger[end] - inside[end]) for end in (a, b)
            )
    groups = Groups.of(
        film, np.full(n, 5), np.stack([c.sum(0) for c in crops]).astype(np.float32), np.arange(n)
    )
    found = {(pair.left, pair.right): pair.place for pair in groups.pairs()}
    assert expected
    assert found.keys() == expected.keys()
    for pair, place in expected.items():
        assert max(found[pair], 0) == pytest.approx(max(place, 0), abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("across", "split", "mixed", "recall"),
    [(0.2, 0, 0, 0.98), (0.3, 0, 0, 0.9), (0.3, 0.1, 0.05, 0.6), (0.4, 0.3, 0.1, 0.0)],
)
def test_nobody_is_linked_wrongly(seed, across, split, mixed, recall):
    cast, person = draw_library(seed, across=across, split=split, mixed=mixed)
    label, links, doubts = linked(cast)
    right, found = pairs_right(label, person)
    assert right > 0.99
    assert found >= recall
    assert all(link.place < strangers.SURE for link in links)
    # What is not sure is asked, and mostly rightly so where people change much.
    if found < 0.5:
        assert np.mean([person[d.left] == person[d.right] for d in doubts]) > 0.8


def test_a_library_learns_how_people_change_from_film_to_film():
    """Against one whose people were all seen in one film each alike, of the same people."""
    cast, person = draw_library(0, films=60, people=100, across=0.4)
    assert pairs_right(linked(cast)[0], person)[1] > 0.9
    first = cast.film < 3
    few = Cast(*(column[first] for column in (cast.film, cast.count, cast.total, cast.name)))
    label, _, doubts = linked(few)
    assert pairs_right(label, person[first])[1] < 0.5
    assert doubts


def test_nobody_is_two_people_of_one_film():
    for seed in range(5):
        cast, _ = draw_library(seed, split=0.3)
        label = linked(cast)[0]
        assert max(Counter(zip(label.tolist(), cast.film.tolist(), strict=True)).values()) == 1


def test_the_order_of_films_and_people_does_not_matter():
    cast, _ = draw_library(1, across=0.35, split=0.1)
    order = np.random.default_rng(0).permutation(len(cast))
    film = np.random.default_rng(1).permutation(cast.film.max() + 1)[cast.film]
    shuffled = Cast(film[order], cast.count[order], cast.total[order], cast.name[order])
    one, other = linked(cast)[0][order], linked(shuffled)[0]
    assert np.array_equal(one[:, None] == one[None], other[:, None] == other[None])


def test_nothing_depends_on_how_much_is_held_at_a_time(monkeypatch):
    cast, _ = draw_library(2, split=0.1)
    whole = linked(cast)
    monkeypatch.setattr(strangers, "BLOCK", 1)
    parts = linked(cast)
    assert np.array_equal(whole[0], parts[0])
    for pairs, others in zip(whole[1:], parts[1:], strict=True):  # but for the last digits
        one, other = ({(p.left, p.right): p.place for p in some} for some in (pairs, others))
        assert one == pytest.approx(other, abs=1e-3)


def test_the_same_twice():
    cast, _ = draw_library(3)
    assert str(linked(cast)) == str(linked(cast))


@pytest.mark.parametrize("films", [0, 1])
def test_one_film_and_none(films):
    cast, _ = draw_library(0, films=1)
    cast = cast if films else Cast(cast.film[:0], cast.count[:0], cast.total[:0], cast.name[:0])
    label, links, doubts = linked(cast)
    assert label.tolist() == list(range(len(cast)))
    assert not links
    assert not doubts


def test_where_no_strangers_are_known_likeness_is_a_question():
    """Two films of one person each: nothing tells how near a stranger would be."""
    rng = np.random.default_rng(0)
    face = rng.normal(size=16)
    face /= np.linalg.norm(face)
    totals = np.stack([crops_of(rng, face + shift).sum(0) for shift in (0, 0.1)])
    cast = Cast(np.arange(2), np.full(2, 5), totals.astype(np.float32), np.array(["", ""]))
    label, _, (doubt,) = linked(cast)
    assert label.tolist() == [0, 1]
    assert (doubt.left, doubt.right) == (0, 1)


def test_what_was_said_holds():
    cast, person = draw_library(4)
    label, _, _ = linked(cast)
    a = int(np.flatnonzero(np.bincount(label)[label] > 2)[0])
    mates = np.flatnonzero((label == label[a]) & (np.arange(len(label)) != a)).tolist()
    stranger = int(np.flatnonzero(person != person[a])[0])
    said = bonds(same=[(a, stranger)], apart=[(a, mate) for mate in mates])
    after, _, doubts = linked(cast, said)
    assert after[a] == after[stranger]
    assert not any(after[a] == after[mate] for mate in mates)
    settled = {frozenset(pair) for pair in said.apart.tolist()}
    assert not any(frozenset((d.left, d.right)) in settled for d in doubts)


def test_a_name_is_one_person_and_two_names_are_two():
    cast, person = draw_library(5)
    label, _, _ = linked(cast)
    a = int(np.flatnonzero(np.bincount(label)[label] > 1)[0])
    b = int(np.flatnonzero((label == label[a]) & (np.arange(len(label)) != a))[0])
    c = int(np.flatnonzero(person != person[a])[0])
    named = cast.name.copy()
    named[[a, b, c]] = "Ada", "Bo", "Ada"
    after, _, _ = linked(replace(cast, name=named))
    assert after[a] != after[b]
    assert after[a] == after[c]


def test_numbers_stay_with_whom_most_of_their_crops_are():
    label = np.array([0, 0, 1, 1, 2, 3])
    before = np.array([7, 7, 7, 4, 0, 4])
    crops = np.array([5, 5, 3, 1, 9, 2])
    assert keep_numbers(label, before, crops).tolist() == [7, 7, 8, 8, 9, 4]
    assert keep_numbers(np.array([0, 1]), np.zeros(2, int), np.ones(2)).tolist() == [1, 2]


def test_of_everybody_the_surest_question_comes_first_and_others_when_it_is_settled():
    cast, person = draw_library(0, films=6, people=20, across=0.4)
    label, _, doubts = linked(cast)
    groups = [{int(label[d.left]), int(label[d.right])} for d in doubts]
    asked: set[int] = set()
    for pair in groups:
        assert not pair <= asked
        asked |= pair
    first = doubts[0]
    pair = [(first.left, first.right)]
    answer = bonds(same=pair) if person[first.left] == person[first.right] else bonds(apart=pair)
    after = linked(cast, answer)[2]
    assert {first.left, first.right} not in [{d.left, d.right} for d in after]
    assert after
