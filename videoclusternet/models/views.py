"""Augmented views of crops: what each side of the loss sees, and what statistics are taken over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from kornia.augmentation import (
    AugmentationSequential,
    RandomHorizontalFlip,
    RandomPlanckianJitter,
    RandomRotation,
)
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.durable import let_go
from videoclusternet.models.device import by_halves
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Array, Progress, silent

BATCH = 64  # crops at a time; bounds memory
DEGREES = 20.0  # ours: heads tilt, although crops are aligned by five points
LIGHT = (0.25, 1.8)  # factor on all values; ours
CONTRAST = (0.4, 1.5)  # factor on the distance from the picture's mean; ours
SATURATION = (0.3, 1.6)  # factor on the distance from grey; ours
DETAIL = (0.1, 0.4)  # side of the picture that a blurred view is scaled down to and up from; ours


class Augmentation:
    """Horizontal flip, rotation and colour temperature (paper), light and detail (ours).

    Ours because faces that are dark or small in one shot and not in the next are where people fall
    apart: `docs/choices.md` has what it gave. All is drawn from one seed, call by call.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.draws = 0
        self.published = AugmentationSequential(
            RandomHorizontalFlip(p=0.5),
            RandomRotation(DEGREES, p=0.8),
            RandomPlanckianJitter(mode="blackbody", p=0.8),
            data_keys=["input"],
        )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return changed copies of pictures (n, size, size, 3) uint8 RGB, in the same form."""
        if not len(images):
            return images
        x = images.permute(0, 3, 1, 2).float() / 255
        with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
            torch.manual_seed(self.seed * 1_000_003 + self.draws)
            x = _detail(_light(self.published(x)))
        self.draws += 1
        return (x * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def _light(x: Tensor) -> Tensor:
    """Change light, contrast and saturation of each picture (n, 3, h, w)."""

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device)

    grey = x.mean(1, keepdim=True)
    x = torch.lerp(grey, x, draw(*SATURATION))
    return torch.lerp(grey.mean((2, 3), keepdim=True), x, draw(*CONTRAST)) * draw(*LIGHT)


def _detail(x: Tensor) -> Tensor:
    """Take the fine detail from about half of the pictures, as if they had been small."""
    chosen = torch.rand(len(x), device=x.device) < 0.5
    share = DETAIL[0] + (DETAIL[1] - DETAIL[0]) * float(torch.rand(()))
    size = x.shape[-1]
    small = F.interpolate(x[chosen], size=max(1, round(size * share)), mode="area")
    x[chosen] = F.interpolate(small, size=size, mode="bilinear")
    return x


Views = Callable[[Tensor], list[Tensor]]
"""Pictures (n, size, size, 3) to the views of them that a network is shown, in the same form."""


def augmented(views: int, seed: int) -> Views:
    """Return what shows each picture itself and, drawn from the seed, so many less one of it."""
    augment = Augmentation(seed)
    return lambda images: [images, *(augment(images) for _ in range(views - 1))]


def mirrored(images: Tensor) -> list[Tensor]:
    """Return pictures and their mirror images: a face turned left is like itself turned right."""
    return [images, images.flip(2)]


@torch.no_grad()
def trunk_views(
    model: FaceModel, images: Array, views: Views, progress: Progress = silent
) -> Iterator[Tensor]:
    """Yield the trunk's values of crops in some views, (batch, views, width), in order.

    Not all are held at once: in front of its last layer a network may have ten times as many values
    as behind it.
    """
    model.eval()
    for start in range(0, len(images), BATCH):
        batch = torch.tensor(images[start : start + BATCH], device=model.device)
        let_go(images)
        yield torch.stack([by_halves(model.trunk, x) for x in views(batch)], dim=1)
        progress(min(start + BATCH, len(images)), len(images))


@torch.no_grad()
def embedded_views(
    model: FaceModel, images: Array, views: int, seed: int, progress: Progress = silent
) -> Tensor:
    """Return the embeddings of crops under augmentation, (crops, views, d): see `trunk_views`."""
    none = torch.empty(0, views, model.spec.dimension, device=model.device)
    values = trunk_views(model, images, augmented(views, seed), progress)
    return torch.cat([none, *(model.tail(batch) for batch in values)])
