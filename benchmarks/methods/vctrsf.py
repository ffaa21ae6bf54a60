"""VCTRSF: a transformer sees all crops of a track at once, and draws its views to their centre.

Wang, Dong, Shen, Luo, Lin, Ma, Petridis, Pantic: Self-supervised Video-centralised Transformer for
Video Face Clustering, arXiv 2203.13166. Of the paper only the abstract was read: a transformer
learns video-level representations, trained without labels around a centre of each video. It sees
embeddings here, not pictures; all that is not said in the abstract is ours.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.methods import ToldOf, TrackSet, learning
from benchmarks.methods.linkage import cut
from videoclusternet.records import Array

WIDTH, HEADS, INNER = 128, 4, 256
CROPS = 8  # of a track that one view shows
BATCH = 32  # tracks
HEAT = 0.2  # temperature of the likeness to the centres
KEPT = 0.9  # of a centre at each of its track's turns
RATE = 1e-3
SHORTER = 4  # a step sees so many times the crops that a step of the Siamese rivals sees


class Encoder(nn.Module):
    """Crops of a track to one point: what they have in common, and what attention adds to it."""

    def __init__(self, dimension: int, generator: torch.Generator) -> None:
        super().__init__()
        self.enter = learning.linear(dimension, WIDTH, generator)
        self.ask, self.answer, self.value = (
            learning.linear(WIDTH, WIDTH, generator) for _ in range(3)
        )
        self.inner = learning.linear(WIDTH, INNER, generator)
        self.outer = learning.linear(INNER, WIDTH, generator)
        nn.init.zeros_(self.outer.weight)

    def forward(self, seen: Tensor) -> Tensor:
        """Return unit points (n, width) of crops (n, crops, d)."""
        tokens = functional.layer_norm(self.enter(seen), (WIDTH,))
        split = (*tokens.shape[:2], HEADS, WIDTH // HEADS)
        ask, answer, value = (
            part(tokens).view(split).transpose(1, 2) for part in (self.ask, self.answer, self.value)
        )
        mixed = functional.scaled_dot_product_attention(ask, answer, value)
        tokens = functional.layer_norm(tokens + mixed.transpose(1, 2).flatten(2), (WIDTH,))
        tokens = tokens + self.outer(functional.gelu(self.inner(tokens)))
        return functional.normalize(tokens.mean(1), dim=1)


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Group the tracks into so many people: see `Group`."""
    if len(tracks) < 2:
        return [np.zeros(len(tracks), np.int64) for _ in told]
    encoder, _ = train(tracks, seed)
    return cut(points(encoder, tracks), "average", told)


def train(tracks: TrackSet, seed: int, steps: int | None = None) -> tuple[Encoder, list[float]]:
    """Return an encoder that was trained on the tracks, and the loss of each step."""
    rng = np.random.default_rng(seed)
    crops = learning.inputs(tracks.unit)
    encoder = Encoder(crops.shape[1], torch.Generator().manual_seed(seed))
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=RATE)
    with torch.no_grad():
        centres = torch.as_tensor(points(encoder, tracks), dtype=torch.float32)
    rivals = torch.as_tensor(tracks.together)
    losses = []
    for _ in range(learning.STEPS // SHORTER if steps is None else steps):
        who = rng.permutation(len(tracks))[:BATCH]
        seen = encoder(crops[view(tracks.counts, who, rng)])
        loss = centred_loss(seen, centres, torch.as_tensor(who), rivals)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
        moved = KEPT * centres[who] + (1 - KEPT) * seen.detach()
        centres[who] = functional.normalize(moved, dim=1)
    return encoder, losses


def view(counts: Array, who: Array, rng: np.random.Generator) -> Array:
    """Draw crops of these tracks, int64 (n, CROPS), with replacement."""
    start = np.cumsum(counts) - counts
    drawn: Array = start[who, None] + rng.integers(0, counts[who, None], (len(who), CROPS))
    return drawn


def centred_loss(seen: Tensor, centres: Tensor, who: Tensor, rivals: Tensor) -> Tensor:
    """Return the loss of unit points (n, width) of tracks `who` (n,), a scalar.

    Each is drawn to its track's centre (tracks, width) and, where `rivals` (tracks, tracks) says
    that its track shares a frame with others, pushed from theirs. Tracks that were never seen
    together may be one person, and do not count.
    """
    likeness = seen @ centres.T / HEAT
    own = functional.one_hot(who, len(centres)).bool()
    among = likeness.masked_fill(~(own | rivals[who]), -torch.inf)
    told = torch.logsumexp(among, 1) - likeness[own]
    return (told + 1 - likeness[own] * HEAT).mean()


@torch.no_grad()
def points(encoder: Encoder, tracks: TrackSet) -> Array:
    """Return the point of each track that all of its crops give, float64 (tracks, width)."""
    parts = torch.split(learning.inputs(tracks.unit), tracks.counts.tolist())
    return torch.cat([encoder(part[None]) for part in parts]).double().numpy()
