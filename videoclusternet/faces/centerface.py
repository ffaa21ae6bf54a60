"""CenterFace: boxes, scores and five landmarks of faces in one small convolutional network.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019. What the
network's outputs mean is taken from its authors' published decoder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from videoclusternet.errors import WeightsError
from videoclusternet.faces.detectors import Detections
from videoclusternet.records import Array

if TYPE_CHECKING:
    import onnxruntime

MULTIPLE = 32  # pixels; the network halves a picture five times, and doubles it again
STRIDE = 4  # pixels between two cells of its heat map
OVERLAP = 0.3  # IoU from which two finds are one face; the authors' value
# In the ONNX file: the shape (10, channels, side, side), and an unnamed symbol for a number in it.
FIXED = re.compile(
    rb"(\x12\x10\x0a\x02)\x08\x0a(\x0a\x02\x08.\x0a\x02)\x08([\x08\x20])(\x0a\x02)\x08\3", re.DOTALL
)
ANY = b"\x12\x00"
SHAPES = 5  # of one input and four outputs
OUTPUTS = ["537", "538", "539", "540"]  # heat map, logarithm of size, offset, landmarks


def load(path: Path) -> CenterFace:
    """Read the network from its ONNX file. Raises WeightsError where it is another file."""
    # Unless told not to, its makers' builds report to them from the moment of their import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    try:
        session = onnxruntime.InferenceSession(
            _of_any_size(path.read_bytes()), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has a class for each of its codes, and no common one
        raise WeightsError(f"{path} cannot be read as the CenterFace network: {error}.") from None
    return CenterFace(session)


class CenterFace:
    """The network, ready for pictures of any size; made by `load`."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def __call__(self, pictures: Sequence[Array], score: float) -> list[Detections]:
        """Find faces; see `detectors.Detector`."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        # Padded, not stretched: faces keep their proportions, whatever the size of the picture.
        fed = np.zeros(
            (len(pictures), -height % MULTIPLE + height, -width % MULTIPLE + width, 3), np.float32
        )
        fed[:, :height, :width] = pictures
        outputs = self._session.run(OUTPUTS, {"input.1": fed.transpose(0, 3, 1, 2)})
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
    bounds = np.array([width, height, width, height])
    boxes = np.concatenate([corners, corners + spans], 1).clip(0, bounds)
    scores = heat[0, row, column]
    keep = _strongest(boxes, scores)
    return Detections(
        boxes[keep].astype(np.float32),
        landmarks[keep].astype(np.float32),
        scores[keep].astype(np.float32),
    )


def _strongest(boxes: Array, scores: Array) -> Array:
    """Return the boxes that lie in the picture and over no stronger one, best first."""
    sides = boxes[:, 2:] - boxes[:, :2]
    inside = np.flatnonzero(sides.min(axis=1, initial=np.inf) > 0)
    corners_and_sides = np.concatenate([boxes[inside, :2], sides[inside]], 1)
    keep = cv2.dnn.NMSBoxes(corners_and_sides.tolist(), scores[inside].tolist(), 0.0, OVERLAP)
    kept: Array = inside[np.asarray(keep, int).ravel()]
    return kept


def _of_any_size(model: bytes) -> bytes:
    """Return the ONNX file without the sizes that it declares, which its network does not need.

    The file says that it takes ten pictures of 32 x 32 pixels. In the shapes of its input and its
    outputs each such number gives way to an unnamed symbol, which takes up the same two bytes
    (onnx.proto, TensorShapeProto.Dimension). Its IR version becomes 3, in which parameters are
    constants, so that onnxruntime can fold them: a fifth faster.
    """
    model, shapes = FIXED.subn(lambda found: ANY.join([*found.group(1, 2, 4), b""]), model)
    if shapes != SHAPES or not model.startswith(b"\x08\x04"):
        raise ValueError("its declarations are not those of the known file")
    return b"\x08\x03" + model[2:]
