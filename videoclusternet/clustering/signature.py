"""What the tuned network makes of each track, seen in several views: the sides of the loss.

After this nothing asks the network any more: who is who follows from these numbers alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.clustering.distance import RULES, Rule, Sides
from videoclusternet.clustering.quality import seen_and_scored, track_quality
from videoclusternet.config import ClusterConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Array, Crops, Progress, Signatures, silent

CROPS = 4096  # crops whose outputs are held at a time; ours


def sign_tracks(
    crops: Crops,
    model: FaceModel,
    config: ClusterConfig,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = silent,
) -> Signatures:
    """Return quality and sides of the loss of every track that the crops come from.

    The network sees each crop in several views, drawn from the seed, so that a track of one crop
    has pairs to take its limit from (ours).
    """
    if not len(crops):
        tracks = len(crops.counts)
        nothing = np.empty((tracks, 0), np.float32)
        none = np.full(tracks, np.nan, np.float32)
        return Signatures(none, crops.counts, nothing, nothing, np.zeros(tracks), nothing, nothing)
    model = model.to(device)
    embeddings, scores = seen_and_scored(
        model, crops.images, model.config.views, config, seed, progress
    )
    cropped = crops.counts > 0
    sides = film_sides(model, embeddings, crops.counts[cropped], RULES[config.rule])
    quality = track_quality(scores, crops.counts).astype(np.float32)
    return Signatures(quality, **{f.name: _all(getattr(sides, f.name), cropped) for f in SUMS})


def signing(config: ClusterConfig) -> ClusterConfig:
    """Return these settings with those that change no signature as if nobody had set them.

    A run whose settings differ in no more than these need not ask its network again.
    """
    mine = RULES[config.rule]
    alike = (
        name
        for name, rule in RULES.items()
        if (rule.distance, rule.mean) == (mine.distance, mine.mean)
    )
    merging = {"rule": next(alike), "quality_deviations": ClusterConfig().quality_deviations}
    return config.model_copy(update=merging)


SUMS = fields(Sides)


def _all(values: Array, cropped: Array) -> Array:
    """Return a column of all tracks with these values at those that have a crop, in its type."""
    kind = np.dtype(np.float32) if values.ndim == 2 else values.dtype
    column = np.zeros((len(cropped), *values.shape[1:]), kind)
    column[cropped] = values
    return column


@torch.no_grad()
def compared(model: FaceModel, embeddings: Tensor, rule: Rule) -> Tensor:
    """Return what a rule compares of embeddings (..., d): the head's outputs, or themselves."""
    features: Tensor = model.head(embeddings) if rule.distance == "loss" else embeddings
    return features


def film_sides(model: FaceModel, embeddings: Tensor, counts: Array, rule: Rule) -> Sides:
    """Return the sides of tracks from the embeddings (crops, views, d) of their crops.

    As `track_sides` does, but so many tracks at a time that what a head makes of their crops, some
    thousands of numbers each, is never held for the whole film.
    """
    starts = np.concatenate([[0], np.cumsum(counts)])
    part = starts[:-1] * embeddings.shape[1] // CROPS
    ends = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(counts)]
    parts = []
    for first, last in pairwise(ends):
        features = compared(model, embeddings[starts[first] : starts[last]], rule)
        parts.append(track_sides(model, features, counts[first:last], rule))
    if len(parts) == 1:
        return parts[0]
    columns = [[getattr(one, field.name) for one in parts] for field in fields(Sides)]
    return Sides(*map(np.concatenate, columns))


@torch.no_grad()
def track_sides(model: FaceModel, features: Tensor, counts: Array, rule: Rule) -> Sides:
    """Return the sides of tracks from what the rule compares of their crops.

    `features` are what `compared` returns: (crops, views, heads, k) for the loss, (crops, views, d)
    for the other distances. The crops stand in track order, `counts` (tracks,) of
    each, at least one. A view counts as a crop of its own (ours).
    """
    sides = SIDES[rule.distance]
    views = features.shape[1]
    starts = np.cumsum(counts) - counts
    p, q = sides(model, features.flatten(0, 1))
    sum_p, sum_q, own = (np.add.reduceat(x, starts * views) for x in (p, q, (p * q).sum(1)))
    if rule.mean == "late":
        count = (counts * views)[:, None]
        return Sides(counts * views, sum_p, sum_q, own, sum_p / count, sum_q / count)
    shape = (len(counts),) + (1,) * (features.ndim - 2)
    means = np.add.reduceat(features.double().mean(1).cpu().numpy(), starts) / counts.reshape(shape)
    mean_p, mean_q = sides(model, torch.as_tensor(means, device=features.device))
    return Sides(counts * views, sum_p, sum_q, own, mean_p, mean_q)


def _loss_sides(model: FaceModel, outputs: Tensor) -> tuple[Array, Array]:
    """Return P and Q (n, heads * k) of outputs (n, heads, k); P . Q averages the heads."""
    p = model.teacher_side(outputs).double().flatten(1) / outputs.shape[1]
    q = model.student_side(outputs).double().flatten(1)
    return p.cpu().numpy(), q.cpu().numpy()


def _cosine_sides(model: FaceModel, embeddings: Tensor) -> tuple[Array, Array]:
    """Return P and Q (n, d + 1) of embeddings (n, d): -P_i . Q_j = 1 - cosine."""
    unit = F.normalize(embeddings.double(), dim=1).cpu().numpy()
    one = np.ones((len(unit), 1))
    return np.hstack([unit, -one]), np.hstack([unit, one])


def _euclidean_sides(model: FaceModel, embeddings: Tensor) -> tuple[Array, Array]:
    """Return P and Q (n, d + 2) of embeddings (n, d): -P_i . Q_j = |x_i - x_j|^2.

    Squared, because only so the mean over pairs follows from sums (ours).
    """
    x = embeddings.double().cpu().numpy()
    one, square = np.ones((len(x), 1)), (x**2).sum(1, keepdims=True)
    return np.hstack([2 * x, -square, -one]), np.hstack([x, one, square])


SIDES: dict[str, Callable[[FaceModel, Tensor], tuple[Array, Array]]] = {
    "loss": _loss_sides,
    "cosine": _cosine_sides,
    "euclidean": _euclidean_sides,
}
