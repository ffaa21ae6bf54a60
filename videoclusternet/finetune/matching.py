"""Coarse matching: which tracks are so surely one person that they may be paired in training.

A Gaussian is fitted to the embeddings of each track; another track matches when the density of its
mean embedding reaches the mean of the lowest quarter of the densities of the track's own crops. It
is directed (paper). A track has too few crops for a covariance of its own, so all tracks share one,
pooled over crops and their augmented views and shrunk (ours: with own covariances nothing matches);
and what matched both ways is pooled as one when it is fitted again, because how a person differs
from shot to shot no single track can show (ours).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from videoclusternet.records import Array
from videoclusternet.said import Said

DIMENSIONS = 32  # of the space that the Gaussians are fitted in; ours, docs/choices.md
LOWEST = 0.25  # the share of a track's own densities that sets its threshold (paper)
BLOCK = 1 << 24  # densities that are held at a time; ours
FITS = 4  # of the covariance, at most; ours
NEIGHBOURS = 30  # of a point in the t-SNE space (its perplexity, scikit-learn's default)


def match_tracks(embeddings: Array, counts: Array, *, tsne: bool = False, seed: int = 0) -> Array:
    """Return matches (tracks, tracks), bool: the column's track lies inside the row's Gaussian.

    `embeddings` (crops, views, d) stand in track order, `counts` (tracks,) says how many crops each
    track has. A track without crops matches nothing; the diagonal is False. The Gaussians are
    fitted in the space of the directions in which the tracks differ most (ours), or with `tsne` in
    the plane of a t-SNE (slides), whose random numbers come from the seed.
    """
    matches = np.zeros((len(counts), len(counts)), bool)
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return matches
    views = embeddings.shape[1]
    track = np.repeat(np.arange(len(present)), counts[present] * views)
    points = embeddings.reshape(-1, embeddings.shape[2]).astype(np.float64)
    deviation = points.std(0)
    points -= points.mean(0)  # in place: there are as many as the film has views of crops
    points /= np.maximum(deviation, 1e-12)
    points = _plane(points, seed) if tsne else _principal(points, track)
    group = np.arange(len(present))
    for _ in range(FITS):
        inside = _inside(points, track, group[track])
        before = group
        group = connected_components(inside & inside.T, directed=False)[1]
        if np.array_equal(group, before):
            break
    np.fill_diagonal(inside, False)
    matches[np.ix_(present, present)] = inside
    return matches


def _inside(points: Array, track: Array, group: Array) -> Array:
    """Return for each pair of tracks whether the column's mean lies inside the row's Gaussian."""
    points = _whiten(points, group)
    means, sizes = _means(points, track), np.bincount(track)

    # Under one shared covariance a log density is minus half the squared whitened distance, up to
    # a constant that both sides of the comparison share.
    own = -0.5 * ((points - means[track]) ** 2).sum(1)
    starts = np.cumsum(sizes) - sizes
    limits = np.array(
        [_threshold(own[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    )
    inside = np.empty((len(means), len(means)), bool)
    rows = max(1, BLOCK // len(means))
    for start in range(0, len(means), rows):
        block = slice(start, start + rows)
        inside[block] = -0.5 * cdist(means[block], means, "sqeuclidean") >= limits[block, None]
    return inside


def _threshold(densities: Array) -> float:
    """Return the log of the mean of the lowest quarter of log densities."""
    lowest = np.sort(densities)[: max(1, round(LOWEST * len(densities)))]
    return float(logsumexp(lowest) - np.log(len(lowest)))


def _means(points: Array, part: Array) -> Array:
    sizes = np.bincount(part)
    sums = np.zeros((len(sizes), points.shape[1]))
    np.add.at(sums, part, points)
    return sums / sizes[:, None]


def _principal(points: Array, track: Array) -> Array:
    """Keep the directions in which the tracks differ most, by their means."""
    means = _means(points, track)
    _, extent, directions = np.linalg.svd(means - means.mean(0), full_matrices=False)
    rank = np.count_nonzero(extent > 1e-9 * extent[0])  # the directions beyond it are arbitrary
    return points @ directions[: min(DIMENSIONS, max(1, rank))].T


def _plane(points: Array, seed: int) -> Array:
    """Return the points (n, 2) of a t-SNE; those in a plane or all in one place stay there."""
    if points.shape[1] <= 2 or np.all(points == points[0]):
        return points
    from sklearn.manifold import TSNE  # takes half a second to import, and few films ask for it

    neighbours = min(NEIGHBOURS, (len(points) - 1) / 3)
    plane = TSNE(2, perplexity=neighbours, init="pca", random_state=seed).fit_transform(points)
    return plane.astype(np.float64)


def _whiten(points: Array, group: Array) -> Array:
    """Scale the space so that the pooled covariance inside the groups is the identity."""
    means = _means(points, group)
    covariance = shrunk_covariance(points - means[group], len(points) - len(means))
    factor = cholesky(covariance, lower=True)
    return solve_triangular(factor, points.T, lower=True).T


def shrunk_covariance(centred: Array, freedom: int) -> Array:
    """Return the covariance (d, d) of centred points (n, d), shrunk towards a sphere.

    The amount is the oracle approximating shrinkage of Chen, Wiesel, Eldar and Hero (2010), for
    `freedom` independent points. A point cloud without any extent gives a small sphere.
    """
    d = centred.shape[1]
    n = max(1, freedom)
    covariance = centred.T @ centred / n
    size = np.trace(covariance) / d
    square = (covariance**2).sum()
    excess = (n + 1 - 2 / d) * (square - d * size**2)
    amount = 1.0 if excess <= 0 else min(1.0, ((1 - 2 / d) * square + (d * size) ** 2) / excess)
    sphere = np.eye(d) * max(size, 1e-12)
    return (1 - amount) * covariance + amount * sphere


def obey(matches: Array, said: Said, counts: Array) -> None:
    """Let matches (tracks, tracks) say what a person said, where there are crops to show it.

    Who was called one person matches both ways; who was told apart, and all that are one person
    with either, do not match at all (ours).
    """
    label = np.where(counts > 0, said.together(), -1)
    for group in np.unique(said.group[said.group >= 0]).tolist():
        tracks = np.flatnonzero((said.group == group) & (counts > 0))
        matches[np.ix_(tracks, tracks)] = True
    np.fill_diagonal(matches, False)
    for left, right in zip(label[said.left].tolist(), label[said.right].tolist(), strict=True):
        if min(left, right) < 0:
            continue
        one, other = np.flatnonzero(label == left), np.flatnonzero(label == right)
        matches[np.ix_(one, other)] = matches[np.ix_(other, one)] = False
