"""What a person said is obeyed by every merge, whatever the losses are."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import draw_outputs, one_by_one, scorer, sides_of
from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.distance import (
    RULES,
    Sides,
    limits,
    loss_between,
    mean_of_crops,
)
from videoclusternet.clustering.merge import merge_tracks
from videoclusternet.config import ClusterConfig
from videoclusternet.finetune.matching import obey
from videoclusternet.records import SAID, Signatures
from videoclusternet.said import Said


def said_of(group: list[int], pairs: list[tuple[int, int]] = (), nobody: list[int] = ()) -> Said:
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    numbers = np.array(group, np.int64)
    return Said(numbers, np.isin(np.arange(len(group)), nobody), left, right)


@st.composite
def words(draw) -> Said:
    """Say something of nine tracks that does not contradict itself."""
    group = draw(st.lists(st.integers(-1, 3), min_size=9, max_size=9))
    pairs = draw(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=5))
    pairs = [
        (min(a, b), max(a, b))
        for a, b in pairs
        if a != b and (group[a] != group[b] or group[a] < 0)
    ]
    return said_of(group, pairs)


def sides(seed: int, apart: float):
    model, _ = scorer(seed)
    counts = [3] * 9
    crew = [0, 0, 0, 1, 1, 1, 2, 2, 2]
    return sides_of(model, draw_outputs(seed, crew, counts, spread=0.05, apart=apart), counts)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.02, 0.5]), words(), st.sampled_from([*RULES]))
def test_every_word_is_obeyed(seed: int, apart: float, said: Said, rule: str) -> None:
    label, limit, history = merge_tracks(sides(seed, apart), RULES[rule], said)
    for one in np.unique(said.group[said.group >= 0]):
        assert len(set(label[said.group == one])) == 1
    assert not np.any(label[said.left] == label[said.right])
    assert len(limit) == label.max() + 1
    tree = {track: track for track in range(9)}  # the history still tells how all came together
    for merge in history:
        assert tree[merge.left] != tree[merge.right]
        joined = tree[merge.right]
        tree = {t: tree[merge.left] if one == joined else one for t, one in tree.items()}
    for a in range(9):
        for b in range(9):
            assert (tree[a] == tree[b]) == (label[a] == label[b])
    made = sum(merge.round == SAID for merge in history)
    assert made == 9 - len(np.unique(said.together()))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([*RULES]))
def test_nothing_said_changes_nothing(seed: int, rule: str) -> None:
    of = sides(seed, 0.3)
    plain, limits, history = merge_tracks(of, RULES[rule])
    label, again, told = merge_tracks(of, RULES[rule], Said.nothing(9))
    assert label.tolist() == plain.tolist()
    assert again.tolist() == limits.tolist()
    assert told == history


def test_a_chain_is_cut_where_it_is_weakest() -> None:
    """Three alike, the outer two told apart: the middle one goes with the nearer of them."""
    of = sides(5, 0.0)
    label, _, _ = merge_tracks(of, RULES["loss"], said_of([-1] * 9, [(0, 2)]))
    assert label[0] != label[2]
    assert label[1] in (label[0], label[2])


@given(words(), st.lists(st.integers(0, 2), min_size=9, max_size=9))
def test_tuning_matches_what_was_said(said: Said, counts: list[int]) -> None:
    matches = np.random.default_rng(0).random((9, 9)) < 0.5
    np.fill_diagonal(matches, False)
    before = matches.copy()
    seen = np.array(counts) > 0
    obey(matches, said, np.array(counts))
    assert not matches.diagonal().any()
    apart = set(zip(said.left.tolist(), said.right.tolist(), strict=True))
    together = said.together()
    for a in range(9):
        for b in range(9):
            told_apart = any(
                {together[a], together[b]} == {together[x], together[y]}
                and together[a] != together[b]
                for x, y in apart
                if seen[x] and seen[y]
            )
            if a == b:
                continue
            if seen[a] and seen[b] and said.group[a] == said.group[b] >= 0:
                assert matches[a, b]
            elif seen[a] and seen[b] and told_apart:
                assert not matches[a, b]
            else:
                assert matches[a, b] == before[a, b]


def test_words_hold_among_the_tracks_that_are_known() -> None:
    """Some that were spoken of have no crops or are nobody, so the others are numbered anew."""
    counts = [1, 3, 3, 3, 1, 3, 3, 3, 3, 3]
    of = sides_of(scorer(0)[0], draw_outputs(0, [0] * 10, counts, spread=0.2), counts)
    of.count[0] = 0
    quality = np.linspace(0.8, 0.9, 10, dtype=np.float32)
    quality[0], quality[3], quality[7] = np.nan, 0.1, 0.1
    signatures = signed(of, quality)
    said = said_of([0, -1, 0, 0, -1, -1, -1, -1, -1, -1], [(5, 6), (2, 9)], nobody=[1])
    free = cluster_tracks(signatures, one_by_one(10), ClusterConfig(rule="loss-nearest"))
    assert free.label.tolist() == [-1, 0, 0, -1, 0, 0, 0, -1, 0, 0]
    found = cluster_tracks(
        signatures, one_by_one(10), ClusterConfig(rule="loss-nearest"), said=said
    )
    label = found.label
    assert (label < 0).tolist() == [n in (0, 1, 7) for n in range(10)]
    assert label[2] == label[3] != label[9]
    assert label[5] != label[6]
    first = found.round.tolist().index(SAID)
    assert (found.left[first], found.right[first]) == (2, 3)
    np.testing.assert_allclose(found.left_limit[first], limits(of, np.arange(10))[2], rtol=1e-5)
    np.testing.assert_allclose(found.right_limit[first], limits(of, np.arange(10))[3], rtol=1e-5)
    p, q = mean_of_crops(of.select(np.array([2, 3])))
    np.testing.assert_allclose(found.loss[first], loss_between(p, q)[0, 1], rtol=1e-5)


def signed(of: Sides, quality: np.ndarray) -> Signatures:
    """Return sides as the record that holds them."""
    columns = {field.name: getattr(of, field.name) for field in fields(of)}
    for name in ("p", "q", "mean_p", "mean_q"):
        columns[name] = columns[name].astype(np.float32)
    return replace(Signatures.empty(), quality=quality, **columns)


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be two"):
        replace(said_of([1, 1]), left=np.array([0]), right=np.array([1])).check()
