"""CenterFace: boxes, scores and five landmarks of faces in one small convolutional network.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019. What the
network's outputs mean is taken from its authors' published decoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from videoclusternet.faces.candidates import planes, settle
from videoclusternet.faces.detectors import Detections
from videoclusternet.faces.session import TRIAL, Network, another_network, open_network
from videoclusternet.records import Array

MULTIPLE = 32  # pixels; the network halves a picture five times, and doubles it again
STRIDE = 4  # pixels between two cells of its heat map
OVERLAP = 0.3  # IoU from which two finds are one face; the authors' value
OUTPUTS = {"537": 1, "538": 2, "539": 2, "540": 10}
"""The channels of its heat map, logarithm of size, offset and landmarks, by their names."""
SHAPES = [(1, channels, TRIAL[0] // STRIDE, TRIAL[1] // STRIDE) for channels in OUTPUTS.values()]


def fits(trial: Mapping[str, Array]) -> bool:
    """Return whether these are the answers of CenterFace to the trial."""
    return {name: answer.shape for name, answer in trial.items()} == dict(
        zip(OUTPUTS, SHAPES, strict=True)
    )


def load(path: Path) -> CenterFace:
    """Read the network from its ONNX file. Raises WeightsError where it is another file."""
    network = open_network(path)
    if not fits(network.trial):
        raise another_network(path, "the CenterFace network", network, SHAPES)
    return CenterFace(network)


class CenterFace:
    """The network, ready for pictures of any size; made by `load`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, pictures: Sequence[Array], score: float) -> list[Detections]:
        """Find faces; see `detectors.Detector`."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        fed = np.concatenate([planes(picture, MULTIPLE) for picture in pictures])
        outputs = self._network.answer(list(OUTPUTS), fed)
        each = zip(*outputs, strict=True)  # of the pictures, its four maps
        return [_decode(maps, score, width, height) for maps in each]


def _decode(maps: tuple[Array, ...], score: float, width: int, height: int) -> Detections:
    """Read the faces out of the four maps (channels, rows, columns) of one picture."""
    heat, size, offset, points = maps
    row, column = np.nonzero(heat[0] >= score)
    # All vectors of the maps are (y, x); pictures are counted in (x, y).
    spans = STRIDE * np.exp(size[:, row, column].T[:, ::-1])
    centres = STRIDE * (np.stack([column, row], 1) + offset[:, row, column].T[:, ::-1] + 0.5)
    corners = centres - spans / 2
    landmarks = points[:, row, column].T.reshape(-1, 5, 2)[:, :, ::-1]
    landmarks = corners[:, None] + landmarks * spans[:, None]
    boxes = np.concatenate([corners, corners + spans], 1)
    return settle(boxes, landmarks, heat[0, row, column], (width, height), OVERLAP)
