"""Coarse matching: the shrunk covariance, the threshold, and who matches whom."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.covariance import oas
from sklearn.manifold import TSNE

from tests.oracles import chain, shrunk_slowly
from videoclusternet.finetune import matching as room
from videoclusternet.finetune.matching import DIMENSIONS, FITS, match_tracks, shrunk_covariance

SEEDS = st.integers(0, 10**6)


def draw(seed, people, counts, *, d=40, views=3, spread=0.3):
    """Return embeddings (crops, views, d) of tracks of these people, Gaussian around each."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(0, 1, (max(people, default=0) + 1, d))
    shape = spread * rng.uniform(0.3, 1.7, d)
    crop = np.repeat(np.array(people, int), counts)
    return middle[crop][:, None] + shape * rng.normal(0, 1, (len(crop), views, d))


def match(embeddings, counts, **how):
    return match_tracks(embeddings, np.array(counts, np.int64), **how)


def same_person(people):
    return np.equal.outer(people, people) & ~np.eye(len(people), dtype=bool)


@given(SEEDS, st.integers(2, 30), st.integers(2, 6))
def test_the_covariance_is_the_published_one(seed, n, d):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 1, (n, d)) * rng.uniform(0.1, 3, d)
    freedom = int(rng.integers(1, n + 1))
    np.testing.assert_allclose(
        shrunk_covariance(points, freedom), shrunk_slowly(points.tolist(), freedom), rtol=1e-8
    )


@given(SEEDS, st.floats(1e-3, 1e3))
def test_the_covariance_is_in_the_units_of_the_points(seed, scale):
    points = np.random.default_rng(seed).normal(0, [1, 2, 5], (50, 3))
    np.testing.assert_allclose(
        shrunk_covariance(scale * points, 50), scale**2 * shrunk_covariance(points, 50), rtol=1e-9
    )


@pytest.mark.parametrize(("n", "d"), [(40, 200), (3000, 300)])
def test_in_many_dimensions_it_is_that_of_scikit_learn(n, d):
    rng = np.random.default_rng(n)
    points = rng.normal(0, 1, (n, d)) * rng.uniform(0.2, 3, d)
    points -= points.mean(0)
    expected, amount = oas(points, assume_centered=True)
    assert 0.01 < amount < 1
    found = shrunk_covariance(points, n)
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.01 * expected.max())


def test_with_many_points_it_is_the_covariance_itself():
    points = np.random.default_rng(0).normal(0, [1, 2, 5], (200_000, 3))
    np.testing.assert_allclose(
        shrunk_covariance(points, len(points)), np.diag([1.0, 4, 25]), atol=0.2
    )


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("d", [1, 2, 7])
def test_points_without_extent_have_a_small_sphere(n, d):
    found = shrunk_covariance(np.zeros((n, d)), 0)
    assert np.all(np.linalg.eigvalsh(found) > 0)
    assert found.max() <= 1e-12


def matches_slowly(embeddings, counts):
    """Match by the plain rule in the given space, fitting the pooled covariance again and again.

    For embeddings that need no reduction: fewer dimensions than tracks, standardised.
    """
    d = embeddings.shape[2]
    stops = np.cumsum(counts)
    tracks = [
        embeddings[stop - count : stop].reshape(-1, d)
        for stop, count in zip(stops, counts, strict=True)
    ]
    groups = [{number} for number in range(len(tracks))]
    for _ in range(FITS):
        pooled = [np.concatenate([tracks[t] for t in sorted(group)]) for group in groups]
        inner = np.concatenate([points - points.mean(0) for points in pooled])
        covariance = np.array(shrunk_slowly(inner.tolist(), len(inner) - len(groups)))
        found = inside_slowly(tracks, covariance)
        mutual = list(zip(*np.nonzero(found & found.T), strict=True))
        groups = chain(tracks, mutual)
    return found


def inside_slowly(tracks, covariance):
    """Return whose mean lies inside whose Gaussian, by the densities themselves."""
    d = covariance.shape[0]
    inverse = np.linalg.inv(covariance)
    constant = -0.5 * (d * math.log(2 * math.pi) + math.log(np.linalg.det(covariance)))

    def density(point, mean):
        return math.exp(constant - 0.5 * (point - mean) @ inverse @ (point - mean))

    means = [points.mean(0) for points in tracks]
    found = np.zeros((len(tracks), len(tracks)), bool)
    for j, points in enumerate(tracks):
        densities = sorted(density(point, means[j]) for point in points)
        lowest = densities[: max(1, round(len(points) / 4))]
        limit = sum(lowest) / len(lowest)
        for k in range(len(tracks)):
            found[j, k] = j != k and density(means[k], means[j]) >= limit
    return found


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 3))
def test_matches_are_those_of_the_plain_rule(seed, views):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 5))
    people = rng.integers(0, 4, int(rng.integers(d + 1, 9))).tolist()
    counts = rng.integers(1, 6, len(people)).tolist()
    assume(views > 1 or max(counts) > 1)  # single points have no covariance: the test above
    points = draw(seed, people, counts, d=d, views=views, spread=rng.uniform(0.1, 1.5))
    flat = points.reshape(-1, d)
    points = (points - flat.mean(0)) / flat.std(0)
    np.testing.assert_array_equal(match(points, counts), matches_slowly(points, counts))


PEOPLE = [0, 1, 2, 3, 0, 1, 2, 0, 1, 4, 5, 0]
COUNTS = [5, 3, 4, 6, 2, 5, 1, 4, 3, 2, 1, 1]


SPACES = pytest.mark.parametrize("tsne", [False, True], ids=["principal", "tsne"])


@SPACES
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("d", [16, 128])
def test_tracks_of_one_person_match_and_no_others(seed, d, tsne):
    """Embeddings (.., d) that vary in 16 directions: noise in all of 128 would bury the people."""
    directions = np.random.default_rng(seed).normal(0, 1, (16, d))
    points = draw(seed, PEOPLE, COUNTS, d=16) @ directions
    found, same = match(points, COUNTS, tsne=tsne, seed=seed), same_person(PEOPLE)
    assert not np.any(found & ~same)
    assert np.count_nonzero(found & same) > 0.7 * np.count_nonzero(same)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shared", [1, 2])
def test_what_differs_between_shots_is_learned_from_what_matched(monkeypatch, seed, shared):
    """Each track is moved along a few directions that all share, as by the light of its shot.

    No single track shows that, only several of one person do.
    """
    people, d = np.repeat(np.arange(6), 5).tolist(), 24
    counts = [4] * len(people)
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(0, 1, (d, shared)))[0].T
    moved = rng.normal(0, 1, (len(people), shared)) @ directions
    points = draw(seed, people, counts, d=d) + np.repeat(moved, counts, axis=0)[:, None]
    again, same = match(points, counts), same_person(people)
    monkeypatch.setattr(room, "FITS", 1)
    once = match(points, counts)
    assert not np.any((once | again) & ~same)
    assert np.all(again >= once)
    assert np.count_nonzero(once) < 0.75 * np.count_nonzero(same)
    assert np.count_nonzero(again) > 0.9 * np.count_nonzero(same)


def test_the_same_seed_makes_the_same_plane_and_nobody_elses_numbers_are_used():
    points = draw(3, PEOPLE, COUNTS, spread=0.8)
    flat = points.reshape(-1, points.shape[2])
    mine, torchs = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    found, plane = match(points, COUNTS, tsne=True, seed=7), room._plane(flat, 7)
    assert 0 < np.count_nonzero(found) < found.size
    assert torch.equal(torch.get_rng_state(), torchs)
    assert np.array_equal(np.random.get_state()[1], mine[1])  # noqa: NPY002
    assert np.random.get_state()[2] == mine[2]  # noqa: NPY002
    np.random.rand(5)  # noqa: NPY002
    np.testing.assert_array_equal(match(points, COUNTS, tsne=True, seed=7), found)
    np.testing.assert_array_equal(room._plane(flat, 7), plane)


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("counts", [[1, 1], [1, 0, 1], [1, 1, 1], [1, 2]])
def test_a_plane_can_be_made_of_fewer_points_than_one_is_to_have_neighbours(counts, views):
    points = draw(0, range(len(counts)), counts, views=views, spread=0.01)
    found = match(points, counts, tsne=True)
    assert found.shape == (len(counts),) * 2
    assert not found.diagonal().any()
    empty = np.equal(counts, 0)
    assert not found[empty].any()
    assert not found[:, empty].any()
    if len(points) * views == np.count_nonzero(counts):  # a Gaussian of one point is that point
        assert not found.any()
    assert np.isfinite(room._plane(points.reshape(-1, points.shape[2]), 0)).all()


def test_a_match_is_directed():
    """A wide track holds the mean of a narrow one beside it, and not the other way round."""
    rng = np.random.default_rng(0)
    wide = rng.normal(0, 1.0, (40, 1, 3))
    narrow = rng.normal([0.7, 0, 0], 0.05, (40, 1, 3))
    far = rng.normal([0, 9, 9], 0.5, (40, 1, 3))
    found = match(np.concatenate([wide, narrow, far]), [40, 40, 40])
    assert found.tolist() == [[False, True, False], [False, False, False], [False, False, False]]


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_the_order_of_the_tracks_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    tracks = int(rng.integers(2, 9))  # with few tracks not every direction tells them apart
    people, counts = rng.integers(0, 3, tracks), rng.integers(1, 5, tracks)
    points = draw(seed, people.tolist(), counts.tolist(), spread=1.0)
    order = rng.permutation(tracks)
    starts = np.cumsum(counts) - counts
    rows = np.concatenate([np.arange(starts[t], starts[t] + counts[t]) for t in order])
    found, shuffled = match(points, counts), match(points[rows], counts[order])
    np.testing.assert_array_equal(shuffled, found[np.ix_(order, order)])


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(-50, 50), st.floats(0.01, 100))
def test_scale_and_origin_of_the_embeddings_do_not_matter(seed, shift, scale):
    points = draw(seed, PEOPLE, COUNTS, d=8)
    np.testing.assert_array_equal(match(points * scale + shift, COUNTS), match(points, COUNTS))


def test_more_tracks_than_dimensions_of_the_fit():
    people = [i // 3 for i in range(3 * DIMENSIONS)]
    counts = [3] * len(people)
    found = match(draw(0, people, counts, d=100), counts)
    same = same_person(people)
    assert not np.any(found & ~same)
    assert np.count_nonzero(found) > 0.7 * np.count_nonzero(same)


def test_a_track_without_crops_matches_nothing_and_changes_nothing():
    points = draw(0, PEOPLE, COUNTS)
    found = match(points, [0, *COUNTS[:6], 0, *COUNTS[6:], 0])
    here = [i for i in range(len(PEOPLE) + 3) if i not in (0, 7, 14)]
    np.testing.assert_array_equal(found[np.ix_(here, here)], match(points, COUNTS))
    assert np.count_nonzero(found) == np.count_nonzero(found[np.ix_(here, here)])


@SPACES
@pytest.mark.parametrize("counts", [[], [0], [4], [0, 4, 0]])
def test_fewer_than_two_tracks_match_nothing(counts, tsne):
    found = match(draw(0, [0] * len(counts), counts), counts, tsne=tsne)
    assert found.shape == (len(counts), len(counts))
    assert not found.any()


def test_single_crops_without_views_match_nothing_else():
    """A Gaussian of one point is that point."""
    assert not match(draw(0, [0, 0, 1], [1, 1, 1], views=1), [1, 1, 1]).any()


def test_single_points_far_from_a_wide_track_and_inside_it():
    rng = np.random.default_rng(1)
    wide = rng.normal(0, 1, (60, 1, 2))
    found = match(np.concatenate([wide, [[[0.1, 0.1]], [[30, -20]]]]), [60, 1, 1])
    assert found.tolist() == [[False, True, False], [False, False, False], [False, False, False]]


@pytest.mark.parametrize(("between", "near"), [(0.5, True), (2.0, False)])
def test_two_tracks_are_compared_along_the_line_between_them(between, near):
    """Their crops differ as much across it, where nothing tells the tracks apart.

    Two standard deviations are too far in one direction, and would be near enough in two.
    """
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (2, 200, 1, 2))
    points -= points.mean(1, keepdims=True)
    points[1, ..., 0] += between
    found = match(points.reshape(400, 1, 2), [200, 200])
    assert found.tolist() == [[False, near], [near, False]]


@SPACES
@pytest.mark.parametrize("d", [1, 2, 50])
def test_identical_points_are_one_person(d, tsne):
    points = np.tile(np.random.default_rng(0).normal(0, 1, (1, 1, d)).round(2), (7, 2, 1))
    found = match(points, [2, 4, 1], tsne=tsne)
    assert found.tolist() == (~np.eye(3, dtype=bool)).tolist()


def test_still_tracks_of_different_people_do_not_match():
    points = np.repeat(np.random.default_rng(0).normal(0, 1, (3, 1, 9)), [2, 4, 1], axis=0)
    assert not match(np.tile(points, (1, 2, 1)), [2, 4, 1]).any()


def test_in_the_plane_of_a_tsne_the_rule_is_the_same():
    points = draw(3, PEOPLE, COUNTS, d=12, spread=1.2)
    flat = points.reshape(-1, 12)
    flat = (flat - flat.mean(0)) / flat.std(0)
    plane = TSNE(2, perplexity=30, init="pca", random_state=5).fit_transform(flat)
    expected = matches_slowly(plane.reshape(len(points), -1, 2).astype(float), COUNTS)
    found = match_tracks(points, np.array(COUNTS), tsne=True, seed=5)
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, match(points, COUNTS))


@pytest.mark.parametrize(("n", "neighbours"), [(10, 3), (40, 13), (91, 30), (130, 30)])
def test_the_plane_is_that_of_scikit_learn(n, neighbours):
    points = np.random.default_rng(n).normal(0, 1, (n, 3))
    expected = TSNE(2, perplexity=neighbours, init="pca", random_state=5).fit_transform(points)
    np.testing.assert_array_equal(room._plane(points, 5), expected)


@pytest.mark.parametrize("points", [np.eye(9)[:, :2], np.eye(9)[:, :1], np.zeros((9, 5))])
def test_what_lies_in_a_plane_or_in_one_place_stays_there(points):
    np.testing.assert_array_equal(room._plane(points, 0), points)


@pytest.mark.parametrize("block", [1, 7, 40])
def test_nothing_depends_on_how_much_is_held_at_a_time(monkeypatch, block):
    people, counts = [0, 1, 2, 3] * 4, [3, 5] * 8
    drawn = draw(0, people, counts)
    before, whole = drawn.copy(), match(drawn, counts)
    monkeypatch.setattr(room, "BLOCK", block)
    np.testing.assert_array_equal(match(drawn, counts), whole)
    np.testing.assert_array_equal(drawn, before)
