"""Small ONNX networks in the layouts of real detectors, whose answers are known to the last bit.

Each reads the picture that it is shown: number k that it answers for a cell is pixel k of that cell
(row k // 8, column k % 8, plane k % 3) of what it is fed, times a gain, plus a shift. So a test can
plant a face by painting pixels, and an oracle can tell from the picture alone what to find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Pixels:
    """What numbers first, first + 1, … of a cell mean: clipped below at 0 where `positive`."""

    first: int
    count: int
    gain: float
    shift: float
    positive: bool = False

    def of(self, fed, stride, row, column, index):
        """Return number `index` of these for a cell of what is fed, float64 (3, height, width)."""
        k = self.first + index
        value = fed[k % 3, row * stride + k // 8, column * stride + k % 8] * self.gain + self.shift
        return max(0.0, value) if self.positive else value


# The scores of a grey picture are near 0, those of white near 1.
SCRFD = {
    "score": Pixels(0, 2, 1.0, 0.0, positive=True),
    "bbox": Pixels(2, 8, 1.0, 1.2),
    "kps": Pixels(10, 20, 2.0, 0.5),
}
YUNET = {
    "cls": Pixels(0, 1, 1 / 127, -128 / 127, positive=True),
    "obj": Pixels(1, 1, 1 / 127, -128 / 127, positive=True),
    "bbox": Pixels(2, 4, 1 / 128, -0.25),
    "kps": Pixels(6, 10, 1 / 64, -1.0),
}


def retinaface(each):
    """Return what the numbers of a cell of a RetinaFace network mean, for `each` squares in it."""
    return {
        "conf": Pixels(0, each, 1 / 127, -24 / 127, positive=True),
        "loc": Pixels(each, 4 * each, 1 / 40, 0.0),
        "landms": Pixels(5 * each, 10 * each, 1 / 20, 0.0),
    }


class Sketch:
    """A graph that grows; `read` and `rows` return names of values in it."""

    def __init__(self):
        self.nodes, self.parameters = [], []

    def add(self, kind, *inputs, **attributes):
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values):
        name = f"parameter_{len(self.parameters)}"
        self.parameters.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def read(self, pixels, stride):
        """Answer a map (n, count, height / stride, width / stride), rounded up."""
        weights = np.zeros((pixels.count, 3, stride, stride), np.float32)
        for index in range(pixels.count):
            k = pixels.first + index
            weights[index, k % 3, k // 8, k % 8] = pixels.gain
        shift = np.full(pixels.count, pixels.shift, np.float32)
        read = self.add(
            "Conv", "picture", self.constant(weights), self.constant(shift),
            kernel_shape=[stride, stride], strides=[stride, stride],
        )  # fmt: skip
        return self.add("Relu", read) if pixels.positive else read

    def rows(self, name, numbers, batched=True):
        """Answer a map as rows of so many numbers, cell by cell."""
        shape = np.array([1, -1, numbers] if batched else [-1, numbers])
        turned = self.add("Transpose", name, perm=[0, 2, 3, 1])
        return self.add("Reshape", turned, self.constant(shape))

    def model(self, outputs, size=("h", "w"), names=None, version=8):
        """Return the model; `outputs`: values of the graph and the shapes that they declare."""
        names = names or [f"output_{i}" for i in range(len(outputs))]
        for value, name in zip(outputs, names, strict=True):
            self.nodes.append(helper.make_node("Identity", [value], [name]))
        picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, *size])
        declared = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in zip(names, outputs.values(), strict=True)
        ]
        graph = helper.make_graph(self.nodes, "drawn", [picture], declared, self.parameters)
        return helper.make_model(
            graph, ir_version=version, opset_imports=[helper.make_opsetid("", 13)]
        )


def scrfd(size=("h", "w"), batched=True, kinds=tuple(SCRFD), names=None, order=None):
    """Draw an SCRFD network; `order` shuffles its outputs, `kinds` are those that it has."""
    sketch, outputs = Sketch(), {}
    for kind in kinds:
        for stride in (8, 16, 32):
            numbers = SCRFD[kind].count // 2
            rows = sketch.rows(sketch.read(SCRFD[kind], stride), numbers, batched)
            count = 2 * (size[0] // stride) * (size[1] // stride) if size[0] != "h" else f"n{rows}"
            outputs[rows] = [1, count, numbers] if batched else [count, numbers]
    return sketch.model(reordered(outputs, order), size, names)


def yunet(size=(640, 640), names=None, order=None):
    sketch, outputs = Sketch(), {}
    for pixels in YUNET.values():
        for stride in (8, 16, 32):
            rows = sketch.rows(sketch.read(pixels, stride), pixels.count)
            outputs[rows] = [1, (size[0] // stride) * (size[1] // stride), pixels.count]
    return sketch.model(reordered(outputs, order), size, names)


def retina(sides, size=("h", "w"), softmax=True, order=None):
    """Draw a RetinaFace network that looks in squares of these sides, by the stride of the map."""
    sketch = Sketch()
    maps = {"loc": [], "conf": [], "landms": []}
    for stride, squares in sides.items():
        for kind, pixels in retinaface(len(squares)).items():
            read = sketch.read(pixels, stride)
            maps[kind].append(sketch.rows(read, pixels.count // len(squares)))
    joined = {kind: sketch.add("Concat", *rows, axis=1) for kind, rows in maps.items()}
    no_face = sketch.add("Sub", sketch.constant(np.float32(1)), joined["conf"])
    joined["conf"] = sketch.add("Concat", no_face, joined["conf"], axis=2)
    if not softmax:
        joined["conf"] = sketch.add("Mul", joined["conf"], sketch.constant(np.float32(9)))
    outputs = {name: ["b", "n", f"of {kind}"] for kind, name in joined.items()}
    return sketch.model(reordered(outputs, order), size)


def reordered(outputs, order):
    items = list(outputs.items())
    return dict(items[i] for i in order) if order is not None else outputs


def saved(model, folder, name="network.onnx"):
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def paint(picture, stride, row, column, first, values, bgr=False):
    """Write pixels first, first + 1, … of a cell, as the network counts them, into a picture."""
    for k, value in enumerate(values, first):
        plane = 2 - k % 3 if bgr else k % 3
        picture[row * stride + k // 8, column * stride + k % 8, plane] = value


def strongest_slowly(found, overlap):
    """Return of (score, box, landmarks) those that stand, by the rule alone."""
    from videoclusternet.tracks.boxes import iou

    kept = []
    for face in sorted(found, key=lambda face: -face[0]):
        (x1, y1, x2, y2) = face[1]
        over = any(iou(np.array(face[1]), np.array(box)) > overlap for _, box, _ in kept)
        if x1 < x2 and y1 < y2 and not over:
            kept.append(face)
    return kept


def same_faces(found, truth):
    assert len(truth) > 0
    assert len(found.scores) == len(truth)
    np.testing.assert_allclose(found.scores, [face[0] for face in truth], atol=1e-5)
    np.testing.assert_allclose(found.boxes, [face[1] for face in truth], atol=1e-2, rtol=1e-5)
    np.testing.assert_allclose(found.landmarks, [face[2] for face in truth], atol=1e-2, rtol=1e-5)
