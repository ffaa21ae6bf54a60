"""Who is who: clusters merge while their loss is below the limit that one of them sets for itself.

No number of people and no threshold is asked for (paper, stage 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from videoclusternet.clustering.confidence import track_margins
from videoclusternet.clustering.distance import (
    RULES,
    Rule,
    Sides,
    compare,
    compared,
    track_sides,
)
from videoclusternet.clustering.doubts import find_doubts
from videoclusternet.clustering.quality import recognisable, seen_and_scored, track_quality
from videoclusternet.clustering.written import nobody, written
from videoclusternet.config import ClusterConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Array, Clusters, Crops, Progress, Tracks, silent

BY_FAR = 0.5  # the excess over a limit, in distances from the nearest to the second; ours
FEWEST = 6  # clusters without which the second nearest is no measure of strangers; ours


def cluster_tracks(
    crops: Crops,
    tracks: Tracks,
    model: FaceModel,
    config: ClusterConfig,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = silent,
) -> Clusters:
    """Return who is who among the tracks that the crops come from.

    Tracks without a crop, and those that the network cannot recognise, are Unknown (-1). The
    network sees each crop in several views, drawn from the seed, so that a track of one crop has
    pairs to take its limit from (ours). When the tracks were seen decides nothing: it is only told
    where two tracks of one cluster are seen at one time. Raises ValueError where crops and tracks
    are not of one film.
    """
    if tracks.count != len(crops.counts):
        raise ValueError(f"{tracks.count} tracks have the crops of {len(crops.counts)}")
    if not len(crops):
        return nobody(np.full(len(crops.counts), np.nan))
    model = model.to(device)
    embeddings, scores = seen_and_scored(
        model, crops.images, model.config.views, config, seed, progress
    )
    quality = track_quality(scores, crops.counts)
    known = np.flatnonzero(recognisable(quality, config.quality_deviations))
    rows = torch.as_tensor(np.isin(crops.track, known), device=embeddings.device)
    rule = RULES[config.rule]
    features = compared(model, embeddings[rows], rule)
    sides = track_sides(model, features, crops.counts[known], rule)
    label, limit, history = merge_tracks(sides, rule)
    margins = track_margins(sides, label, limit)
    doubts, part = find_doubts(sides, label, tracks.spans[known])
    return written(known, quality, label, limit, history, margins, sides.count, doubts, part)


@dataclass(frozen=True)
class Merge:
    """Two clusters, each called by its lowest track, that became one, and why."""

    round: int
    left: int
    right: int
    loss: float
    left_limit: float
    right_limit: float

    def among(self, tracks: Array) -> Merge:
        """Return the same merge with the tracks' numbers in a larger set."""
        left, right = int(tracks[self.left]), int(tracks[self.right])
        return Merge(self.round, left, right, self.loss, self.left_limit, self.right_limit)


def merge_tracks(sides: Sides, rule: Rule) -> tuple[Array, Array, list[Merge]]:
    """Return the label of each track, the final limit of each cluster and the history.

    A cluster of one track brings each of its crops, a cluster of several the mean output of each
    (paper). Two clusters match when their loss is below the limit of either one (or of both, as the
    rule says); matches chain; then limits are taken anew from all crops, until nothing merges.
    Where the rule says so, clusters that find each other nearest by far merge then, too (ours), and
    all goes on. Every round but the last has fewer clusters than the one before, so there are at
    most as many rounds as tracks.
    """
    decides = np.maximum if rule.limits == "either" else np.minimum
    label = np.arange(len(sides.count))
    history: list[Merge] = []
    for round_ in range(len(label)):
        limit, loss = compare(sides, label)
        match = loss < decides(limit[:, None], limit[None, :])
        np.fill_diagonal(match, False)
        if rule.nearest and not match.any():
            match = _nearest_by_far(loss, limit, np.bincount(label))
        if not match.any():
            return label, limit, history
        history += _explain(round_, label, loss, limit, match)
        _, joined = connected_components(match, directed=False)
        label = _number(joined[label])
    return label, compare(sides, label)[0], history


def _nearest_by_far(loss: Array, limit: Array, size: Array) -> Array:
    """Return which clusters (n,) have found each other, bool (n, n).

    Each is the other's nearest, and for both the loss exceeds the own limit by less than `BY_FAR`
    of what lies between it and the loss to whoever comes next. Ours, because a limit is the mean of
    the losses inside: half of what belongs together lies above it, and what is left apart so stands
    out from all others. Two single tracks never merge by this: where nobody has come back yet,
    likeness is all there is.
    """
    if len(loss) < FEWEST:
        return np.zeros(loss.shape, bool)
    others = loss.copy()
    np.fill_diagonal(others, np.inf)
    nearest, second = np.partition(others, 1, axis=1)[:, :2].T
    clear = nearest - limit < BY_FAR * (second - nearest)
    found = (others <= nearest[:, None]) & clear[:, None]
    several = size > 1
    match: Array = found & found.T & (several[:, None] | several[None, :])
    return match


def _number(label: Array) -> Array:
    """Number clusters from 0 in the order of their lowest track."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _explain(round_: int, label: Array, loss: Array, limit: Array, match: Array) -> list[Merge]:
    """Return the fewest and closest of a round's matches that join all that it joins."""
    lowest = np.unique(label, return_index=True)[1]
    closeness = np.where(match, loss - loss.min() + 1.0, 0.0)
    tree = minimum_spanning_tree(coo_array(closeness)).tocoo()
    return [
        Merge(
            round_,
            int(lowest[a]),
            int(lowest[b]),
            float(loss[a, b]),
            float(limit[a]),
            float(limit[b]),
        )
        for a, b in sorted((min(i, j), max(i, j)) for i, j in zip(*tree.coords, strict=True))
    ]
