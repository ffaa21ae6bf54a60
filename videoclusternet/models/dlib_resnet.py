"""dlib's face recognition ResNet as a PyTorch module, read from dlib's own file.

A ResNet of 29 convolutions without batch normalisation: each convolution is followed by a fixed
gain and offset per channel, so small batches and averaged copies need no care.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.errors import WeightsError
from videoclusternet.models.backbone import Backbone

# Width of each residual block, and whether it halves the picture.
BLOCKS = (
    *[(32, False)] * 3,
    *[(64, down) for down in (True, False, False, False)],
    *[(128, down) for down in (True, False, False)],
    *[(256, down) for down in (True, False, False)],
    (256, True),
)


class _Conv(nn.Module):
    """A convolution, and the gain and offset per channel that stand in for batch normalisation."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int) -> None:
        super().__init__()
        padding = size // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, size, stride, padding)
        self.gain = nn.Parameter(torch.ones(outputs, 1, 1))
        self.offset = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        # The gain on the weights, not on what they give: two walks less over every feature map,
        # forward and back, a sixth of a training step.
        weight = self.conv.weight * self.gain[:, None]
        bias = self.conv.get_parameter("bias") * self.gain.flatten() + self.offset.flatten()
        return F.conv2d(x, weight, bias, self.conv.stride, self.conv.padding)


class _Block(nn.Module):
    """Two convolutions beside a shortcut; the smaller side is padded with zeros before the sum."""

    def __init__(self, inputs: int, outputs: int, down: bool) -> None:
        super().__init__()
        self.first = _Conv(inputs, outputs, 3, 2 if down else 1)
        self.second = _Conv(outputs, outputs, 3, 1)
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        shortcut = F.avg_pool2d(x, 2) if self.down else x
        y = self.second(F.relu(self.first(x)))
        if y.shape != shortcut.shape:
            channels, height, width = (
                max(a, b) for a, b in zip(y.shape[1:], shortcut.shape[1:], strict=True)
            )
            y = _pad(y, channels, height, width)
            shortcut = _pad(shortcut, channels, height, width)
        return F.relu(y + shortcut)


def _pad(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    missing = (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1])
    return F.pad(x, missing)


class DlibResNet(Backbone):
    """Pictures (n, 3, 150, 150), normalised, to embeddings (n, 128).

    `trunk` ends in the 256 pooled values; `tail` is the matrix behind them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, 32, 7, 2)
        widths = [32, *(width for width, _ in BLOCKS)]
        self.blocks = nn.Sequential(
            *(
                _Block(inputs, outputs, down)
                for inputs, (outputs, down) in zip(widths, BLOCKS, strict=False)
            )
        )
        self.matrix = nn.Linear(256, 128, bias=False)

    def trunk(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2)
        pooled: Tensor = self.blocks(x).mean((2, 3))
        return pooled

    def tail(self, values: Tensor) -> Tensor:
        y: Tensor = self.matrix(values)
        return y


class _TensorFile:
    """dlib's file: tensors from input to output, each behind a header, with layer names between."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        self.offset = 0

    def next(self, rows: int, columns: int = 1) -> Tensor:
        """Return the next tensor of this shape, flat."""
        header = b"".join(
            _integer(n) for n in (2, rows, columns, 1, 1)
        )  # 2 is the format's version
        start = self.data.find(header, self.offset)
        count = rows * columns
        if start < 0 or start + len(header) + 4 * count > len(self.data):
            raise WeightsError(
                f"{self.path} lacks a tensor of {rows} by {columns} values: it is damaged, or not "
                "dlib's face recognition network."
            )
        self.offset = start + len(header) + 4 * count
        values = np.frombuffer(self.data, "<f4", count, start + len(header))
        return torch.from_numpy(values.astype(np.float32))


def _integer(n: int) -> bytes:
    """Return a positive number as dlib writes it: the count of bytes, then the bytes."""
    size = (n.bit_length() + 7) // 8
    return bytes([size]) + n.to_bytes(size, "little")


def is_of_dlib(path: Path) -> bool:
    """Tell whether a file begins as dlib's networks do that were trained to compare."""
    with path.open("rb") as file:
        return b"loss_metric" in file.read(16)


def build(variant: str = "v1") -> DlibResNet:
    """Return the network without its parameters; there is one variant only."""
    return DlibResNet()


def load(path: Path) -> DlibResNet:
    """Return the network of dlib's file. Raises WeightsError where a tensor is missing."""
    net, file = build(), _TensorFile(path)
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, _Conv):
                _fill(file, layer.conv.weight, layer.conv.bias)
                _fill(file, layer.gain, layer.offset)
        net.matrix.weight.copy_(file.next(256, 128).view(256, 128).T)
    return net


def _fill(file: _TensorFile, weight: Tensor, bias: Tensor | None) -> None:
    assert bias is not None
    values = file.next(weight.numel() + bias.numel())
    weight.copy_(values[: weight.numel()].view_as(weight))
    bias.copy_(values[weight.numel() :].view_as(bias))
