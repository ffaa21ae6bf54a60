"""CLIP's vision transformer, with a class token, as FaRL publishes it for faces.

FaRL (Zheng et al. 2022, arXiv 2112.03109) trained CLIP's ViT-B/16 (Radford et al. 2021, arXiv
2103.00020) on faces and their captions, and to guess hidden patches besides, so its files hold a
mask token. CLIP's do not, and then it begins as zeros, as iBOT's does.

The embedding is CLIP's: the class token, normalised, times a matrix. Drop-out goes in front of that
matrix, so the trunk ends behind the normalisation (ours). Patch tokens pass the same normalisation
(ours, as in iBOT): CLIP gives it to the class token alone and returns no patches.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.models.backbone import PatchBackbone


class Shape(NamedTuple):
    """What sets the sizes of all parameters."""

    size: int  # height and width of a picture in pixels
    patch: int  # height and width of a patch in pixels
    width: int  # length of a token
    layers: int
    heads: int  # of attention in each layer
    outputs: int  # length of an embedding


VARIANTS = {"b16": Shape(size=224, patch=16, width=768, layers=12, heads=12, outputs=512)}

# Names of ours that files need not hold: the parameter then stays as it was built.
OWN = ("mask_token",)

# What FaRL's files also hold: the layers that guessed hidden patches while it was trained.
SPARE = ("lm_transformer.", "ln_lm.", "lm_head.")


class _Attention(nn.Module):
    """Every token looks at all; one matrix holds questions, keys and values, in this order."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) / width**0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, places, width = x.shape
        asked = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        asked = asked.view(n, places, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(asked[0], asked[1], asked[2])
        return self.out_proj(seen.transpose(1, 2).flatten(2))


class _Perceptron(nn.Module):
    """Two layers with CLIP's quick stand-in for GELU between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c_fc(x)
        return self.c_proj(x * torch.sigmoid(1.702 * x))


class _Block(nn.Module):
    """Attention and a perceptron, each behind a normalisation and beside a shortcut."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = _Attention(width, heads)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = _Perceptron(width)
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class _Blocks(nn.Module):
    """The blocks, one behind the other, under the name that the files have for them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        blocks = (_Block(shape.width, shape.heads) for _ in range(shape.layers))
        self.resblocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.resblocks(x)


class ClipVit(PatchBackbone):
    """Pictures (n, 3, size, size), normalised, to embeddings (n, outputs).

    `trunk` ends in the normalised class token, (n, width); `tail` is the matrix behind it.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, side = shape.width, shape.size // shape.patch
        self.grid = (side, side)
        self.patch_width = width
        self.conv1 = nn.Conv2d(3, width, shape.patch, shape.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) / width**0.5)
        self.positional_embedding = nn.Parameter(torch.randn(1 + side * side, width) / width**0.5)
        self.mask_token = nn.Parameter(torch.zeros(width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = _Blocks(shape)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.randn(width, shape.outputs) / width**0.5)

    def tokens(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        if mask is not None:
            patches = torch.where(mask[..., None], self.mask_token, patches)
        first = self.class_embedding.expand(len(x), 1, -1)
        seen = torch.cat([first, patches], dim=1) + self.positional_embedding
        seen = self.ln_post(self.transformer(self.ln_pre(seen)))
        return seen[:, 0], seen[:, 1:]

    def tail(self, values: Tensor) -> Tensor:
        return values @ self.proj


def build(variant: str) -> ClipVit:
    """Return the network of a row of `VARIANTS`, its parameters drawn at random."""
    return ClipVit(VARIANTS[variant])
