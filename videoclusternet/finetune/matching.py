"""Coarse matching: which tracks are so surely one person that they may be paired in training.

A Gaussian is fitted to the embeddings of each track; another track matches when the density of its
mean embedding reaches the mean of the lowest quarter of the densities of the track's own crops. It
is directed (paper). A track has too few crops for a covariance of its own, so all tracks share one,
pooled over crops and their augmented views and shrunk (ours: with own covariances nothing matches).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from videoclusternet.records import Array

DIMENSIONS = 32  # of the space that the Gaussians are fitted in; ours, docs/choices.md
LOWEST = 0.25  # the share of a track's own densities that sets its threshold (paper)


def match_tracks(embeddings: Array, counts: Array) -> Array:
    """Return matches (tracks, tracks), bool: the column's track lies inside the row's Gaussian.

    `embeddings` (crops, views, d) stand in track order, `counts` (tracks,) says how many crops each
    track has. A track without crops matches nothing; the diagonal is False.
    """
    matches = np.zeros((len(counts), len(counts)), bool)
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return matches
    views = embeddings.shape[1]
    track = np.repeat(np.arange(len(present)), counts[present] * views)
    points = embeddings.reshape(-1, embeddings.shape[2]).astype(np.float64)
    sizes = np.bincount(track)
    points = _whiten(_principal(points, track, sizes), track, sizes)
    means = _means(points, track, sizes)

    # Under one shared covariance a log density is minus half the squared whitened distance, up to
    # a constant that both sides of the comparison share.
    own = -0.5 * ((points - means[track]) ** 2).sum(1)
    starts = np.cumsum(sizes) - sizes
    limits = np.array(
        [_threshold(own[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    )
    inside = -0.5 * cdist(means, means, "sqeuclidean") >= limits[:, None]
    np.fill_diagonal(inside, False)
    matches[np.ix_(present, present)] = inside
    return matches


def _threshold(densities: Array) -> float:
    """Return the log of the mean of the lowest quarter of log densities."""
    lowest = np.sort(densities)[: max(1, round(LOWEST * len(densities)))]
    return float(logsumexp(lowest) - np.log(len(lowest)))


def _means(points: Array, track: Array, sizes: Array) -> Array:
    sums = np.zeros((len(sizes), points.shape[1]))
    np.add.at(sums, track, points)
    return sums / sizes[:, None]


def _principal(points: Array, track: Array, sizes: Array) -> Array:
    """Keep the directions in which the tracks differ most, by their standardised means."""
    points = (points - points.mean(0)) / np.maximum(points.std(0), 1e-12)
    means = _means(points, track, sizes)
    _, extent, directions = np.linalg.svd(means - means.mean(0), full_matrices=False)
    rank = np.count_nonzero(extent > 1e-9 * extent[0])  # the directions beyond it are arbitrary
    return points @ directions[: min(DIMENSIONS, max(1, rank))].T


def _whiten(points: Array, track: Array, sizes: Array) -> Array:
    """Scale the space so that the pooled covariance inside the tracks is the identity."""
    inner = points - _means(points, track, sizes)[track]
    covariance = shrunk_covariance(inner, len(points) - len(sizes))
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
