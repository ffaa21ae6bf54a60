"""YuNet: a very small face detector, by the makers of libfacedetection; for files that users bring.

Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023. What
the outputs mean is taken from OpenCV's decoder of them (cv::FaceDetectorYN).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

STRIDES = (8, 16, 32)  # pixels between the cells of its three maps
OVERLAP = 0.3  # IoU from which two finds are one face; OpenCV's value
NUMBERS = (1, 1, 4, 10)  # of a cell: that it is a face, that it is anything, its box and landmarks
SHAPES = [(len(cells(*TRIAL, stride)), numbers) for numbers in NUMBERS for stride in STRIDES]


def fits(trial: Mapping[str, Array]) -> bool:
    """Return whether these are the answers of YuNet to the trial."""
    return sort_outputs(trial, SHAPES) is not None


def load(path: Path) -> YuNet:
    """Read a network from its ONNX file. Raises WeightsError where it is another file."""
    network = open_network(path)
    outputs = sort_outputs(network.trial, SHAPES)
    if outputs is None:
        raise another_network(path, "YuNet of 2023 or later", network, SHAPES)
    certainties = [network.trial[output] for output in outputs[: 2 * len(STRIDES)]]
    check_scores(path, certainties, "sigmoid")
    return YuNet(network, outputs)


class YuNet:
    """A network, ready for pictures of any size; made by `load`."""

    def __init__(self, network: Network, outputs: Sequence[str]) -> None:
        self._network = network
        self._outputs = outputs  # in the order of SHAPES; the first two kinds may be exchanged

    def __call__(self, pictures: Sequence[Array], score: float) -> list[Detections]:
        """Find faces; see `detectors.Detector`."""
        return [self._look(picture, score) for picture in pictures]

    def _look(self, picture: Array, score: float) -> Detections:
        fed = planes(picture[:, :, ::-1], max(STRIDES))  # BGR, 0 to 255
        maps = self._network.answer(self._outputs, fed)
        height, width = fed.shape[2:]
        grids = [cells(height, width, stride) for stride in STRIDES]
        places = np.concatenate(grids)
        strides = np.repeat(STRIDES, [len(grid) for grid in grids])
        face, thing, boxes, landmarks = (
            np.concatenate([m.reshape(-1, numbers) for m in maps[3 * i : 3 * i + 3]])
            for i, numbers in enumerate(NUMBERS)
        )
        scores = np.sqrt(face[:, 0].clip(0, 1) * thing[:, 0].clip(0, 1))
        likely = np.flatnonzero(scores >= score)
        scale, corner = strides[likely, None], places[likely]
        box = boxes[likely].astype(np.float64)
        centres = (corner + box[:, :2]) * scale
        with np.errstate(over="ignore"):  # of what is no face at all; `settle` leaves it out
            spans = np.exp(box[:, 2:]) * scale
        points = (corner[:, None] + landmarks[likely].reshape(-1, 5, 2)) * scale[:, None]
        return settle(
            np.concatenate([centres - spans / 2, centres + spans / 2], 1),
            points,
            scores[likely],
            (picture.shape[1], picture.shape[0]),
            OVERLAP,
        )
