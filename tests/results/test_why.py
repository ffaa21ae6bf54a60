"""The way between two tracks is that of the history, gone through slowly, and reads well."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results.small_film import small_film
from videoclusternet.errors import UsageError
from videoclusternet.records import FRAGMENT, TOGETHER, Clusters, Links
from videoclusternet.results.why import Link, explain_pair, path_between


def film_of(labels, merges, **rest):
    seen = [(label, 10 * n, 10 * n + 6) for n, label in enumerate(labels)]
    return small_film(seen, stops=[10 * len(labels) + 10], merges=merges, **rest)


@st.composite
def histories(draw) -> Clusters:
    """Draw merges round by round, as the method makes them: groups called by their lowest track."""
    tracks = draw(st.integers(1, 9))
    groups, merges = [{track} for track in range(tracks)], []
    for round_ in range(draw(st.integers(0, 3))):
        names = [min(group) for group in groups]
        pairs = draw(st.permutations(list(itertools.combinations(names, 2))))
        found = []
        for left, right in pairs[: draw(st.integers(0, len(pairs)))]:
            a = next(group for group in groups if left in group)
            b = next(group for group in groups if right in group)
            if a is not b:
                a |= b
                groups.remove(b)
                found.append((round_, left, right))
        merges += sorted(found)
    groups.sort(key=min)
    labels = [next(n for n, g in enumerate(groups) if t in g) for t in range(tracks)]
    merges = [(*merge, 1.0 + n / 8, 2.0, 3.0) for n, merge in enumerate(merges)]
    return film_of(labels, merges).clusters


def slowly(clusters, left, right):
    """Return the merges without any of which the two would not be one person, by trying each."""
    merges = list(
        zip(clusters.round.tolist(), clusters.left.tolist(), clusters.right.tolist(), strict=True)
    )

    def meet(kept):
        reached = {left}
        for _ in kept:
            for _, a, b in kept:
                if a in reached or b in reached:
                    reached |= {a, b}
        return right in reached

    if left == right or not meet(merges):
        return []
    return [n for n in range(len(merges)) if not meet(merges[:n] + merges[n + 1 :])]


def groups_before(clusters, round_):
    groups = [{track} for track in range(len(clusters))]
    for when, left, right in zip(clusters.round, clusters.left, clusters.right, strict=True):
        if when < round_:
            a = next(group for group in groups if left in group)
            b = next(group for group in groups if right in group)
            a |= b
            groups.remove(b)
    return groups


@given(histories())
def test_the_way_is_that_of_the_merges_that_cannot_be_missed(clusters: Clusters) -> None:
    for left, right in itertools.product(range(len(clusters)), repeat=2):
        links = path_between(clusters, left, right)
        needed = slowly(clusters, left, right)
        assert [link.loss for link in links] == clusters.loss[needed].tolist()
        assert links == path_between(clusters, right, left)
        assert bool(links) == (left != right and clusters.label[left] == clusters.label[right])


@given(histories())
def test_a_link_joins_two_groups_as_its_round_found_them(clusters: Clusters) -> None:
    for left, right in itertools.combinations(range(len(clusters)), 2):
        for link in path_between(clusters, left, right):
            groups = groups_before(clusters, link.round)
            assert set(link.left) in groups
            assert set(link.right) in groups
            assert link.left == tuple(sorted(link.left))


@given(histories())
def test_two_tracks_met_in_the_round_that_is_told(clusters: Clusters) -> None:
    for left, right in itertools.combinations(range(len(clusters)), 2):
        why = explain_pair(clusters, left, right)
        if why.together:
            met = why.links[-1].round
            assert f"they met in round {met}." in why.text
            for rounds, one in ((met, False), (met + 1, True)):
                groups = groups_before(clusters, rounds)
                assert any({left, right} <= group for group in groups) == one


CHAIN = film_of(
    [0, 0, 1, 0, -1, 0],
    [(0, 0, 3, 1.42, 1.55, 1.31), (0, 1, 5, 1.5, float("-inf"), 1.625), (1, 0, 1, 1.75, 1.8, 1.9)],
).clusters


def test_the_sentences() -> None:
    assert explain_pair(CHAIN, 3, 5, {0: "Ann", 1: "Bob"}).text.splitlines() == [
        "Track 3 and track 5 are one person, Ann: they met in round 1.",
        "Round 0: track 0 met track 3: loss 1.42, limits 1.55 and 1.31.",
        "Round 0: track 1 met track 5: loss 1.50, limits none and 1.62.",
        "Round 1: track 0 and one more met track 1 and one more: loss 1.75, limits 1.80 and 1.90.",
    ]
    assert explain_pair(CHAIN, 0, 2, {0: "Ann", 1: "Bob"}).text.splitlines() == [
        "Track 0 and track 2 are two people, Ann and Bob: no merge joins them.",
        "Track 0: its loss to the rest of Ann is 1.25, to the nearest other, Bob, 2.50.",
        "Track 2: its own limit is 1.25, to the nearest other, Ann, 2.50.",
    ]
    far = film_of([0, 0, 1], [(0, 0, 1, 1.75, 1.5, float("-inf"))]).clusters
    assert explain_pair(far, 0, 1).text.splitlines()[1] == (
        "Round 0: track 0 met track 1: loss 1.75, limits 1.50 and none; above both, but each is "
        "the other's nearest by far."
    )
    assert explain_pair(CHAIN, 4, 0).text == "Track 4 is Unknown: nobody was claimed for it."
    assert explain_pair(CHAIN, 3, 3).text.startswith("Track 3 is one track")


def test_the_links_are_for_programs() -> None:
    why = explain_pair(CHAIN, 1, 5)
    assert why.together
    assert why.links == (Link(0, (1,), (5,), 1.5, None, 1.625),)


def test_one_person_without_a_history_is_said_to_be_one() -> None:
    why = explain_pair(film_of([0, 0], []).clusters, 0, 1)
    assert why.together
    assert (
        why.text
        == "Track 0 and track 1 are one person, person 0: no merge joins them, somebody said so."
    )


@pytest.mark.parametrize(("left", "right"), [(0, 2), (-1, 0), (2, 2)])
def test_tracks_that_do_not_exist_are_refused(left: int, right: int) -> None:
    with pytest.raises(UsageError, match="the run has 2"):
        path_between(film_of([0, 1], []).clusters, left, right)


def test_of_nothing_nothing_can_be_asked() -> None:
    with pytest.raises(UsageError, match="the run has 0"):
        path_between(Clusters.empty(), 0, 0)


def test_a_long_chain_is_found() -> None:
    tracks = 2000
    merges = [(0, n, n + 1, 1.0, 2.0, 3.0) for n in range(tracks - 1)]
    links = path_between(film_of([0] * tracks, merges, crops=[0] * tracks).clusters, 0, tracks - 1)
    assert len(links) == tracks - 1
    assert np.all(np.array([link.right[0] for link in links]) == np.arange(1, tracks))


def test_two_in_one_picture_are_told_so():
    clusters = film_of([0, 1], []).clusters
    shown = Links(np.array([0]), np.array([1]), np.array([TOGETHER]))
    for pair in ((0, 1), (1, 0)):
        assert "seen in one picture" in explain_pair(clusters, *pair, shown=shown).text
    assert "picture" not in explain_pair(clusters, 0, 1).text
    apart = Links(np.array([0]), np.array([1]), np.array([FRAGMENT]))
    assert "picture" not in explain_pair(clusters, 0, 1, shown=apart).text
