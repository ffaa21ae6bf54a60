"""A vision transformer small enough for tests, and its row of the table."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.pocket import POCKET, QUICK, SIZE
from videoclusternet.models.backbone import PatchBackbone

POCKET_VIT = dataclasses.replace(POCKET, name="pocket_vit", module="tests.pocket_vit")
PATCH, WIDTH, HEADS = 6, 32, 4
SIDE = SIZE // PATCH

QUICK_VIT = QUICK.model_copy(
    update={"heads": 16, "head_passes": 80, "passes": 30, "backbone_rate": 1e-3}
)


class Block(nn.Module):
    """Attention and a perceptron, each behind a normalisation and beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_inner = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.ask = nn.Linear(WIDTH, 3 * WIDTH)
        self.answer = nn.Linear(WIDTH, WIDTH)
        self.inner, self.outer = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        n, places, _ = x.shape
        asked = self.ask(self.before_attention(x)).view(n, places, 3, HEADS, WIDTH // HEADS)
        seen = F.scaled_dot_product_attention(*asked.permute(2, 0, 3, 1, 4))
        x = x + self.answer(seen.transpose(1, 2).flatten(2))
        return x + self.outer(F.gelu(self.inner(self.before_inner(x))))


class PocketVit(PatchBackbone):
    """Patches of 6 pixels and a class token, two blocks, and a matrix behind all tokens.

    That the embedding is made of all tokens, as in ArcFace's transformers, lets it tell people
    apart as it comes, with parameters that nobody has trained.
    """

    grid = (SIDE, SIDE)
    patch_width = WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.place = nn.Parameter(torch.randn(1 + SIDE * SIDE, WIDTH))
        self.class_token = nn.Parameter(torch.randn(WIDTH) / 2)
        self.mask_token = nn.Parameter(torch.randn(WIDTH) / 4)
        self.blocks = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(WIDTH)
        self.matrix = nn.Linear((1 + SIDE * SIDE) * WIDTH, POCKET_VIT.dimension)

    def tokens(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        patches = self.cut(x).flatten(2).transpose(1, 2)
        if mask is not None:
            patches = torch.where(mask[..., None], self.mask_token, patches)
        first = self.class_token.expand(len(x), 1, -1)
        seen = self.norm(self.blocks(torch.cat([first, patches], dim=1) + self.place))
        return seen.flatten(1), seen[:, 1:]

    def tail(self, values: Tensor) -> Tensor:
        return self.matrix(values)


def build(variant="only"):
    return PocketVit()


def load(path):
    """Return the network with parameters that are always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return build()
