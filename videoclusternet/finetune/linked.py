"""Matching by average linkage: which tracks are so surely one person that they train together.

The Gaussians of the paper (`finetune.matching`) need many crops of a track: a track of a second has
a handful, all alike, and nothing of another shot lies inside them. What the film shows and the
film's own threshold find four of ten times as many pairs on real films (docs/choices.md). Ours.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from videoclusternet.clustering.distance import RULES, Sides
from videoclusternet.clustering.group import group_tracks, links_among
from videoclusternet.clustering.signature import frontal_weight, track_sides
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Array, Crops, Links
from videoclusternet.said import Said

SUREST = 0.9
"""Share of the film's threshold up to which tracks are matched: a wrong match is learned, a missing
one is not."""


def match_by_linkage(
    model: FaceModel, embeddings: Tensor, crops: Crops, links: Links, said: Said
) -> Array:
    """Return matches, bool (tracks, tracks), both ways; the diagonal is False.

    Args:
        model: the network that made the embeddings.
        embeddings: of the crops, the first view of each is looked at, (crops, views, d).
        crops: of the tracks, which match nothing where they have none.
        links: what the film shows of them.
        said: what a person said of them.
    """
    present = np.flatnonzero(crops.counts)
    sides = mean_sides(model, embeddings, crops)
    found = group_tracks(
        sides, RULES["cosine-average"], said.among(present), links_among(links, present),
        np.ones(len(present), bool), model.strangers, SUREST,
    )  # fmt: skip
    matches = np.zeros((len(crops.counts),) * 2, bool)
    matches[np.ix_(present, present)] = found.label[:, None] == found.label
    np.fill_diagonal(matches, False)
    return matches


def mean_sides(model: FaceModel, embeddings: Tensor, crops: Crops) -> Sides:
    """Return what average linkage compares of the tracks that have crops."""
    counts, weight = crops.counts[crops.counts > 0], frontal_weight(crops.frontal)
    return track_sides(model, embeddings[:, :1], counts, RULES["cosine-average"], weight)
