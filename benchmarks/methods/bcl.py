"""Ball cluster learning: people become balls of one learned radius, which says when to stop.

Tapaswi, Law, Fidler: Video Face Clustering with Unknown Number of Clusters, ICCV 2019. The settings
are those of its public code (makarandtapaswi/BallClustering_ICCV2019: `optim_modules.py`,
`evaluate.py`, and the rates and the epoch in its checkpoint), except where it says ours.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.methods import Teacher, ToldOf, TrackSet
from benchmarks.methods.learning import inputs, linear
from benchmarks.methods.linkage import cut
from videoclusternet.records import Array
from videoclusternet.results.metrics import score

LAYERS = (256, 128, 64, 64)
BATCH = 2000  # crops
APART, GAP = 9.0, 0.05  # squared distance to the next centre: 9 radii (squared ones) and this
STOP = 4.0  # squared distance below which all of a ball lies, in radii
PULL, PUSH = 4.0, 1.0  # weights of the two losses
FIRST = 0.1  # what the radius is the softplus of, at first
STEPS = 400  # batches; ours, about a tenth of the published, with ten times its rates
HELD = 5  # one in so many people is held out, to see when learning more helps no more; ours
EVERY = 20  # batches after which the people held out are grouped; ours
RATE, RADIUS_RATE, MOMENTUM = 3e-2, 3e-4, 0.9


class Balls(nn.Module):
    """Layers to points of unit length, and the squared radius of a ball of one person."""

    def __init__(self, dimension: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = (dimension, *LAYERS)
        self.layers = nn.ModuleList(linear(*pair, generator) for pair in pairwise(widths))
        self.before = nn.Parameter(torch.tensor(FIRST))

    @property
    def radius(self) -> Tensor:
        """The squared radius, above 0."""
        return functional.softplus(self.before)

    def forward(self, seen: Tensor) -> Tensor:
        """Return unit points (n, 64) of inputs (n, d)."""
        for layer in self.layers[:-1]:
            seen = functional.relu(layer(seen))
        return functional.normalize(self.layers[-1](seen), dim=1)


def group(tracks: TrackSet, told: ToldOf, seed: int, teacher: Teacher) -> list[Array]:
    """Group the tracks: see `Group`. Raises ValueError where the teacher names no two people."""
    if len(tracks) < 2:
        return [np.zeros(len(tracks), np.int64) for _ in told]
    balls, _ = train(teacher, seed)
    return [grouped(balls, tracks.means) for _ in told]


def grouped(balls: Balls, means: Array) -> Array:
    """Return labels (n,) of mean embeddings (n, d), by complete linkage up to what a ball holds."""
    with torch.no_grad():
        points = balls(inputs(means)).double().numpy()
    # Of unit points, the squared distance is twice the cosine one.
    return cut(points, "complete", [STOP * balls.radius.item() / 2])[0]


def train(teacher: Teacher, seed: int, steps: int = STEPS) -> tuple[Balls, list[float]]:
    """Return balls that were trained on the crops of named tracks, and the loss of each batch.

    Some of the people are held out, and the balls returned are those that grouped them best.
    """
    crops, whose = lessons(teacher, of_tracks=False)
    means, names = lessons(teacher, of_tracks=True)
    people = np.unique(names)
    if len(people) < 2:
        raise ValueError("balls are learned from tracks of at least two named people")
    rng = np.random.default_rng(seed)
    held = rng.permutation(people)[: len(people) // HELD]
    asked, taught = np.isin(names, held), ~np.isin(whose, held)
    seen = inputs(crops[taught])
    who = torch.as_tensor(np.unique(whose[taught], return_inverse=True)[1])
    balls = best = Balls(seen.shape[1], torch.Generator().manual_seed(seed))
    optimizer = torch.optim.SGD(
        [
            {"params": balls.layers.parameters(), "lr": RATE},
            {"params": [balls.before], "lr": RADIUS_RATE},
        ],
        momentum=MOMENTUM,
    )
    losses, record = [], -1.0
    for step in range(1, steps + 1):
        batch = torch.as_tensor(rng.permutation(len(seen))[:BATCH])
        loss = ball_loss(balls(seen[batch]), who[batch], balls.radius)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
        if len(held) > 1 and step % EVERY == 0:
            found = score(grouped(balls, means[asked]), names[asked].tolist()).bcubed_f1
            if found > record:
                best, record = deepcopy(balls), found
    return best, losses


def lessons(teacher: Teacher, *, of_tracks: bool) -> tuple[Array, Array]:
    """Return unit embeddings of named tracks, or of their crops, (n, d), and their names, (n,)."""
    named = [
        (tracks.means, names) if of_tracks else (tracks.unit, names[tracks.track])
        for tracks, names in teacher
        if len(tracks)
    ]
    if not named:
        return np.empty((0, 0)), np.empty(0, np.str_)
    values, names = (np.concatenate(part) for part in zip(*named, strict=True))
    return values[names != ""], names[names != ""]


def ball_loss(points: Tensor, who: Tensor, radius: Tensor) -> Tensor:
    """Return the loss of unit points (n, d) of people (n,) at a squared radius, a scalar.

    A point shall be within the radius of its person's centre, and the nearest of the other centres
    be farther than 9 times it and a gap; what lacks to either is the loss.
    """
    people, place = torch.unique(who, return_inverse=True)
    sums = points.new_zeros(len(people), points.shape[1]).index_add(0, place, points)
    centres = functional.normalize(sums, dim=1)
    squared = (2 - 2 * points @ centres.T).clamp(min=0)
    own = functional.one_hot(place, len(people)).bool()
    pull = functional.relu(squared[own] - radius).mean()
    nearest = squared.masked_fill(own, torch.inf).min(dim=1).values
    push = functional.relu(APART * radius + GAP - nearest).mean()
    return PULL * pull + PUSH * push
