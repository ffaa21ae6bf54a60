"""VGGFace2's ResNet-50 and SE-ResNet-50, as they were trained with Caffe.

They differ from the ResNet-50 that is common today: the first convolution of a block has the
stride, and the first pooling rounds up instead of padding. Names are those of `models/resnet.py`
and `models/senet.py` of cydonia999/VGGFace2-pytorch, which takes blue, green, red. Oxford's own
files (`resnet50_ft_dag`, `senet50_ft_dag`, ...) have other names and take red, green, blue:
`translate` brings them to the same. In both, the feature is what the last pooling gives.
"""

from __future__ import annotations

import re

from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.models.backbone import Backbone

# By how much squeeze-and-excitation narrows its vector; zero where there is none.
VARIANTS = {"resnet50": 0, "senet50": 16}

BLOCKS = (3, 4, 6, 3)

# The classifier. An ImageNet ResNet-50 has all other names in common, so it is told by its count.
SPARE = ("fc.",)
CLASSES = 8631

# Layers of Oxford's files: those of a block, `conv3_2_1x1_reduce` say, and those beside the blocks.
_OF_A_BLOCK = {
    "1x1_reduce": "conv1",
    "1x1_reduce_bn": "bn1",
    "3x3": "conv2",
    "3x3_bn": "bn2",
    "1x1_increase": "conv3",
    "1x1_increase_bn": "bn3",
    "1x1_down": "conv4",
    "1x1_up": "conv5",
    "1x1_proj": "downsample.0",
    "1x1_proj_bn": "downsample.1",
}
_BESIDE = {"conv1_7x7_s2": "conv1", "conv1_7x7_s2_bn": "bn1", "classifier": "fc"}


class _Block(nn.Module):
    """Three convolutions that narrow and widen, weighted by channel if so built, and a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, *, project: bool, squeeze: int):
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.squeeze = squeeze
        if squeeze:
            self.conv4 = nn.Conv2d(outputs, outputs // squeeze, 1)
            self.conv5 = nn.Conv2d(outputs // squeeze, outputs, 1)
        self.downsample: nn.Sequential | None = None
        if project:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        if self.squeeze:
            y = y * self.conv5(F.relu(self.conv4(y.mean((2, 3), keepdim=True)))).sigmoid()
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def _stage(inputs: int, width: int, blocks: int, stride: int, squeeze: int) -> nn.Sequential:
    """Return the blocks of a stage, of which the first has the stride and the projection."""
    first = _Block(inputs, width, stride, project=True, squeeze=squeeze)
    rest = (_Block(4 * width, width, 1, project=False, squeeze=squeeze) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)


class VggFace2(Backbone):
    """Pictures (n, 3, 224, 224), their mean subtracted, to features (n, 32 * width), 2048.

    The feature is the last map's mean, and nothing but the classifier was trained behind it: it is
    what `trunk` returns, and `tail` hands it on.
    """

    def __init__(
        self, squeeze: int, blocks: tuple[int, int, int, int] = BLOCKS, width: int = 64
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, blocks[0], 1, squeeze)
        self.layer2 = _stage(4 * width, 2 * width, blocks[1], 2, squeeze)
        self.layer3 = _stage(8 * width, 4 * width, blocks[2], 2, squeeze)
        self.layer4 = _stage(16 * width, 8 * width, blocks[3], 2, squeeze)

    def trunk(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, ceil_mode=True)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean((2, 3))

    def tail(self, values: Tensor) -> Tensor:
        return values


def build(variant: str) -> VggFace2:
    """Return the network without its parameters. Raises KeyError for an unknown variant."""
    return VggFace2(VARIANTS[variant])


def translate(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return Oxford's parameters under this module's names, a prefix kept; others as they are.

    Oxford's come from Caffe by way of MatConvNet, which turned the first layer from blue, green,
    red to red, green, blue; here it is turned back, so that both are fed alike. Names that are not
    Oxford's stay, so that who reads the file sees them.
    """
    first = re.compile(r"(.*\.)?conv1_7x7_s2\.weight")
    if not any(first.fullmatch(name) for name in state):
        return state
    return {
        _translated(name): value.flip(1) if first.fullmatch(name) else value
        for name, value in state.items()
    }


def _translated(name: str) -> str:
    """Return a name with its layer's, which is the last but one of its parts, translated."""
    parts = name.split(".")
    if len(parts) > 1:
        layer = parts[-2]
        match = re.fullmatch(r"conv([2-5])_(\d)_(\w+)", layer)
        if match and match[3] in _OF_A_BLOCK:
            stage, block = int(match[1]) - 1, int(match[2]) - 1
            layer = f"layer{stage}.{block}.{_OF_A_BLOCK[match[3]]}"
        parts[-2] = _BESIDE.get(layer, layer)
    return ".".join(parts)
