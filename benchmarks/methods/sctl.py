"""SCTL: who is who and which tracks follow each other, each helping to tell the other.

Wu, Lyu, Hu, Ji: Simultaneous Clustering and Tracklet Linking for Multi-face Tracking in Videos,
ICCV 2013. Of the paper only the abstract was read: a hidden Markov random field of labels and
links, inferred by constrained clustering and optimal matching in turns. All else is ours.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from benchmarks.methods import ToldOf, TrackSet
from videoclusternet.records import Array

GAP = 50  # frames within which a track may be followed by another
LINK = 0.25  # squared distance of two unit means up to which it may
APART, TOGETHER = 4.0, 0.5  # what one label for tracks of one time costs, and two for linked ones
ROUNDS = 20  # of labels and links in turns, at most


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Group the tracks into so many people: see `Group`."""
    return [labels_of(tracks, int(people or 1), seed) for people in told]


def labels_of(tracks: TrackSet, people: int, seed: int) -> Array:
    """Return the label of each track, of at most so many people, int64 (tracks,)."""
    if len(tracks) <= people:
        return np.arange(len(tracks))
    means = tracks.means
    start = KMeans(people, n_init=10, random_state=seed).fit_predict(means)
    label: Array = start.astype(np.int64)
    rng = np.random.default_rng(seed)
    for _ in range(ROUNDS):
        before = label.copy()
        linked = links(tracks, label)
        centres = _centres(means, label, people)
        squared = ((means[:, None] - centres) ** 2).sum(2)
        for one in rng.permutation(len(label)):
            label[one] = cost(one, squared[one], label, tracks.together, linked).argmin()
        if np.array_equal(label, before):
            break
    return label


def links(tracks: TrackSet, label: Array) -> Array:
    """Return which tracks follow each other, bool (tracks, tracks), both ways.

    The matching of ends and beginnings that is cheapest in all, where a link costs the squared
    distance of the means and, between two labels, half of `LINK` more, and no link costs `LINK`.
    """
    likeness = tracks.means @ tracks.means.T
    gap = tracks.first[None, :] - tracks.last[:, None]
    price = 2 - 2 * likeness + LINK / 2 * (label[:, None] != label)
    possible = (gap > 0) & (gap <= GAP) & (price < LINK)
    number = len(label)
    # Each end may also be matched with nothing, which has a column of its own.
    prices = np.concatenate([np.where(possible, price, 1e3), np.full((number, number), LINK)], 1)
    rows, columns = linear_sum_assignment(prices)
    linked = np.zeros((number, number), bool)
    real = (columns < number) & (prices[rows, columns] < LINK)
    linked[rows[real], columns[real]] = True
    return linked | linked.T


def cost(one: int, squared: Array, label: Array, together: Array, linked: Array) -> Array:
    """Return what each label would cost a track, (people,), all other labels as they are.

    `squared` (people,) are its squared distances to the centres.
    """
    people = len(squared)
    rivals = np.bincount(label[together[one]], minlength=people)
    friends = np.bincount(label[linked[one]], minlength=people)
    costs: Array = squared + APART * rivals + TOGETHER * (friends.sum() - friends)
    return costs


def _centres(means: Array, label: Array, people: int) -> Array:
    """Return the mean of each label (people, d); of one that nobody has, it is far from all."""
    centres = np.full((people, means.shape[1]), 1e3)
    for number in np.unique(label):
        centres[number] = means[label == number].mean(0)
    return centres
