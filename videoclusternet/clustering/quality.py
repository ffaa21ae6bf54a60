"""How well the network can recognise a track at all: SER-FIQ.

A face that the network knows gives nearly the same embedding whichever units are dropped; a blurred
or turned one does not (SER-FIQ, Terhörst et al. 2020; paper).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.config import ClusterConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.views import Views, trunk_views
from videoclusternet.records import Array, Progress, silent

DROPOUT = 0.1  # share of the values in front of the tail that are dropped; ours


@torch.no_grad()
def seen_and_scored(
    model: FaceModel,
    images: Array,
    views: Views,
    config: ClusterConfig,
    seed: int,
    progress: Progress = silent,
) -> tuple[Tensor, Array]:
    """Return the embeddings of crops, one at least, in several views, and each crop's score.

    The embeddings are (crops, views, d), the scores (crops,).

    The first view is the crop itself, and is the one that is scored; see `crop_quality`.
    """
    embeddings, scores = [], []
    for values in trunk_views(model, images, views, progress):
        embeddings.append(model.tail(values))
        scores.append(crop_quality(model, values[:, 0], config, seed))
    return torch.cat(embeddings), np.concatenate(scores)


@torch.no_grad()
def crop_quality(
    model: FaceModel, values: Tensor, config: ClusterConfig, seed: int, dropout: float = DROPOUT
) -> Array:
    """Return the score of each crop, 0 to 1, from the trunk's values (crops, width).

    `2 sigmoid(-d)` with the mean distance d between the normalised embeddings of several passes
    with drop-out in front of the tail. All crops share the masks, so the score of a crop does not
    depend on which others are scored with it.
    """
    generator = torch.Generator().manual_seed(seed)
    keep = 1 - dropout
    width = values.shape[1]
    masks = torch.rand(config.quality_passes, width, generator=generator).to(values.device) < keep
    scores = [_agreement(F.normalize(model.tail(crop * masks / keep), dim=-1)) for crop in values]
    return torch.stack(scores).double().cpu().numpy() if scores else np.empty(0)


def _agreement(embeddings: Tensor) -> Tensor:
    """Return the score of one crop from its normalised embeddings (passes, d)."""
    return 2 * torch.sigmoid(-F.pdist(embeddings).mean())


def track_quality(scores: Array, counts: Array) -> Array:
    """Return the mean score of each track's crops, (tracks,), NaN where it has none (ours)."""
    sums = np.bincount(np.repeat(np.arange(len(counts)), counts), scores, minlength=len(counts))
    with np.errstate(invalid="ignore"):
        return sums / counts
