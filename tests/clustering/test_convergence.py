"""What docs/convergence.md proves of the merging, and the counter-examples that it gives."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import draw_outputs, draw_tracks, scorer, sides_of
from videoclusternet.clustering.distance import RULES, compare
from videoclusternet.clustering.merge import merge_tracks

SEEDS = st.integers(0, 10**6)


def drawn(seed):
    people, counts, how = draw_tracks(seed)
    return sides_of(scorer(seed)[0], draw_outputs(seed, people, counts, **how), counts)


def merged(sides, rule="loss"):
    return merge_tracks(sides, RULES[rule])


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.sampled_from(["loss", "loss-both", "loss-late"]))
def test_every_round_lowers_the_number_of_clusters(seed, rule):
    sides = drawn(seed)
    label, _, history = merged(sides, rule)
    rounds = [merge.round for merge in history]
    assert all(rounds.count(number) >= 1 for number in range(max(rounds, default=-1) + 1))
    assert len(history) == len(label) - (label.max() + 1)
    assert len(set(rounds)) <= max(0, len(label) - 1)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_it_ends_where_nothing_matches_any_more(seed):
    sides = drawn(seed)
    label, limit, _ = merged(sides)
    again, loss = compare(sides, label)
    np.testing.assert_array_equal(again, limit)
    for i, j in itertools.combinations(range(len(limit)), 2):
        assert loss[i, j] >= max(limit[i], limit[j])


CORNERS = np.array([[1, -1, 0], [-1, 1, 0], [0, 1, -1], [0, -1, 1], [1, 0, -1], [-1, 0, 1]])


def on_circle(*angles, still=0):
    """Return the sides of tracks whose outputs lie on a circle, six crops evenly around each.

    `still` adds crops that lie right on it.
    """
    thirds = 2 * np.pi / 3 * np.arange(3)
    spread = 0.2 * np.concatenate([CORNERS, np.zeros((still, 3))])
    outputs = np.concatenate([np.cos(angle - thirds) + spread for angle in angles])
    both_heads = np.stack([outputs] * 2, axis=1)[:, None]
    return sides_of(scorer(0)[0], both_heads, [len(spread)] * len(angles))


def test_two_tracks_that_merge_get_a_limit_below_the_larger_one():
    """It is a mean of both limits and of the loss, which is below the larger one."""
    pairs = 0
    for seed in range(100):
        label, limit, history = merged(drawn(seed))
        for merge in history:
            if label.tolist().count(label[merge.left]) == 2:
                pairs += 1
                assert limit[label[merge.left]] < max(merge.left_limit, merge.right_limit)
    assert pairs >= 5


def test_chained_tracks_can_be_further_apart_than_any_limit_which_then_rises():
    """Each is near the next in the row, and the ends are near nothing of each other."""
    sides = on_circle(*0.1 * np.arange(16))
    label, limit, history = merged(sides)
    assert set(label) == {0}
    loss = compare(sides, np.arange(16))[1]
    before = max(limit for merge in history for limit in (merge.left_limit, merge.right_limit))
    assert loss[0, 15] > 3 * max(before, limit[0])
    assert limit[0] > before


def test_another_track_can_join_two_that_were_apart():
    assert merged(on_circle(0, 0.8))[0].tolist() == [0, 1]
    assert merged(on_circle(0, 0.8, 0.4))[0].tolist() == [0, 0, 0]


def test_more_crops_can_part_what_fewer_had_joined():
    """Crops that are more alike lower their track's limit, and what matched matches no more."""
    near = np.pi / 3 - 0.05, np.pi / 3 + 0.05
    assert merged(on_circle(*near))[0].tolist() == [0, 0]
    assert merged(on_circle(*near, still=60))[0].tolist() == [0, 1]


def one_at_a_time(sides):
    """Merge the closest match alone, then take everything anew: a rule that is not the paper's."""
    label = np.arange(len(sides.count))
    while True:
        limit, loss = compare(sides, label)
        loss[~(loss < np.maximum(limit[:, None], limit[None]))] = np.inf
        loss[np.tril_indices(len(limit))] = np.inf
        if not len(limit) or np.isinf(loss.min()):
            return label
        i, j = np.unravel_index(loss.argmin(), loss.shape)
        label = np.where(label == j, i, label)
        label = np.unique(label, return_inverse=True)[1]


def test_merging_one_pair_at_a_time_is_another_method():
    """The result is that of whole rounds; in another order limits taken anew decide otherwise."""
    different = 0
    for seed in range(300):
        sides = drawn(seed)
        whole, single = merged(sides)[0], one_at_a_time(sides)
        different += not np.array_equal(
            whole[:, None] == whole[None], single[:, None] == single[None]
        )
    assert 0 < different < 300
