"""ArcFace's IResNet: residual blocks with batch norm in front, and a matrix behind all of the map.

Names and order are those of insightface's `recognition/arcface_torch/backbones/iresnet.py`, so that
its files fit: a state dict without a prefix, and nothing in it that is not needed here.
"""

from __future__ import annotations

from torch import Tensor, nn

from videoclusternet.models.backbone import Backbone
from videoclusternet.models.batch_norm import batch_normed

# Blocks of each of the four stages.
VARIANTS = {
    "r18": (2, 2, 2, 2),
    "r34": (3, 4, 6, 3),
    "r50": (3, 4, 14, 3),
    "r100": (3, 13, 30, 3),
}


class _Block(nn.Module):
    """Two convolutions between batch norms beside a shortcut, with nothing behind the sum.

    The second convolution has the stride, and only then is the shortcut one, too.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        y = self.bn3(self.conv2(y))
        shortcut = x if self.downsample is None else self.downsample(x)
        total: Tensor = y + shortcut
        return total


def _stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """Return the blocks of a stage, the first of which halves the picture."""
    rest = (_Block(outputs, outputs, 1) for _ in range(blocks - 1))
    return nn.Sequential(_Block(inputs, outputs, 2), *rest)


class IResNet(Backbone):
    """Pictures (n, 3, size, size), normalised, to embeddings (n, dimension).

    `trunk` ends in the last map, flattened, `widths[3] * (size / 16) ** 2` values; `tail` is the
    matrix behind it and a batch norm. `size` is a multiple of 16.
    """

    def __init__(
        self,
        blocks: tuple[int, int, int, int],
        widths: tuple[int, int, int, int] = (64, 128, 256, 512),
        size: int = 112,
        dimension: int = 512,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.prelu = nn.PReLU(widths[0])
        self.layer1 = _stage(widths[0], widths[0], blocks[0])
        self.layer2 = _stage(widths[0], widths[1], blocks[1])
        self.layer3 = _stage(widths[1], widths[2], blocks[2])
        self.layer4 = _stage(widths[2], widths[3], blocks[3])
        self.bn2 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3] * (size // 16) ** 2, dimension)
        self.features = nn.BatchNorm1d(dimension)
        self.features.weight.requires_grad_(False)  # as published: one, and never trained

    def trunk(self, x: Tensor) -> Tensor:
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        values: Tensor = self.bn2(x).flatten(1)
        return values

    def tail(self, values: Tensor) -> Tensor:
        return batch_normed(self.features, self.fc(values))


def build(variant: str) -> IResNet:
    """Return the network without its parameters. Raises KeyError for an unknown variant."""
    return IResNet(VARIANTS[variant])
