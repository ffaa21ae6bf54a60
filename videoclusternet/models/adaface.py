"""AdaFace's IR networks: ArcFace's architecture under other names, ending in directions.

Names and order are those of `net.py` of mk-minchul/AdaFace, so that its files fit. They are
checkpoints of Lightning: the network is under the prefix `model.` of their `state_dict`, where
nothing is spare; the margin's own (`head.kernel`, `head.t` and two more) lie outside that prefix.

All four are made of the plain block: the published bottleneck is for 152 layers and more.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.models.backbone import Backbone
from videoclusternet.models.batch_norm import batch_normed

# Blocks of each of the four stages.
VARIANTS = {
    "ir_18": (2, 2, 2, 2),
    "ir_34": (3, 4, 6, 3),
    "ir_50": (3, 4, 14, 3),
    "ir_101": (3, 13, 30, 3),
}


class _Block(nn.Module):
    """Two convolutions between batch norms beside a shortcut, with nothing behind the sum.

    The second convolution has the stride. Unlike ArcFace's, the shortcut has a convolution where
    the width changes, not where the size does: otherwise it takes every second pixel.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()
        if inputs != outputs:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.res_layer(x) + self.shortcut_layer(x)
        return y


class AdaFace(Backbone):
    """Pictures (n, 3, size, size), normalised, to directions (n, dimension) of length one.

    `trunk` ends in the last map, flattened, `widths[3] * (size / 16) ** 2` values; `tail` is the
    matrix behind it, a batch norm without parameters, and the division by the length. What is
    published returns the direction and, beside it, the length, which tells how good the picture is:
    only the direction says who it is, so that is the embedding. `size` is a multiple of 16.
    """

    def __init__(
        self,
        blocks: tuple[int, int, int, int],
        widths: tuple[int, int, int, int] = (64, 128, 256, 512),
        size: int = 112,
        dimension: int = 512,
    ) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, 1, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.PReLU(widths[0]),
        )
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(widths[3]),
            nn.Identity(),  # drop-out as published; it holds the place of its number
            nn.Flatten(),
            nn.Linear(widths[3] * (size // 16) ** 2, dimension),
            nn.BatchNorm1d(dimension, affine=False),
        )
        body, inputs = [], widths[0]
        for count, outputs in zip(blocks, widths, strict=True):
            for n in range(count):
                body.append(_Block(inputs, outputs, 1 if n else 2))
                inputs = outputs
        self.body = nn.Sequential(*body)

    def trunk(self, x: Tensor) -> Tensor:
        values: Tensor = self.output_layer[:3](self.body(self.input_layer(x)))
        return values

    def tail(self, values: Tensor) -> Tensor:
        matrix, norm = self.output_layer[3], self.output_layer[4]
        return F.normalize(batch_normed(norm, matrix(values)), dim=-1)


def build(variant: str) -> AdaFace:
    """Return the network without its parameters. Raises KeyError for an unknown variant."""
    return AdaFace(VARIANTS[variant])
