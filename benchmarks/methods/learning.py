"""What the rivals that train a network on embeddings share: the network and its loss.

The settings are those of the public code of SSiam (vivoutlaw/SSIAM: `cnn_unsup_siamese.m`,
`cnn_mlp_init.m`, `vl_nncontrloss.m`, `clustering.m`), except where it says ours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.methods import TrackSet
from videoclusternet.records import Array

WIDTH = 512  # of the hidden layer, which becomes the features
POINT = 2  # values in which the loss measures distances
HALF = 64  # pairs of one person, and as many of two, in each batch
MARGIN = 1.0  # from which on two people are far enough from each other
RATE, MOMENTUM, DECAY = 1e-3, 0.9, 5e-4  # of stochastic gradient descent
STEPS = 1000  # batches; ours, where 15 epochs of a television episode are several thousands

Draw = Callable[[np.random.Generator], tuple[Array, Array, Array]]
"""Draws a batch of pairs: two crops each, int64 (pairs,), and whether they are one person, bool."""


class Siamese(nn.Module):
    """A layer that becomes the features, and one above it whose distances are trained."""

    def __init__(self, dimension: int, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden = linear(dimension, WIDTH, generator)
        self.point = linear(WIDTH, POINT, generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return points (n, 2) of inputs (n, d)."""
        points: Tensor = self.point(functional.relu(self.hidden(inputs)))
        return points


def linear(inside: int, outside: int, generator: torch.Generator) -> nn.Linear:
    """Return a layer with weights from the generator (He et al. 2015) and no bias yet; ours."""
    layer = nn.Linear(inside, outside, device="meta").to_empty(device="cpu")  # draws nothing
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def inputs(unit: Array) -> Tensor:
    """Return unit embeddings (n, d) so long that their values are near 1, float32.

    Ours: the published networks take embeddings that are not of unit length, and their rates are
    made for those.
    """
    return torch.as_tensor(unit * np.sqrt(unit.shape[1]), dtype=torch.float32)


def contrastive_loss(left: Tensor, right: Tensor, same: Tensor) -> Tensor:
    """Return the mean loss of pairs of points (n, k), a scalar (Hadsell et al. 2006).

    One person costs the squared distance, two people the square of what lacks to the margin.
    """
    squared = (left - right).square().sum(1)
    lacking = functional.relu(MARGIN - torch.linalg.vector_norm(left - right, dim=1))
    return torch.where(same, squared, lacking.square()).mean()


def paired(counts: Array, allowed: Array, size: int, rng: np.random.Generator) -> Array:
    """Draw pairs of crops, int64 (2, size), or (2, 0) where no two tracks are `allowed`.

    The first is any crop whose track has another one in its row of `allowed`, bool (tracks,
    tracks); then comes one of those tracks, and any crop of it. A track may be its own partner
    where it has two crops or more; the two are different then.
    """
    track = np.repeat(np.arange(len(counts)), counts)
    rows = np.flatnonzero(np.any(allowed, axis=1)[track])
    if not len(rows):
        return np.empty((2, 0), np.int64)
    left = rng.choice(rows, size)
    mine = track[left]
    other = np.argmax((1 - rng.random((size, len(counts)))) * allowed[mine], axis=1)
    start = np.cumsum(counts) - counts
    own = other == mine
    step = rng.integers(0, counts[other] - own)
    place = np.where(own, (left - start[mine] + 1 + step) % counts[mine], step)
    return np.stack([left, start[other] + place])


def by_tracks(counts: Array, one: Array, two: Array) -> Draw:
    """Return what draws pairs by which tracks are `one` person and which `two`, bool (n, n)."""

    def draw(rng: np.random.Generator) -> tuple[Array, Array, Array]:
        near, far = (paired(counts, allowed, HALF, rng) for allowed in (one, two))
        left, right = np.concatenate([near, far], axis=1)
        return left, right, np.arange(len(left)) < near.shape[1]

    return draw


def train(
    crops: Tensor, draw: Draw, seed: int, steps: int | None = None
) -> tuple[Siamese, list[float]]:
    """Train on crops (n, d) by `STEPS` batches of drawn pairs; also return their losses."""
    rng = np.random.default_rng(seed)
    network = Siamese(crops.shape[1], torch.Generator().manual_seed(seed))
    optimizer = torch.optim.SGD(
        network.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY
    )
    losses: list[float] = []
    for _ in range(STEPS if steps is None else steps):
        left, right, same = draw(rng)
        if not len(same):
            break
        points = network(crops[np.concatenate([left, right])])
        loss = contrastive_loss(points[: len(same)], points[len(same) :], torch.as_tensor(same))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return network, losses


def track_features(tracks: TrackSet, draw: Draw, seed: int, steps: int | None = None) -> Array:
    """Return the mean of each track's learned features, at unit length, float64 (tracks, d).

    The features of a crop are those of the hidden layer, before values below zero are cut off. A
    track that is alone has nothing to be told from, and keeps its mean embedding.
    """
    if len(tracks) < 2:
        return tracks.means
    crops = inputs(tracks.unit)
    network, _ = train(crops, draw, seed, steps)
    with torch.no_grad():
        learned = network.hidden(crops).double().numpy()
    means = np.zeros((len(tracks), WIDTH))
    np.add.at(means, tracks.track, learned)
    means /= tracks.counts[:, None]
    unit: Array = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return unit
