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

from videoclusternet.clustering.distance import RULES, Rule, Sides, pair_limit
from videoclusternet.clustering.quality import seen_and_scored, track_quality
from videoclusternet.config import ClusterConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.views import augmented, mirrored
from videoclusternet.records import Array, Crops, Progress, Signatures, silent

CROPS = 4096  # crops whose outputs are held at a time; ours
LEAST_WEIGHT = 0.02  # of a crop in the mean of its track; ours


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

    For average linkage the network sees each crop and its mirror image; the rules by which a track
    takes a limit from its own crops see it in several views, drawn from the seed, so that a track
    of one crop has pairs (ours).
    """
    rule = RULES[config.rule]
    if not len(crops):
        tracks = len(crops.counts)
        nothing = np.empty((tracks, 0), np.float32)
        none = np.full(tracks, np.nan, np.float32)
        return Signatures(
            none, crops.counts, nothing, nothing, np.zeros(tracks), nothing, nothing,
            _usual(model, rule),
        )  # fmt: skip
    model = model.to(device)
    views = mirrored if rule.average else augmented(model.config.views, seed)
    embeddings, scores = seen_and_scored(model, crops.images, views, config, seed, progress)
    return sign_embedded(model, embeddings, crops, rule, track_quality(scores, crops.counts))


def sign_embedded(
    model: FaceModel, embeddings: Tensor, crops: Crops, rule: Rule, quality: Array
) -> Signatures:
    """Return sides and quality (tracks,) of tracks from the embeddings (crops, views, d) of their
    crops, one at least, in the views that the rule wants.
    """
    cropped = crops.counts > 0
    weight = frontal_weight(crops.frontal) if rule.average else None
    sides = film_sides(model, embeddings, crops.counts[cropped], rule, weight)
    columns = {f.name: _all(getattr(sides, f.name), cropped) for f in SUMS}
    return Signatures(quality.astype(np.float32), **columns, usual=_usual(model, rule))


def _usual(model: FaceModel, rule: Rule) -> Array:
    """Return the column of the distance between strangers: of what a rule compares, if known."""
    known = rule.average and rule.distance == "cosine" and model.strangers is not None
    return np.array([model.strangers] if known else [], np.float32)


def frontal_weight(frontal: Array) -> Array:
    """Return how much each crop counts in the mean of its track, (crops,).

    The square of how far the face looks into the camera (ours): what a network makes of a profile
    says more of the profile than of the person. A little more than 0, so that a track of profiles
    has a mean, too. Where nobody measured it (NaN), all count alike.
    """
    weight: Array = np.nan_to_num(frontal.astype(np.float64), nan=1.0) ** 2 + LEAST_WEIGHT
    return weight


def signing(config: ClusterConfig) -> ClusterConfig:
    """Return these settings with those that change no signature as if nobody had set them.

    A run whose settings differ in no more than these need not ask its network again.
    """
    mine = RULES[config.rule]
    alike = (
        name
        for name, rule in RULES.items()
        if (rule.distance, rule.mean, rule.average) == (mine.distance, mine.mean, mine.average)
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


def film_sides(
    model: FaceModel,
    embeddings: Tensor,
    counts: Array,
    rule: Rule,
    weight: Array | None = None,
) -> Sides:
    """Return the sides of tracks from the embeddings (crops, views, d) of their crops.

    As `track_sides` does, but so many tracks at a time that what a head makes of their crops, some
    thousands of numbers each, is never held for the whole film.
    """
    starts = np.concatenate([[0], np.cumsum(counts)])
    part = starts[:-1] * embeddings.shape[1] // CROPS
    ends = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(counts)]
    parts = []
    for first, last in pairwise(ends):
        rows = slice(starts[first], starts[last])
        features = compared(model, embeddings[rows], rule)
        weights = None if weight is None else weight[rows]
        parts.append(track_sides(model, features, counts[first:last], rule, weights))
    if len(parts) == 1:
        return parts[0]
    columns = [[getattr(one, field.name) for one in parts] for field in fields(Sides)]
    return Sides(*map(np.concatenate, columns))


@torch.no_grad()
def track_sides(
    model: FaceModel, features: Tensor, counts: Array, rule: Rule, weight: Array | None = None
) -> Sides:
    """Return the sides of tracks from what the rule compares of their crops.

    `features` are what `compared` returns: (crops, views, heads, k) for the loss, (crops, views, d)
    for the other distances. The crops stand in track order, `counts` (tracks,) of each, at least
    one; `weight` (crops,) is what each counts in the mean of its track. A view counts as a crop of
    its own (ours), but for average linkage: there the views of a crop are one, and a track is its
    mean, whose pairs are as far apart as its crops are on average.
    """
    sides = SIDES[rule.distance]
    views = features.shape[1]
    starts = np.cumsum(counts) - counts
    weight = np.ones(len(features)) if weight is None else weight
    middle = features.double().mean(1)
    if rule.average and rule.distance == "cosine":
        middle = F.normalize(middle, dim=-1)
    middle = middle * torch.as_tensor(weight, device=middle.device).view(
        -1, *(1,) * (middle.ndim - 1)
    )
    whole = np.add.reduceat(weight, starts).reshape(-1, *(1,) * (middle.ndim - 1))
    means = np.add.reduceat(middle.cpu().numpy(), starts) / whole
    mean_p, mean_q = sides(model, torch.as_tensor(means, device=features.device))
    if rule.average:
        if rule.distance == "loss":
            mean_p, mean_q = _centred(mean_p, mean_q)
        within = _within(*sides(model, features.mean(1)), counts)
        p, q = counts[:, None] * mean_p, counts[:, None] * mean_q
        own = within * counts * (counts - 1.0) + (p * q).sum(1)
        return Sides(counts, p, q, own, mean_p, mean_q)
    p, q = sides(model, features.flatten(0, 1))
    sum_p, sum_q, own = (np.add.reduceat(x, starts * views) for x in (p, q, (p * q).sum(1)))
    if rule.mean == "late":
        count = (counts * views)[:, None]
        return Sides(counts * views, sum_p, sum_q, own, sum_p / count, sum_q / count)
    return Sides(counts * views, sum_p, sum_q, own, mean_p, mean_q)


def _centred(p: Array, q: Array) -> tuple[Array, Array]:
    """Return P and Q (n, k + 2) whose loss is the distance of `clustering.linkage`: that of a track
    to itself is 0, so that all that is compared has one unit.
    """
    own = (p * q).sum(1, keepdims=True)
    half, one = np.full_like(own, -0.5), np.ones_like(own)
    return np.hstack([p, -own / 2, half]), np.hstack([q, one, own])


def _within(p: Array, q: Array, counts: Array) -> Array:
    """Return the mean distance of the crops of each track from each other, (tracks,), 0 of one.

    From P and Q of the crops (n, k), as distances are in `clustering.linkage`.
    """
    starts = np.cumsum(counts) - counts
    sum_p, sum_q, own = (np.add.reduceat(x, starts) for x in (p, q, (p * q).sum(1)))
    apart = own / counts + pair_limit(counts, sum_p, sum_q, own)
    within: Array = np.where(counts > 1, apart, 0.0)
    return within


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
