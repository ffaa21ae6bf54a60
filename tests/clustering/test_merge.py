"""Merging follows the published rule literally, and its history tells how it came to its end."""

from __future__ import annotations

import dataclasses
import itertools
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clustering.drawn import (
    as_sets,
    cluster_crops,
    draw_outputs,
    draw_tracks,
    one_by_one,
    pieces,
    scorer,
    sides_of,
    tracks_seen,
)
from tests.oracles import (
    cosine_slowly,
    loss_between_slowly,
    merge_slowly,
    own_limit_slowly,
    square_slowly,
)
from tests.pocket import NO_FILE, QUICK, draw_crops
from videoclusternet.clustering import confidence, distance, signature
from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.confidence import track_margins
from videoclusternet.clustering.distance import RULES, Sides
from videoclusternet.clustering.merge import merge_tracks
from videoclusternet.clustering.signature import film_sides, sign_tracks
from videoclusternet.config import ClusterConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import SAME_TIME, TWO_GROUPS, Crops
from videoclusternet.said import Said

PAPER = RULES["loss"]
SEEDS = st.integers(0, 10**6)
EVERYBODY = ClusterConfig(quality_deviations=1e6)


def merged(sides):
    """Merge by the published rule."""
    return merge_tracks(sides, PAPER)


def drawn(seed):
    people, counts, how = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how)
    return sides_of(model, outputs, counts), slow, pieces(outputs, counts)


def follows_the_rule(sides, slow, tracks):
    label, limit, _ = merged(sides)
    clusters = merge_slowly(slow, tracks)
    assert as_sets(label) == clusters
    crops = [[crop for track in cluster for crop in tracks[track]] for cluster in clusters]
    np.testing.assert_allclose(
        limit, [own_limit_slowly(slow, c) for c in crops], rtol=1e-9, atol=1e-12
    )


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_clusters_and_limits_are_those_of_the_published_rule(seed):
    follows_the_rule(*drawn(seed))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(sorted(name for name, rule in RULES.items() if not rule.average)))
def test_each_rule_of_the_table_is_what_its_row_says(seed, name):
    people, counts, how = draw_tracks(seed)
    model, slow = scorer(seed)
    outputs = draw_outputs(seed, people, counts, **how)
    rule = RULES[name]
    if rule.distance != "loss":
        outputs = outputs.reshape(*outputs.shape[:2], -1)
        slow = {"cosine": cosine_slowly, "euclidean": square_slowly}[rule.distance]
    sides = sides_of(model, outputs, counts, name)
    decides = {"either": max, "both": min}[rule.limits]
    expected = merge_slowly(
        slow,
        pieces(outputs, counts),
        decides=decides,
        late=rule.mean == "late",
        nearest=rule.nearest,
    )
    assert as_sets(merge_tracks(sides, rule)[0]) == expected


def test_the_setting_names_the_rules_of_the_table():
    names = get_args(ClusterConfig.model_fields["rule"].annotation)
    assert names == tuple(RULES)
    for name in names:
        distance, _, how = name.partition("-")
        assert dataclasses.asdict(RULES[name]) == {
            "distance": distance,
            "limits": "both" if how == "both" else "either",
            "mean": "late" if how == "late" else "early",
            "nearest": how == "nearest",
            "average": how == "average",
        }


def test_what_stands_out_is_found_again_and_single_tracks_are_left_alone():
    """Drawn so that no loss is below a limit, but two tracks of somebody known are nearest by far.

    Plain lines stand for outputs: the squared distance is the loss of this rule.
    """
    places = [0.0, 0.1, 2.0, 40.0, 42.0, 90.0, 150.0, 230.0]
    outputs = np.array([[[place]] for p in places for place in (p - 0.1, p + 0.1)])
    sides = sides_of(scorer(0)[0], outputs, [2] * len(places), "euclidean-nearest")
    label, _, history = merge_tracks(sides, RULES["euclidean-nearest"])
    assert as_sets(label) == [{0, 1, 2}, {3}, {4}, {5}, {6}, {7}]
    assert [(m.left, m.right, m.loss < max(m.left_limit, m.right_limit)) for m in history] == [
        (0, 1, True),
        (0, 2, False),
    ]
    plain = [{0, 1}, {2}, {3}, {4}, {5}, {6}, {7}]
    assert as_sets(merge_tracks(sides, RULES["euclidean"])[0]) == plain
    six = sides_of(scorer(0)[0], outputs[:14], [2] * 7, "euclidean-nearest")
    assert as_sets(merge_tracks(six, RULES["euclidean-nearest"])[0]) == [{0, 1, 2}, *plain[2:6]]
    five = sides_of(scorer(0)[0], outputs[:12], [2] * 6, "euclidean-nearest")
    assert as_sets(merge_tracks(five, RULES["euclidean-nearest"])[0]) == plain[:5]


def on_a_line(*tracks):
    """Return the sides of tracks with crops at these places: the squared distance is the loss."""
    outputs = np.array([[[float(place)]] for track in tracks for place in track])
    return sides_of(scorer(0)[0], outputs, [len(track) for track in tracks], "euclidean")


def test_all_that_matches_is_joined_in_one_round():
    """Whatever lies between the losses: here 0 and exactly 1."""
    label, _, history = merge_tracks(on_a_line((-2, 2), (-2, 2), (-1, 3)), RULES["euclidean"])
    assert label.tolist() == [0, 0, 0]
    assert [(merge.round, merge.loss) for merge in history] == [(0, 8), (0, 9)]


@pytest.mark.parametrize(("place", "label"), [(1, [0, 0]), (2, [0, 1])])
def test_at_its_limit_a_loss_is_not_below_it(place, label):
    """The first limit is 8; the loss is 4 and the square of the place."""
    sides = on_a_line((-3, 1, 1, 1), (place - 1, place + 1))
    assert merge_tracks(sides, RULES["euclidean"])[0].tolist() == label


def told_apart(tracks, *pairs):
    left, right = np.array(pairs).T
    return dataclasses.replace(Said.nothing(tracks), left=left, right=right)


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_two_that_match_are_joined_past_one_who_is_neither(order):
    """The one between them is nearer to both, and was told apart from both."""
    between, one, other = (3 + order.index(n) for n in range(3))  # behind three who are far
    places = [70.0, 80.0, 90.0, *np.array([0.0, 0.1, -0.12])[list(order)], 100.0]
    sides = on_a_line(*[(place - 0.5, place + 0.5) for place in places])
    said = told_apart(7, (0, 1), (between, one), (other, between), (2, 6))
    label = merge_tracks(sides, RULES["euclidean"], said)[0]
    assert label[one] == label[other] != label[between]
    assert label.max() == 5


def test_a_chain_that_is_cut_holds_up_nobody():
    places = [0.0, 0.1, 0.22, 50.0, 50.2]
    sides = on_a_line(*[(place - 0.2, place + 0.2) for place in places])
    label, _, history = merge_tracks(sides, RULES["euclidean"], told_apart(5, (0, 2)))
    assert as_sets(label) == [{0, 1}, {2}, {3, 4}]
    assert [(merge.round, merge.left, merge.right) for merge in history] == [(0, 0, 1), (0, 3, 4)]


def test_of_links_that_are_as_close_the_first_ones_count():
    sides = on_a_line(*[(-1, 1)] * 40)
    label = merge_tracks(sides, RULES["euclidean"], told_apart(40, (3, 30)))[0]
    assert as_sets(label) == [{*range(40)} - {30}, {30}]


@pytest.mark.parametrize("next_one", [5, 6])
def test_nearest_by_far_leaves_out_its_boundary(next_one):
    """Whole numbers, so that the excess of 2 is exactly half of what lies between 6 and 10."""
    people = [(-3, 1), (-1, 3), (1, 3), (next_one, next_one), *[(n, n) for n in (90, 200, 400)]]
    rule = dataclasses.replace(RULES["euclidean-nearest"], limits="both")
    found = as_sets(merge_tracks(on_a_line(*people), rule)[0])
    assert found[0] == ({0, 1} if next_one == 5 else {0, 1, 2})


@pytest.mark.parametrize("block", [1, 8, 20, distance.BLOCK])
@pytest.mark.parametrize("order", [range(8), [1, 3, 2, 0, 4, 5, 6, 7], range(7, -1, -1)])
def test_who_was_told_apart_is_not_the_nearest(monkeypatch, order, block):
    """Of a person with two tracks the nearest is told apart: the next one is nearest then.

    And whoever was told apart from everybody has no nearest at all.
    """
    monkeypatch.setattr(distance, "BLOCK", block)
    places = [0.0, 0.1, 1.0, -1.2, 40.0, 90.0, 150.0, 230.0]
    where = [list(order).index(track) for track in range(8)]
    sides = on_a_line(*[(places[track] - 0.1, places[track] + 0.1) for track in order])
    pairs = [(0, 2), (1, 2), *[(4, other) for other in range(8) if other != 4]]
    said = told_apart(8, *[(where[a], where[b]) for a, b in pairs])
    label = merge_tracks(sides, RULES["euclidean-nearest"], said)[0]
    together = {frozenset(order[track] for track in part) for part in as_sets(label)}
    assert together == {frozenset(part) for part in ([0, 1, 3], [2], [4], [5], [6], [7])}


def test_the_nearest_rule_is_followed_where_it_decides():
    """The cases above have too few clusters for it; of these, with nine people, it decides some."""
    far = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        people = [person for person in range(9) for _ in range(rng.integers(1, 4))]
        counts = rng.integers(1, 4, len(people)).tolist()
        model, slow = scorer(seed)
        outputs = draw_outputs(seed, people, counts, spread=0.02, apart=0.05)
        sides, tracks = sides_of(model, outputs, counts), pieces(outputs, counts)
        label, _, history = merge_tracks(sides, RULES["loss-nearest"])
        if any(m.loss >= max(m.left_limit, m.right_limit) for m in history):
            far += 1
            assert as_sets(label) != as_sets(merged(sides)[0])
            assert as_sets(label) == merge_slowly(slow, tracks, nearest=True)
    assert far >= 5


def test_the_rule_is_followed_through_rounds_and_chains():
    """In the later rounds mean outputs and limits taken anew decide; few drawn cases have them."""
    late, chained, never = [], 0, 0
    for seed in range(400):
        case = drawn(seed)
        rounds = [merge.round for merge in merged(case[0])[2]]
        late += [case] if max(rounds, default=0) > 0 else []
        chained += len(rounds) > len(set(rounds))
        never += not rounds
    assert len(late) >= 6
    assert min(chained, never) >= 50
    for case in late:
        follows_the_rule(*case)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_shuffled_tracks_are_the_same_people(seed, random):
    sides, _, _ = drawn(seed)
    order = list(range(len(sides.count)))
    random.shuffle(order)
    shuffled = Sides(*(getattr(sides, f.name)[order] for f in dataclasses.fields(sides)))
    there = {frozenset(order[i] for i in part) for part in as_sets(merged(shuffled)[0])}
    assert there == set(map(frozenset, as_sets(merged(sides)[0])))


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_the_history_explains_the_clusters(seed):
    sides, _, _ = drawn(seed)
    label, _, history = merged(sides)
    parts = {track: {track} for track in range(len(label))}
    rounds = [merge.round for merge in history]
    assert rounds == sorted(rounds)
    assert set(rounds) == set(range(max(rounds, default=-1) + 1))
    for round_ in sorted(set(rounds)):
        before = {track: min(part) for track, part in parts.items()}
        for merge in (merge for merge in history if merge.round == round_):
            assert merge.left < merge.right
            assert before[merge.left] == merge.left  # a cluster is called by its lowest track
            assert before[merge.right] == merge.right
            assert merge.loss < max(merge.left_limit, merge.right_limit)
            assert parts[merge.left] is not parts[merge.right]  # none is told twice
            union = parts[merge.left] | parts[merge.right]
            parts |= dict.fromkeys(union, union)
    assert {frozenset(part) for part in parts.values()} == set(map(frozenset, as_sets(label)))
    assert len(history) == len(label) - len(as_sets(label))


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_the_history_tells_the_closest_matches_of_its_first_round_truly(seed):
    sides, slow, tracks = drawn(seed)
    told = [merge for merge in merged(sides)[2] if merge.round == 0]
    losses = {
        (i, j): loss_between_slowly(slow, tracks[i], tracks[j])
        for i, j in itertools.combinations(range(len(tracks)), 2)
    }
    limits = [own_limit_slowly(slow, crops) for crops in tracks]
    parts, closest = {track: {track} for track in range(len(tracks))}, []
    for i, j in sorted(losses, key=losses.get):
        if losses[i, j] < max(limits[i], limits[j]) and parts[i] is not parts[j]:
            union = parts[i] | parts[j]
            parts |= dict.fromkeys(union, union)
            closest.append((i, j))
    assert [(merge.left, merge.right) for merge in told] == sorted(closest)
    for merge in told:
        assert merge.loss == pytest.approx(losses[merge.left, merge.right])
        assert merge.left_limit == pytest.approx(limits[merge.left])
        assert merge.right_limit == pytest.approx(limits[merge.right])


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_labels_come_in_the_order_of_the_lowest_tracks(seed):
    label = merged(drawn(seed)[0])[0]
    first = [np.flatnonzero(label == number)[0] for number in range(label.max() + 1)]
    assert first == sorted(first)


@pytest.mark.parametrize("tracks", [2, 5, 40])
def test_identical_tracks_are_one_person(tracks):
    model, _ = scorer(0)
    outputs = draw_outputs(0, [0], [4], spread=0.3)
    label, limit, _ = merged(sides_of(model, np.tile(outputs, (tracks, 1, 1, 1)), [4] * tracks))
    assert label.tolist() == [0] * tracks
    assert len(limit) == 1


@pytest.mark.parametrize("tracks", [2, 3])
def test_far_tracks_are_never_one_person(tracks):
    model, _ = scorer(0)
    middle = 2 * np.eye(3)[:tracks, None].repeat(2, axis=1)  # each has an answer of its own
    noise = np.random.default_rng(0).normal(0, 0.02, (tracks, 4, 1, 2, 3))
    outputs = (middle[:, None, None] + noise).reshape(-1, 1, 2, 3)
    label, _, history = merged(sides_of(model, outputs, [4] * tracks))
    assert label.tolist() == list(range(tracks))
    assert history == []


def test_one_track_is_one_person():
    model, _ = scorer(0)
    label, limit, history = merged(sides_of(model, draw_outputs(0, [0], [3]), [3]))
    assert (label.tolist(), len(limit), history) == ([0], 1, [])


def test_no_tracks_are_nobody():
    model, _ = scorer(0)
    label, limit, history = merged(sides_of(model, np.empty((0, 2, 2, 3)), []))
    assert (len(label), len(limit), history) == (0, 0, [])


def test_tracks_of_single_crops_without_views_stay_apart():
    model, _ = scorer(0)
    label, limit, _ = merged(sides_of(model, draw_outputs(0, [0] * 4, [1] * 4), [1] * 4))
    assert label.tolist() == [0, 1, 2, 3]
    assert np.all(limit == -np.inf)


def test_a_long_chain_ends():
    """Neighbours match, the ends are far apart: one person by chaining, in bounded rounds."""
    model, _ = scorer(0)
    tracks = 60
    angle = np.linspace(0, np.pi, tracks)
    middle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)[:, None]
    noise = np.random.default_rng(0).normal(0, 0.15, (tracks, 6, 1, 2, 3))
    outputs = (middle[:, None, None] + noise).reshape(-1, 1, 2, 3)
    label, _, history = merged(sides_of(model, outputs, [6] * tracks))
    assert label.max() == 0
    assert len(history) == tracks - 1
    assert max(merge.round for merge in history) < tracks


@pytest.fixture
def model(pocket):
    return FaceModel.create(pocket, NO_FILE, QUICK, 0)


def clustered(crops, model, config, **rest):
    """Cluster tracks that are seen one after the other."""
    return cluster_crops(crops, one_by_one(len(crops.counts)), model, config, **rest)


def standardised(model, crops):
    with torch.no_grad():
        model.head.standardise(model.tail(model.eval().trunk(torch.tensor(crops.images))))
    return model


def test_a_rejected_track_is_unknown_and_the_others_are_as_without_it(model):
    everyone = draw_crops([0, 1, 2, 3, 0, 1, 2, 0, 3], [3, 4, 0, 5, 2, 3, 4, 1, 2])
    quality = clustered(everyone, model, EVERYBODY).quality
    worst = int(np.nanargmin(quality))
    crops = in_order(everyone, [worst, *(i for i in range(9) if i != worst)])
    standardised(model, crops)

    quality = clustered(crops, model, EVERYBODY).quality
    low, second = np.sort(quality[np.isfinite(quality)])[:2]
    median = np.nanmedian(quality)
    spread = 1.4826 * np.nanmedian(np.abs(quality - median))
    between = ClusterConfig(
        rule="loss", quality_deviations=float((median - (low + second) / 2) / spread)
    )
    found = clustered(crops, model, between)

    absent = int(np.flatnonzero(crops.counts == 0)[0])
    assert found.label[0] == -1
    assert found.label[absent] == -1
    assert np.isnan(found.quality).tolist() == (crops.counts == 0).tolist()
    known = np.flatnonzero(found.label >= 0)
    assert len(known) == 7
    assert found.label[known[0]] == 0
    assert len(found.limit) == found.label.max() + 1
    assert set(found.left) | set(found.right) <= set(known)
    for left, right in zip(found.left, found.right, strict=True):
        assert found.label[left] == found.label[right]
    assert len(found.left) == len(known) - len(found.limit)


def in_order(crops, tracks):
    """Return the same crops with the tracks in another order."""
    rows = np.concatenate([np.flatnonzero(crops.track == track) for track in tracks])
    counts = crops.counts[tracks]
    return Crops(
        crops.images[rows], np.repeat(np.arange(len(counts)), counts), crops.frame[rows],
        crops.sharpness[rows], crops.frontal[rows], counts,
    )  # fmt: skip


@pytest.mark.parametrize("counts", [[], [0], [0, 0, 0]])
def test_without_crops_everyone_is_unknown(model, counts):
    found = clustered(draw_crops([0] * len(counts), counts), model, EVERYBODY)
    assert found.label.tolist() == [-1] * len(counts)
    assert np.isnan(found.quality).all()
    assert len(found.limit) == len(found.left) == 0


def test_one_track_among_empty_ones_is_somebody(model):
    found = clustered(draw_crops([0, 1, 2], [0, 2, 0]), model, EVERYBODY)
    assert found.label.tolist() == [-1, 0, -1]


def test_clustering_is_repeatable_and_leaves_the_model_alone(model):
    crops = draw_crops([0, 1, 0, 1], [3, 2, 1, 2])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one, same = (clustered(crops, model, EVERYBODY, seed=5) for _ in range(2))
    other = clustered(crops, model, EVERYBODY, seed=6)
    for name, column in one.columns().items():
        np.testing.assert_array_equal(column, same.columns()[name])
    assert not np.array_equal(one.quality, other.quality)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_progress_counts_the_crops(model):
    told = []
    clustered(
        draw_crops(range(3), [30, 30, 30]), model, EVERYBODY,
        progress=lambda *now: told.append(now),
    )  # fmt: skip
    assert told == [(64, 90), (90, 90)]


def test_a_network_of_broken_numbers_recognises_nobody(model):
    with torch.no_grad():
        model.backbone.matrix.weight.fill_(torch.nan)
    found = clustered(draw_crops([0, 1], [2, 2]), model, EVERYBODY)
    assert found.label.tolist() == [-1, -1]


def test_everything_told_of_a_track_stands_in_its_row(model):
    crops = draw_crops([9, 0, 1, 1, 2, 0], [0, 4, 3, 3, 2, 4])
    standardised(model, crops)
    found = clustered(crops, model, ClusterConfig(rule="loss-late", quality_deviations=1e6))
    assert len(found.limit) > 1
    absent = crops.counts == 0
    for column in (found.own_loss, found.confidence):
        assert np.isnan(column).tolist() == absent.tolist()
    for column in (found.other, found.part):
        assert (column == -1).tolist() == absent.tolist()
    split = set(found.doubt_left[found.doubt_reason == TWO_GROUPS].tolist())
    for track in np.flatnonzero(~absent):
        assert found.other[track] != found.label[track]
        mates = np.flatnonzero(found.label == found.label[track])
        assert found.part[track] == mates[0] or mates[0] in split


def test_when_tracks_are_seen_changes_no_label_and_is_told(model):
    crops = draw_crops([9, 0, 0, 1, 5], [0, 4, 4, 4, 4])
    standardised(model, crops)
    apart = clustered(crops, model, EVERYBODY)
    together = cluster_crops(crops, tracks_seen([(0, 9)] * 5), model, EVERYBODY)
    for name, column in apart.columns().items():
        if not name.startswith("doubt"):
            np.testing.assert_array_equal(column, together.columns()[name])
    pairs = zip(together.doubt_left, together.doubt_right, strict=True)
    same = {
        (i, j)
        for i, j in itertools.combinations(range(1, 5), 2)
        if apart.label[i] == apart.label[j]
    }
    assert (1, 2) in same
    assert set(pairs) == same
    assert not np.any(apart.doubt_reason == SAME_TIME)


def test_tracks_of_another_film_are_refused(model):
    with pytest.raises(ValueError, match="3 tracks have 2 signatures"):
        cluster_crops(draw_crops([0, 1], [2, 2]), one_by_one(3), model, EVERYBODY)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from(["loss", "loss-nearest", "cosine"]), st.integers(1, 40))
def test_nothing_depends_on_how_much_is_held_at_a_time(seed, name, block):
    """Neither who is who nor why, whatever the number of losses, crops or tracks in a block."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 4, 14)
    model = scorer(seed)[0]
    embeddings = torch.tensor(rng.normal(0, 1, (5, 1, 32))[rng.integers(0, 5, 14)])
    embeddings = embeddings.repeat_interleave(torch.tensor(counts), 0).float()
    embeddings = embeddings + 0.05 * torch.tensor(rng.normal(0, 1, embeddings.shape)).float()
    said = told_apart(14, *rng.permutation(14)[:6].reshape(3, 2))

    def answers():
        sides = film_sides(model, embeddings, counts, RULES[name])
        label, limit, history = merge_tracks(sides, RULES[name], said)
        return label, limit, history, track_margins(sides, label, limit)

    label, limit, history, margins = answers()
    with pytest.MonkeyPatch.context() as patch:
        for room in (distance, confidence):
            patch.setattr(room, "BLOCK", block)
        patch.setattr(signature, "CROPS", block)
        again = answers()
    np.testing.assert_array_equal(again[0], label)
    np.testing.assert_allclose(again[1], limit, rtol=1e-5)
    assert [(m.round, m.left, m.right) for m in again[2]] == [
        (m.round, m.left, m.right) for m in history
    ]
    np.testing.assert_allclose(again[3].own, margins.own, rtol=1e-5)
    np.testing.assert_allclose(again[3].other, margins.other, rtol=1e-5)
    np.testing.assert_array_equal(again[3].nearest, margins.nearest)


def test_who_is_only_seen_faintly_joins_and_is_otherwise_unknown(model):
    crops = draw_crops([0, 0, 5], [4, 4, 4])
    tracks = one_by_one(3)
    shown = dataclasses.replace(tracks, usable=tracks.track == 0)
    config = ClusterConfig(quality_deviations=1e6)
    near = sign_tracks(crops, model, config)
    far = dataclasses.replace(
        near,
        mean_p=np.eye(3, near.mean_p.shape[1], dtype=np.float32) - _last(near.mean_p),
        mean_q=np.eye(3, near.mean_p.shape[1], dtype=np.float32) + _last(near.mean_p),
        usual=np.array([0.5], np.float32),
    )
    found = cluster_tracks(far, shown, config)
    assert found.label.tolist() == [0, -1, -1]  # three at right angles, of whom one is seen well
    alike = dataclasses.replace(far, mean_p=far.mean_p[[0, 0, 2]], mean_q=far.mean_q[[0, 0, 2]])
    assert cluster_tracks(alike, shown, config).label.tolist() == [0, 0, -1]
    nobody = dataclasses.replace(tracks, usable=np.zeros(len(tracks), bool))
    assert cluster_tracks(alike, nobody, config).label.tolist() == [-1, -1, -1]


def _last(columns):
    """Return the last column's ones, which make 1 - cos of products."""
    ones = np.zeros_like(columns)
    ones[:, -1] = 1
    return ones


def test_faces_that_look_ahead_count_most_and_none_counts_nothing():
    weight = signature.frontal_weight(np.array([0.0, 0.5, 1.0, np.nan], np.float32))
    assert weight.tolist() == pytest.approx([0.02, 0.27, 1.02, 1.02])
