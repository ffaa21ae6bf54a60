"""RetinaFace, as its PyTorch edition exports it, and the two smaller ones of the same family.

Deng et al., "RetinaFace: Single-shot Multi-level Face Localisation in the Wild", CVPR 2020. What
the outputs mean is taken from the decoders of biubug6/Pytorch_Retinaface (MobileNet 0.25, ResNet
50) and biubug6/Face-Detector-1MB-with-landmark (RFB, slim); for files that users bring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoclusternet.faces.candidates import cells, planes, settle
from videoclusternet.faces.detectors import Detections
from videoclusternet.faces.session import (
    TRIAL,
    Network,
    another_network,
    check_scores,
    open_network,
    sort_outputs,
)
from videoclusternet.records import Array

MEAN = (104.0, 117.0, 123.0)  # of blue, green and red
OVERLAP = 0.4  # IoU from which two finds are one face; the authors' value
NUMBERS = (4, 2, 10)  # of each square: its box, that it is no face and that it is, its landmarks
VARIANCES = (0.1, 0.2)  # how much a unit of place and of the logarithm of size counts


@dataclass(frozen=True)
class Priors:
    """The squares in which a network looks for faces, in each cell of each of its maps."""

    sides: Mapping[int, tuple[int, ...]]  # by the stride of the map; all in pixels

    def of(self, height: int, width: int) -> Array:
        """Return all squares of a picture, as x and y of the centre and the side: (n, 3)."""
        maps = []
        for stride, sides in self.sides.items():
            centres = (cells(height, width, stride, len(sides)) + 0.5) * stride
            each = np.tile(sides, len(centres) // len(sides))
            maps.append(np.column_stack([centres, each]))
        return np.concatenate(maps)

    def shapes(self) -> list[tuple[int, int]]:
        """Return the shapes of what the network answers to the trial: boxes, scores, landmarks."""
        count = len(self.of(*TRIAL))
        return [(count, numbers) for numbers in NUMBERS]


FAMILY = (
    Priors({8: (16, 32), 16: (64, 128), 32: (256, 512)}),  # RetinaFace
    Priors({8: (10, 16, 24), 16: (32, 48), 32: (64, 96), 64: (128, 192, 256)}),  # RFB, slim
)
"""Told apart by the number of squares. There is a third, of the same number as the first: the
MobileNet 0.25 of the small edition looks in squares of 10 to 256 pixels. Its boxes would come out
half as large again, or twice; nothing in its file says that it is not the first."""


def fits(trial: Mapping[str, Array]) -> bool:
    """Return whether these are the answers of a network of the family to the trial."""
    return any(sort_outputs(trial, priors.shapes()) for priors in FAMILY)


def load(path: Path) -> RetinaFace:
    """Read a network from its ONNX file. Raises WeightsError where it is another file."""
    network = open_network(path)
    for priors in FAMILY:
        outputs = sort_outputs(network.trial, priors.shapes())
        if outputs is not None:
            check_scores(path, [network.trial[outputs[1]]], "softmax")
            return RetinaFace(network, outputs, priors)
    kinds = [priors.shapes() for priors in FAMILY]
    raise another_network(path, "a RetinaFace network", network, *kinds)


class RetinaFace:
    """A network, ready for pictures of any size; made by `load`."""

    def __init__(self, network: Network, outputs: Sequence[str], priors: Priors) -> None:
        self._network = network
        self._outputs = outputs  # boxes, scores, landmarks
        self._priors = priors

    def __call__(self, pictures: Sequence[Array], score: float) -> list[Detections]:
        """Find faces; see `detectors.Detector`."""
        return [self._look(picture, score) for picture in pictures]

    def _look(self, picture: Array, score: float) -> Detections:
        # Padded with the mean, which is what the network itself sees beyond the picture's edge.
        fed = planes(picture[:, :, ::-1], max(self._priors.sides), MEAN)
        fed -= np.array(MEAN, np.float32)[:, None, None]
        answers = self._network.answer(self._outputs, fed)
        boxes, scores, landmarks = (
            answer.reshape(-1, numbers).astype(np.float64)
            for answer, numbers in zip(answers, NUMBERS, strict=True)
        )
        likely = np.flatnonzero(scores[:, 1] >= score)
        squares = self._priors.of(*fed.shape[2:])[likely]
        places, sides = squares[:, :2], squares[:, 2:]
        centres = places + boxes[likely, :2] * VARIANCES[0] * sides
        with np.errstate(over="ignore"):  # of what is no face at all; `settle` leaves it out
            spans = sides * np.exp(boxes[likely, 2:] * VARIANCES[1])
        points = landmarks[likely].reshape(-1, 5, 2) * VARIANCES[0] * sides[:, None]
        return settle(
            np.concatenate([centres - spans / 2, centres + spans / 2], 1),
            places[:, None] + points,
            scores[likely, 1],
            (picture.shape[1], picture.shape[0]),
            OVERLAP,
        )
