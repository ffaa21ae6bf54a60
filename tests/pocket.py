"""A network small enough for tests, its row of the table, and drawn people for it to know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.config import FinetuneConfig
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.registry import DLIB, BackboneSpec, Feed
from videoclusternet.records import Crops
from videoclusternet.weights.choice import WeightsFile

SIZE = 24

POCKET = BackboneSpec(
    name="pocket",
    module="tests.pocket",
    variant="only",
    feed=Feed(
        size=SIZE,
        template=tuple((x * SIZE / DLIB.size, y * SIZE / DLIB.size) for x, y in DLIB.template),
        mean=(120.0, 110.0, 100.0),
        scale=(64.0, 64.0, 64.0),
    ),
    dimension=32,
    parameters=9_472,
    code_licence="Apache-2.0",
    weights_licence="CC0-1.0",
    source="this module",
    asset="pocket",
)
NO_FILE = WeightsFile(Path(__file__), "0" * 64)
"""What stands for the file of the pocket networks, which draw their parameters themselves."""

QUICK = FinetuneConfig(
    when="always", matching="principal",
    heads=4, outputs=32, hidden=32, batch=16, head_passes=40, passes=3, rounds=2, views=3,
    backbone_rate=3e-4, head_rate=3e-3,
)  # fmt: skip


class PocketNet(Backbone):
    """One convolution with frozen batch normalisation, and a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2)
        self.norm = nn.BatchNorm2d(8)
        self.matrix = nn.Linear(8 * 36, POCKET.dimension)

    def trunk(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(x)))
        return F.adaptive_avg_pool2d(x, 6).flatten(1)

    def tail(self, values: Tensor) -> Tensor:
        return self.matrix(values)


def build(variant="only"):
    return PocketNet()


def load(path):
    """Return the network with parameters and statistics that are always the same."""
    net, generator = build(), torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                drawn = torch.rand(value.shape, generator=generator)
                value.copy_(drawn + 0.5 if name.startswith("norm") else drawn - 0.5)
    return net


def draw_crops(people, counts, *, seed=0, noise=12.0):
    """Return the crops of tracks: of person `people[i]` there are `counts[i]`, noisy and shifted.

    A person is a pattern of patches that is its own mirror image.
    """
    rng = np.random.default_rng(seed)
    images = [
        _picture(person, rng, noise)
        for person, count in zip(people, counts, strict=True)
        for _ in range(count)
    ]
    total = sum(counts)
    return Crops(
        images=np.array(images, np.uint8).reshape(-1, SIZE, SIZE, 3),
        track=np.repeat(np.arange(len(counts)), counts),
        frame=np.arange(total),
        sharpness=np.ones(total, np.float32),
        frontal=np.ones(total, np.float32),
        counts=np.array(counts, np.int64),
    )


def _picture(person, rng, noise):
    drawn = np.random.default_rng(1000 + person).permutation(np.arange(0, 256, 17))
    half = drawn.reshape(4, 4)[:, :2, None] * [1.0, 0.8, 0.6]
    face = np.kron(np.concatenate([half, half[:, ::-1]], axis=1), np.ones((6, 6, 1)))
    shifted = np.roll(face, rng.integers(-1, 2, 2), (0, 1)) * rng.uniform(0.9, 1.1)
    return (shifted + rng.normal(0, noise, shifted.shape)).round().clip(0, 255)
