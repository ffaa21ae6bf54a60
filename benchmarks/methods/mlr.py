"""MLR: logistic regression that learns from a few names, and from what the others cannot be.

Bäuml, Tapaswi, Stiefelhagen: Semi-supervised Learning with Constraints for Person Identification in
Multimedia Data, CVPR 2013. Of the paper only the abstract was read: multinomial logistic regression
whose loss joins labelled data, unlabelled data and constraints between tracks of one time. The
terms are those usual for each (log-likelihood, entropy, likelihood that the two differ); their
weights are ours. Its names came from subtitles and transcripts, of which a film has none here.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.methods import Names, ToldOf, TrackSet
from benchmarks.methods.learning import inputs
from videoclusternet.records import Array

SHARE = 0.2  # of the named tracks whose names are told, at least one; ours
ENTROPY, CONSTRAINT, DECAY = 0.1, 1.0, 1e-2  # weights of the losses beside that of the names
STEPS = 100  # of L-BFGS, at most


def group(tracks: TrackSet, told: ToldOf, seed: int, names: Names) -> list[Array]:
    """Give each track the most likely of the names that are told of some: see `Group`."""
    labels = labels_of(tracks, names, seed)
    return [labels for _ in told]


def labels_of(tracks: TrackSet, names: Array, seed: int) -> Array:
    """Return the label of each track, int64 (tracks,); all one where hardly anybody is named."""
    shown = labelled(names, seed)
    people, who = np.unique(names[shown], return_inverse=True)
    if len(people) < 2:
        return np.zeros(len(tracks), np.int64)
    seen, known = inputs(tracks.means), torch.as_tensor(who)
    rows, unknown = torch.as_tensor(shown), torch.ones(len(tracks), dtype=torch.bool)
    unknown[rows] = False
    pairs = torch.as_tensor(np.argwhere(np.triu(tracks.together)))
    weight = torch.zeros(seen.shape[1] + 1, len(people), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = objective(scores(seen, weight), rows, known, unknown, pairs)
        value = value + DECAY * weight[:-1].square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        found = scores(seen, weight).argmax(1)
        found[rows] = known  # what is told is not unlearned
    labels: Array = found.numpy()
    return labels


def labelled(names: Array, seed: int) -> Array:
    """Return the tracks whose names are told, a share of those that have one, int64 (n,)."""
    named = np.flatnonzero(names != "")
    many = max(1, round(SHARE * len(named))) if len(named) else 0
    return np.sort(np.random.default_rng(seed).permutation(named)[:many])


def scores(seen: Tensor, weight: Tensor) -> Tensor:
    """Return log-probabilities (tracks, people) by a weight (d + 1, people), offsets last."""
    return functional.log_softmax(seen @ weight[:-1] / seen.shape[1] ** 0.5 + weight[-1], dim=1)


def objective(log_p: Tensor, rows: Tensor, known: Tensor, unknown: Tensor, pairs: Tensor) -> Tensor:
    """Return the loss of log-probabilities (tracks, people), a scalar.

    Names (rows and their people), the entropy of those without, and pairs (n, 2) who are two.
    """
    value = functional.nll_loss(log_p[rows], known)
    p = log_p.exp()
    if unknown.any():
        value = value - ENTROPY * (p * log_p)[unknown].sum(1).mean()
    if len(pairs):
        same = (p[pairs[:, 0]] * p[pairs[:, 1]]).sum(1)
        value = value - CONSTRAINT * torch.log1p(-same.clamp(max=1 - 1e-6)).mean()
    return value
