"""SCRFD: face detectors of many sizes, by the makers of insightface; for files that users bring.

Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", ICLR 2022. What
the outputs mean is taken from its authors' decoder (insightface, detection/scrfd/tools/scrfd.py).
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
EACH = 2  # faces that a cell may propose
OVERLAP = 0.4  # IoU from which two finds are one face; the authors' value
NUMBERS = (1, 4, 10)  # of each proposal: its score, its box and its landmarks
SHAPES = [(EACH * len(cells(*TRIAL, stride)), numbers) for numbers in NUMBERS for stride in STRIDES]


def fits(trial: Mapping[str, Array]) -> bool:
    """Return whether these are the answers of an SCRFD network with landmarks to the trial."""
    return sort_outputs(trial, SHAPES) is not None


def load(path: Path) -> Scrfd:
    """Read a network from its ONNX file. Raises WeightsError where it is another file.

    The authors publish some of their networks without landmarks; those are refused.
    """
    network = open_network(path)
    outputs = sort_outputs(network.trial, SHAPES)
    if outputs is None:
        name = "an SCRFD network with landmarks (their files have kps in their names)"
        raise another_network(path, name, network, SHAPES)
    check_scores(path, [network.trial[output] for output in outputs[: len(STRIDES)]], "sigmoid")
    return Scrfd(network, outputs)


class Scrfd:
    """A network, ready for pictures of any size; made by `load`."""

    def __init__(self, network: Network, outputs: Sequence[str]) -> None:
        self._network = network
        self._outputs = outputs  # in the order of SHAPES

    def __call__(self, pictures: Sequence[Array], score: float) -> list[Detections]:
        """Find faces; see `detectors.Detector`."""
        return [self._look(picture, score) for picture in pictures]

    def _look(self, picture: Array, score: float) -> Detections:
        fed = (planes(picture, max(STRIDES)) - 127.5) / 128  # RGB
        maps = self._network.answer(self._outputs, fed)
        height, width = fed.shape[2:]
        # The proposals of a cell stand on its upper left corner, and count in strides from there.
        grids = [(cells(height, width, stride, EACH), stride) for stride in STRIDES]
        corners = np.concatenate([grid * stride for grid, stride in grids])
        strides = np.concatenate([np.full(len(grid), stride) for grid, stride in grids])
        scores, boxes, landmarks = (
            np.concatenate([m.reshape(-1, numbers) for m in maps[3 * i : 3 * i + 3]])
            for i, numbers in enumerate(NUMBERS)
        )
        likely = np.flatnonzero(scores[:, 0] >= score)
        scale, places = strides[likely, None], corners[likely]
        reach = boxes[likely] * scale  # to the left, upwards, to the right and down
        points = places[:, None] + (landmarks[likely] * scale).reshape(-1, 5, 2)
        return settle(
            np.concatenate([places - reach[:, :2], places + reach[:, 2:]], 1),
            points,
            scores[likely, 0],
            (picture.shape[1], picture.shape[0]),
            OVERLAP,
        )
