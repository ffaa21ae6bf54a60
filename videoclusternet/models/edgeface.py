"""EdgeFace (George et al. 2024, arXiv 2307.01838): EdgeNeXt made small for faces.

EdgeNeXt (Maaz et al. 2022, arXiv 2206.10589) has four stages, each at half the size of the one
before: blocks of a convolution per channel and a perceptron, and in all but the first stage a last
block in which channels attend to channels. EdgeFace splits each matrix into two of lower rank.
There is no batch normalisation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.models.backbone import Backbone


class Shape(NamedTuple):
    """What sets the sizes of all parameters."""

    depths: tuple[int, int, int, int]  # blocks in each stage
    widths: tuple[int, int, int, int]  # channels in each stage
    heads: int  # of attention
    share: float | None  # rank of a split matrix over its shorter side (gamma); None: not split
    outputs: int = 512  # length of an embedding


VARIANTS = {
    "xxs": Shape((2, 2, 6, 2), (24, 48, 88, 168), heads=4, share=None),
    "xs": Shape((3, 3, 9, 3), (32, 64, 100, 192), heads=4, share=0.6),
    "xs_full": Shape((3, 3, 9, 3), (32, 64, 100, 192), heads=4, share=None),
    "s": Shape((3, 3, 9, 3), (48, 96, 160, 304), heads=8, share=0.5),
    "base": Shape((3, 3, 9, 3), (80, 160, 288, 584), heads=8, share=None),
}

KERNELS = (3, 5, 7, 9)  # height and width of the convolutions of each stage
PARTS = (1, 2, 3, 4)  # of the channels in the last block of each stage; 1: no such block
PLACED = 1  # the stage whose last block is told where it looks
WAVES, LONGEST = 32, 10_000.0  # for each axis, as in the first transformer
EPSILON = 1e-6


class _LowRank(nn.Module):
    """Two matrices in the place of one."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(inputs, rank, bias=False)
        self.linear2 = nn.Linear(rank, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.linear1(x))


def _linear(inputs: int, outputs: int, share: float | None) -> nn.Module:
    if share is None:
        return nn.Linear(inputs, outputs)
    return _LowRank(inputs, outputs, max(2, int(min(inputs, outputs) * share)))


class _Norm(nn.LayerNorm):
    """Normalises the channels of each place of (n, channels, height, width)."""

    def __init__(self, width: int) -> None:
        super().__init__(width, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _Perceptron(nn.Module):
    def __init__(self, width: int, share: float | None) -> None:
        super().__init__()
        self.fc1 = _linear(width, 4 * width, share)
        self.fc2 = _linear(4 * width, width, share)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class _Block(nn.Module):
    """A convolution of each channel by itself, then a perceptron of each place."""

    def __init__(self, width: int, kernel: int, share: float | None) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, EPSILON)
        self.mlp = _Perceptron(width, share)
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv_dw(x).permute(0, 2, 3, 1)
        return x + (self.gamma * self.mlp(self.norm(y))).permute(0, 3, 1, 2)


class _Attention(nn.Module):
    """Channels look at channels of their head, by how alike they are over all places."""

    def __init__(self, width: int, heads: int, share: float | None) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = _linear(width, 3 * width, share)
        self.proj = _linear(width, width, share)

    def forward(self, x: Tensor) -> Tensor:
        n, places, width = x.shape
        asked = self.qkv(x).view(n, places, 3, self.heads, width // self.heads)
        question, key, value = asked.permute(2, 0, 3, 4, 1)
        question = F.normalize(question, dim=-1) * self.temperature
        seen = F.scaled_dot_product_attention(question, F.normalize(key, dim=-1), value, scale=1.0)
        return self.proj(seen.flatten(1, 2).transpose(1, 2))


class _Places(nn.Module):
    """Adds to every place what tells it from others: sines and cosines of its row and column."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token_projection = nn.Conv2d(2 * WAVES, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (_waves(count, x) for count in x.shape[2:])
        rows = rows[:, :, None].expand(-1, -1, x.shape[3])
        columns = columns[:, None].expand(-1, x.shape[2], -1)
        return x + self.token_projection(torch.cat([rows, columns])[None])


def _waves(count: int, like: Tensor) -> Tensor:
    """Return sines and cosines by turns, (WAVES, count); an axis is a whole turn of the fastest."""
    number = torch.arange(WAVES, device=like.device)
    lengths = LONGEST ** (2 * (number // 2) / WAVES)
    places = torch.arange(1, count + 1, device=like.device) / (count + EPSILON) * (2 * math.pi)
    angles = places / lengths[:, None]
    return torch.where(number[:, None] % 2 == 0, angles.sin(), angles.cos()).to(like.dtype)


class _LastBlock(nn.Module):
    """Convolutions of parts of the channels, each fed by the one before; attention; perceptron."""

    def __init__(self, shape: Shape, stage: int) -> None:
        super().__init__()
        width, parts = shape.widths[stage], PARTS[stage]
        part = math.ceil(width / parts)  # the last part has what remains
        convs = (nn.Conv2d(part, part, 3, padding=1, groups=part) for _ in range(parts - 1))
        self.convs = nn.ModuleList(convs)
        self.pos_embd = _Places(width) if stage == PLACED else nn.Identity()
        self.norm_xca = nn.LayerNorm(width, EPSILON)
        self.gamma_xca = nn.Parameter(torch.full((width,), 1e-6))
        self.xca = _Attention(width, shape.heads, shape.share)
        self.norm = nn.LayerNorm(width, EPSILON)
        self.mlp = _Perceptron(width, shape.share)
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        *parts, last = x.chunk(len(self.convs) + 1, 1)
        mixed: list[Tensor] = []
        for conv, part in zip(self.convs, parts, strict=True):
            mixed.append(conv(part + mixed[-1] if mixed else part))
        y = self.pos_embd(torch.cat([*mixed, last], 1)).flatten(2).transpose(1, 2)
        y = y + self.gamma_xca * self.xca(self.norm_xca(y))
        y = self.gamma * self.mlp(self.norm(y))
        return x + y.transpose(1, 2).reshape(x.shape)


class _Stage(nn.Module):
    def __init__(self, shape: Shape, stage: int) -> None:
        super().__init__()
        width, share = shape.widths[stage], shape.share
        self.downsample: nn.Module = nn.Identity()
        if stage > 0:
            before = shape.widths[stage - 1]
            self.downsample = nn.Sequential(_Norm(before), nn.Conv2d(before, width, 2, 2))
        attending = PARTS[stage] > 1
        count = shape.depths[stage] - attending
        blocks: list[nn.Module] = [_Block(width, KERNELS[stage], share) for _ in range(count)]
        if attending:
            blocks.append(_LastBlock(shape, stage))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.downsample(x))


class _Head(nn.Module):
    """Holds the last normalisation and layer, under the name that the files have for them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.widths[-1], EPSILON)
        self.fc = _linear(shape.widths[-1], shape.outputs, shape.share)


class EdgeFace(Backbone):
    """Pictures (n, 3, height, width), normalised, to embeddings (n, outputs).

    Made for 112 by 112 pixels. `trunk` ends in the pooled values, normalised; `tail` is the matrix
    behind them, or both parts of it.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, shape.widths[0], 4, 4), _Norm(shape.widths[0]))
        self.stages = nn.Sequential(*(_Stage(shape, stage) for stage in range(4)))
        self.head = _Head(shape)

    def trunk(self, x: Tensor) -> Tensor:
        return self.head.norm(self.stages(self.stem(x)).mean((2, 3)))

    def tail(self, values: Tensor) -> Tensor:
        return self.head.fc(values)


def build(variant: str) -> EdgeFace:
    """Return the network of a row of `VARIANTS`, its parameters drawn at random."""
    return EdgeFace(VARIANTS[variant])
