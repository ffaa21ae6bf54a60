"""The training loss as a distance between clusters, exactly, from sums that add.

The loss of a pair (i, j) is -P_i . Q_j, with the probabilities P of the teacher's side and the
log-probabilities Q of the student's (both from the student with its head: paper). So the mean over
the pairs of two groups is minus the product of their mean P and mean Q, and the mean over the pairs
of different crops of one group needs just n, sum P, sum Q and sum P_i . Q_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Array


@dataclass(frozen=True, eq=False)
class Sides:
    """Both sides of the loss for each track, as sums that add when tracks merge.

    `count` (tracks,) is how many crops were seen; `p` and `q` (tracks, k) are the sums of their P
    and Q, `own` (tracks,) the sum of P_i . Q_i; `mean_p` and `mean_q` (tracks, k) are P and Q of
    the track's mean output. With several heads, k runs over the outputs of all, and P is divided by
    their number.
    """

    count: Array
    p: Array
    q: Array
    own: Array
    mean_p: Array
    mean_q: Array


@torch.no_grad()
def track_sides(model: FaceModel, outputs: Tensor, counts: Array) -> Sides:
    """Return the sides of tracks from the head's outputs (crops, views, heads, k).

    The crops stand in track order, `counts` (tracks,) of each, at least one. A view counts as a
    crop of its own (ours). The mean output is taken in front of the softmax (ours: not published).
    """
    views = outputs.shape[1]
    starts = np.cumsum(counts) - counts
    means = np.add.reduceat(outputs.double().mean(1).cpu().numpy(), starts)
    means /= counts[:, None, None]
    p, q = _flat_sides(model, outputs.flatten(0, 1))
    mean_p, mean_q = _flat_sides(model, torch.as_tensor(means, device=outputs.device))
    sum_p, sum_q, own = (np.add.reduceat(x, starts * views) for x in (p, q, (p * q).sum(1)))
    return Sides(counts * views, sum_p, sum_q, own, mean_p, mean_q)


def _flat_sides(model: FaceModel, outputs: Tensor) -> tuple[Array, Array]:
    """Return P and Q (n, heads * k) of outputs (n, heads, k); P . Q averages the heads."""
    p = model.teacher_side(outputs).double().flatten(1) / outputs.shape[1]
    q = model.student_side(outputs).double().flatten(1)
    return p.cpu().numpy(), q.cpu().numpy()


def pair_limit(count: Array, p: Array, q: Array, own: Array) -> Array:
    """Return the mean loss over all pairs of different crops in each cluster, (clusters,).

    From the cluster's number of crops (clusters,), its sums of P and Q (clusters, k) and of
    P_i . Q_i (clusters,). It is the threshold that the cluster sets for itself (paper). A cluster
    with a single crop has no pair: its limit is minus infinity, which nothing is below.
    """
    pairs = count * (count - 1.0)
    total = own - np.einsum("ck,ck->c", p, q)
    limit: Array = np.where(pairs > 0, total / np.maximum(pairs, 1.0), -np.inf)
    return limit


def loss_between(p: Array, q: Array) -> Array:
    """Return the loss between clusters, both directions averaged, (clusters, clusters).

    From the mean P and mean Q (clusters, k) of what each cluster brings.
    """
    one_way = p @ q.T
    loss: Array = -(one_way + one_way.T) / 2
    return loss
