"""Every row of the table of operators does what the runtime does, in old versions and new."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.graphs import draw_graph, floats, ints, run_graph, scalar
from videoclusternet.errors import WeightsError
from videoclusternet.models.graph import read_graph
from videoclusternet.models.operators import OPERATORS

LAST = np.iinfo(np.int64).max
NORM = dict.fromkeys(("gain", "offset", "mean", "variance"), (3,))
LINE = "v = Flatten (x) "

# Version of ONNX, nodes from x (1, 3, 8, 8) to y, constants.
CASES = {
    "Abs": [(13, "y = Abs (x)", {})],
    "Add": [(13, "y = Add (x, c)", {"c": (3, 1, 1)}), (7, "y = Add (c, x)", {"c": (8,)})],
    "AveragePool": [
        (11, "y = AveragePool <kernel_shape = [2, 3], strides = [2, 1]> (x)", {}),
        (10, "y = AveragePool <kernel_shape = [3, 3], pads = [1, 0, 0, 1]> (x)", {}),
        (11, ("y = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2],"
             "count_include_pad = 1> (x)"), {}),
        (19, "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x)", {}),
        (19, ("y = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [3, 2],"
             "count_include_pad = 1, ceil_mode = 1> (x)"), {}),
        (11, 'y = AveragePool <kernel_shape = [3, 2], auto_pad = "SAME_UPPER"> (x)', {}),
    ],
    "BatchNormalization": [
        (version, "y = BatchNormalization <epsilon = 0.01> (x, gain, offset, mean, variance)", NORM)
        for version in (7, 9, 15)
    ] + [
        (9, LINE + "y = BatchNormalization (v, gain, offset, mean, variance)",
         dict.fromkeys(NORM, (192,))),
    ],
    "Cast": [(13, "y = Cast <to = 1> (x)", {})],
    "Clip": [
        (7, "y = Clip <min = 0.2, max = 0.7> (x)", {}),
        (7, "y = Clip <max = 0.4> (x)", {}),
        (11, "y = Clip (x, low, high)", {"low": scalar(0.1), "high": scalar(0.5)}),
        (13, "y = Clip (x, , high)", {"high": scalar(0.5)}),
        (13, "y = Clip (x, low)", {"low": scalar(0.3)}),
        (13, "y = Clip (x)", {}),
    ],
    "Concat": [
        (11, "y = Concat <axis = 1> (x, x)", {}),
        (13, "y = Concat <axis = -1> (x, c)", {"c": (1, 3, 8, 2)}),
    ],
    "ConstantOfShape": [
        (9, "c = ConstantOfShape <value = float[1] {0.25}> (n) y = Add (x, c)", {"n": ints(8)}),
        (9, "c = ConstantOfShape (n) y = Add (x, c)", {"n": ints(3, 1, 1)}),
    ],
    "Conv": [
        (11, "y = Conv <strides = [2, 1], pads = [1, 0, 2, 1], dilations = [1, 2]> (x, w, b)",
         {"w": (4, 3, 3, 3), "b": (4,)}),
        (11, "y = Conv <group = 3, pads = [1, 1, 1, 1]> (x, w)", {"w": (6, 1, 3, 3)}),
        (11, 'y = Conv <auto_pad = "SAME_UPPER", strides = [3, 3]> (x, w)', {"w": (4, 3, 4, 3)}),
        (11, 'y = Conv <auto_pad = "SAME_LOWER", strides = [1, 2]> (x, w)', {"w": (4, 3, 2, 2)}),
        (22, 'y = Conv <auto_pad = "VALID"> (x, w)', {"w": (4, 3, 2, 2)}),
        (11, "v = Reshape (x, s) y = Conv <pads = [1, 1]> (v, w)",
         {"s": ints(1, 3, 64), "w": (4, 3, 3)}),
    ],
    "Cos": [(7, "y = Cos (x)", {})],
    "Div": [(13, "y = Div (x, c)", {"c": (8, 1)}), (7, "y = Div (c, x)", {"c": scalar(0.5)})],
    "Dropout": [
        (7, "y = Dropout <ratio = 0.4> (x)", {}),
        (10, "y, unused = Dropout (x)", {}),
        (13, "y = Dropout (x, r, t)", {"r": scalar(0.4), "t": np.array(False)}),
    ],
    "Elu": [(7, "v = Neg (x) y = Elu <alpha = 0.7> (v)", {})],
    "Equal": [
        (13, "e = Equal (n, m) s = Where (e, a, b) y = Reshape (x, s)",
         {"n": ints(1, 2), "m": ints(1, 3), "a": ints(1, 9), "b": ints(9, -1)}),
    ],
    "Erf": [(13, "y = Erf (x)", {})],
    "Exp": [(13, "y = Exp (x)", {})],
    "Expand": [
        (13, "v = ReduceMean <axes = [1]> (x) y = Expand (v, s)", {"s": ints(1, 3, 1, 1)}),
        (13, "c2 = Expand (c, s) y = Add (x, c2)", {"c": (3, 1, 1), "s": ints(1, 8)}),
    ],
    "Flatten": [
        (9, "y = Flatten (x)", {}),
        (11, "y = Flatten <axis = -2> (x)", {}),
        (9, "y = Flatten <axis = 0> (x)", {}),
    ],
    "Gather": [
        (11, "y = Gather <axis = 1> (x, p)", {"p": np.array(-1)}),
        (13, "y = Gather <axis = -1> (x, p)", {"p": np.array([[0, 7], [-2, 3]])}),
    ],
    "Gelu": [(20, "y = Gelu (x)", {}), (20, 'y = Gelu <approximate = "tanh"> (x)', {})],
    "Gemm": [
        (11, LINE + "y = Gemm <alpha = 0.5, beta = 2.0, transB = 1> (v, w, b)",
         {"w": (5, 192), "b": (5,)}),
        (11, LINE + "y = Gemm (v, w)", {"w": (192, 5)}),
        (13, LINE + "y = Gemm <transA = 1, transB = 1> (w, v)", {"w": (192, 5)}),
        (7, LINE + "y = Gemm (v, w, b)", {"w": (192, 5), "b": (1, 5)}),
    ],
    "GlobalAveragePool": [(13, "y = GlobalAveragePool (x)", {})],
    "HardSigmoid": [
        (7, "y = HardSigmoid <alpha = 0.3, beta = 0.4> (x)", {}),
        (7, "v = Mul (x, c) y = HardSigmoid (v)", {"c": scalar(9)}),
    ],
    "HardSwish": [(14, "v = Mul (x, c) y = HardSwish (v)", {"c": (8, 8)})],
    "Identity": [
        (13, "y = Identity (x)", {}),
        (13, "d = Identity (c) y = Add (x, d)", {"c": (8,)}),
    ],
    "InstanceNormalization": [
        (7, "y = InstanceNormalization <epsilon = 0.001> (x, gain, offset)", NORM),
    ],
    "LayerNormalization": [
        (17, "y = LayerNormalization (x, gain, offset)", {"gain": (8,), "offset": (8,)}),
        (17, "y = LayerNormalization <axis = 1, epsilon = 0.01> (x, gain)", {"gain": (3, 8, 8)}),
    ],
    "LeakyRelu": [
        (7, "v = Neg (x) y = LeakyRelu (v)", {}),
        (16, "v = Neg (x) y = LeakyRelu <alpha = 0.3> (v)", {}),
    ],
    "LpNormalization": [
        (7, "y = LpNormalization (x)", {}),
        (13, LINE + "y = LpNormalization <axis = 1, p = 2> (v)", {}),
        (13, "y = LpNormalization <axis = 1, p = 1> (x)", {}),
        (13, "n = Sub (x, x) y = LpNormalization <axis = 1> (n)", {}),
    ],
    "MatMul": [
        (13, "y = MatMul (x, w)", {"w": (8, 5)}),
        (9, "y = MatMul (w, x)", {"w": (3, 4, 8)}),
        (13, "t = Transpose <perm = [0, 1, 3, 2]> (x) y = MatMul (x, t)", {}),
    ],
    "MaxPool": [
        (8, "y = MaxPool <kernel_shape = [3, 2], strides = [2, 1]> (x)", {}),
        (10, "y = MaxPool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x)", {}),
        (11, "y = MaxPool <kernel_shape = [3, 3], strides = [2, 2], pads = [0, 1, 1, 0]> (x)", {}),
        (11, ("v = Neg (x) y = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1],"
             "dilations = [2, 2], strides = [3, 3], ceil_mode = 1> (v)"), {}),
        (12, 'y = MaxPool <kernel_shape = [3, 2], auto_pad = "SAME_LOWER"> (x)', {}),
    ],
    "Mul": [(13, "y = Mul (x, c)", {"c": (3, 1, 1)}), (13, "y = Mul (x, x)", {})],
    "Neg": [(13, "y = Neg (x)", {})],
    "PRelu": [
        (9, "v = Sub (x, c) y = PRelu (v, s)", {"c": scalar(0.5), "s": shape})
        for shape in ((3, 1, 1), (1,), (1, 3, 1, 1), (8,), (3, 8, 8))
    ] + [(16, LINE + "w = Sub (v, c) y = PRelu (w, s)", {"c": scalar(0.5), "s": (192,)})],
    "Pad": [
        (7, "y = Pad <pads = [0, 0, 1, 0, 0, 0, 2, 3], value = 0.5> (x)", {}),
        (11, "y = Pad (x, p)", {"p": ints(0, 1, 0, 2, 0, 0, 1, -1)}),
        (13, 'y = Pad <mode = "reflect"> (x, p)', {"p": ints(0, 0, 1, 2, 0, 0, 3, 0)}),
        (13, 'y = Pad <mode = "edge"> (x, p)', {"p": ints(0, 0, 1, 2, 0, 0, 3, 0)}),
        (18, "y = Pad (x, p, v, a)", {"p": ints(1, 2, 0, 1), "v": scalar(2), "a": ints(-1, 1)}),
    ],
    "Pow": [
        (13, "y = Pow (x, e)", {"e": scalar(2)}),
        (12, "y = Pow (x, e)", {"e": ints(3)}),
        (13, "y = Pow (x, e)", {"e": (8,)}),
    ],
    "Range": [
        (11, "p = Range (a, b, c) y = Gather <axis = 2> (x, p)",
         {"a": np.array(1), "b": np.array(8), "c": np.array(3)}),
    ],
    "Reciprocal": [(13, "y = Reciprocal (x)", {})],
    "ReduceL2": [
        (11, "y = ReduceL2 <axes = [1, -1], keepdims = 0> (x)", {}),
        (18, "y = ReduceL2 (x, a)", {"a": ints(1)}),
    ],
    "ReduceMean": [
        (11, "y = ReduceMean <axes = [2, 3]> (x)", {}),
        (11, "y = ReduceMean (x)", {}),
        (18, "y = ReduceMean <keepdims = 0> (x, a)", {"a": ints(-1)}),
    ],
    "ReduceSum": [
        (11, "y = ReduceSum <axes = [1], keepdims = 0> (x)", {}),
        (13, "y = ReduceSum (x, a)", {"a": ints(2, 3)}),
        (13, "y = ReduceSum <noop_with_empty_axes = 1> (x)", {}),
    ],
    "Relu": [(13, "v = Sub (x, c) y = Relu (v)", {"c": scalar(0.5)})],
    "Reshape": [
        (13, "y = Reshape (x, s)", {"s": ints(1, -1)}),
        (7, "y = Reshape (x, s)", {"s": ints(0, 0, -1)}),
        (14, "y = Reshape <allowzero = 1> (x, s)", {"s": ints(1, 24, 8)}),
        (13, "y = Reshape (x, s)", {"s": ints(3, 64)}),
        (13, "n = Constant <value_ints = [1, 192]> () y = Reshape (x, n)", {}),
        (13, "n = Constant <value = int64[2] {-1, 64}> () y = Reshape (x, n)", {}),
    ],
    "Shape": [
        (13, "n = Shape (x) m = Slice (n, a, b) k = Concat <axis = 0> (m, c) y = Reshape (x, k)",
         {"a": ints(0), "b": ints(1), "c": ints(-1)}),
        (15, "n = Shape <start = 1, end = -1> (x) k = Mul (n, d) y = Reshape (x, k)",
         {"d": ints(4, 2)}),
        (13, ("n = Shape (x) m = Gather (n, i) k = Div (m, d) j = Unsqueeze (k, z)"
             "s = Concat <axis = 0> (f, j) y = Reshape (x, s)"),
         {"i": np.array(3), "d": np.array(3), "z": ints(0), "f": ints(-1)}),
    ],
    "Sigmoid": [(13, "y = Sigmoid (x)", {})],
    "Sin": [(7, "y = Sin (x)", {})],
    "Slice": [
        (9, "y = Slice <starts = [1, -3], ends = [2, 100], axes = [1, 3]> (x)", {}),
        (10, "y = Slice (x, a, b)", {"a": ints(0, 1), "b": ints(1, -1)}),
        (13, "y = Slice (x, a, b, c, d)",
         {"a": ints(0, -1), "b": ints(LAST, -LAST), "c": ints(2, -1), "d": ints(2, -3)}),
    ],
    "Softmax": [
        (7, "y = Softmax (x)", {}),
        (11, "y = Softmax <axis = -1> (x)", {}),
        (11, "y = Softmax <axis = 2> (x)", {}),
        (13, "y = Softmax (x)", {}),
        (13, "y = Softmax <axis = 1> (x)", {}),
    ],
    "Split": [
        (11, "a, b = Split <axis = 2> (x) y = Sub (a, b)", {}),
        (11, "a, y = Split <axis = 3, split = [3, 5]> (x)", {}),
        (13, "a, b = Split <axis = -1> (x, s) y = Concat <axis = 3> (b, a)", {"s": ints(2, 6)}),
        (18, "a, b, c = Split <axis = 2, num_outputs = 3> (x) y = Concat <axis = 2> (c, a)", {}),
    ],
    "Sqrt": [(13, "y = Sqrt (x)", {})],
    "Squeeze": [
        (11, "v = GlobalAveragePool (x) y = Squeeze <axes = [2, -1]> (v)", {}),
        (13, "v = GlobalAveragePool (x) y = Squeeze (v, a)", {"a": ints(2, 3)}),
        (13, "v = GlobalAveragePool (x) y = Squeeze (v)", {}),
    ],
    "Sub": [(13, "y = Sub (x, c)", {"c": (8,)}), (13, "y = Sub (c, x)", {"c": scalar(1)})],
    "Sum": [(8, "y = Sum (x, c, x)", {"c": (3, 1, 1)}), (13, "y = Sum (x)", {})],
    "Tanh": [(13, "y = Tanh (x)", {})],
    "Transpose": [
        (13, "y = Transpose <perm = [0, 2, 3, 1]> (x)", {}),
        (13, "y = Transpose (x)", {}),
        (13, "v = Transpose (w) u = Flatten (x) y = MatMul (u, v)", {"w": (4, 192)}),
    ],
    "Unsqueeze": [
        (11, "y = Unsqueeze <axes = [0, -1]> (x)", {}),
        (13, "y = Unsqueeze (x, a)", {"a": ints(-2, 1)}),
        (11, "d = Unsqueeze <axes = [1, 2]> (c) y = Add (x, d)", {"c": (3,)}),
    ],
    "Where": [
        (16, "y = Where (m, x, c)", {"m": np.arange(8) % 3 == 0, "c": scalar(-7)}),
    ],
}  # fmt: skip

ROWS = [
    pytest.param(*case, id=f"{op}-{number}")
    for op, cases in CASES.items()
    for number, case in enumerate(cases)
]


def test_every_row_is_tried():
    assert set(CASES) == set(OPERATORS)
    for op, cases in CASES.items():
        assert all(f"{op} " in body for _, body, _ in cases)


@pytest.mark.parametrize(("version", "body", "constants"), ROWS)
def test_a_row_does_what_the_runtime_does(tmp_path, version, body, constants):
    path = draw_graph(tmp_path / "g.onnx", body, constants, version=version)
    pictures = np.random.default_rng(1).uniform(0.1, 1, (3, 3, 8, 8)).astype(np.float32)
    net = read_graph(path).eval()
    x = torch.from_numpy(pictures).requires_grad_()
    found = net(x)
    np.testing.assert_allclose(
        found.detach().numpy(), run_graph(path, pictures), atol=1e-5, rtol=1e-5
    )
    found.sum().backward()
    assert x.grad.isfinite().all()


LAYER = "a = Conv (x, w) "
WEIGHT = {"w": (4, 3, 1, 1)}


@pytest.mark.parametrize(
    ("body", "constants", "learned", "kept"),
    [
        ("y = Conv (x, w)", {}, ["w"], []),
        ("a = Sub (x, c) b = Mul (a, d) y = Conv (b, w)", {"c": (3, 1, 1), "d": (1,)}, ["w"],
         ["c", "d"]),
        (LAYER + "b = Add (a, c) y = Mul (b, d)", {"c": (4, 1, 1), "d": (1,)}, ["c", "w"], ["d"]),
        (LAYER + "y = Concat <axis = 1> (c, a)", {"c": (1, 1, 8, 8)}, ["c", "w"], []),
        (LAYER + "y = PRelu (a, s)", {"s": (1,)}, ["s", "w"], []),
        (LAYER + "b = BatchNormalization (a, g, o, m, v) y = Clip (b, l)",
         {"g": (4,), "o": (4,), "m": (4,), "v": floats(1, 1, 2, 3), "l": scalar(0)},
         ["g", "o", "w"], ["m", "v"]),
        (LAYER + "b = BatchNormalization (a, g, o, o, g) y = Relu (b)",
         {"g": floats(1, 1, 2, 3), "o": (4,)}, ["g", "o", "w"], ["g", "o"]),
        (LAYER + "w3 = Identity (w2) b = Conv (a, w2) y = Conv (b, w3)",
         {"w2": (4, 4, 1, 1)}, ["w", "w2"], []),
    ],
)  # fmt: skip
def test_what_learns_is_a_parameter_and_what_stands_still_is_none(
    tmp_path, body, constants, learned, kept
):
    net = read_graph(draw_graph(tmp_path / "g.onnx", body, WEIGHT | constants))
    assert sorted(n.split("_", 1)[1] for n, _ in net.named_parameters()) == learned
    assert sorted(n.split("_", 1)[1] for n, _ in net.named_buffers()) == kept


@pytest.mark.parametrize(
    ("version", "body", "constants"),
    [
        (7, "y = BatchNormalization <spatial = 0> (x, g, g, g, g)", {"g": (3, 8, 8)}),
        (15, "y = BatchNormalization <training_mode = 1> (x, g, g, g, g)", {"g": (3,)}),
        (13, "y = Dropout (x, r, t)", {"r": scalar(0.4), "t": np.array(True)}),
        (19, 'y = Pad <mode = "wrap"> (x, p)', {"p": ints(0, 0, 1, 0, 0, 0, 0, 0)}),
        (13, 'y = Pad <mode = "edge"> (x, p)', {"p": ints(0, 1, 0, 0, 0, 0, 0, 0)}),
        (19, "y = AveragePool <kernel_shape = [2, 2], dilations = [2, 2]> (x)", {}),
        (12, "v, y = MaxPool <kernel_shape = [2, 2]> (x)", {}),
        (11, "y = Reshape (x, s)", {"s": ints(1, 5)}),
        (13, "i = Cast <to = 7> (x) y = Cast <to = 1> (i)", {}),
        (13, "i = Cast <to = 7> (x) y = Reshape (x, i)", {}),
        (13, "y = Gather <axis = 1> (x, p)", {"p": ints(0, 3)}),
        (13, "n = Shape (x) m = Gather (n, p) y = Reshape (x, m)", {"p": ints(4)}),
        (13, "y = Expand (x, s)", {"s": ints(1 << 20, 3, 8, 8)}),
        (13, "n = ConstantOfShape (s) y = Add (x, n)", {"s": ints(1 << 20, 1 << 20, 1, 1)}),
        (13, "n = Range (a, b, c) y = Gather (x, n)",
         {"a": np.array(0), "b": np.array(1 << 40), "c": np.array(1)}),
    ],
)  # fmt: skip
def test_what_cannot_be_done_right_is_refused(tmp_path, version, body, constants):
    path = draw_graph(tmp_path / "g.onnx", body, constants, version=version)
    with pytest.raises(WeightsError, match=r"g\.onnx .*(cannot be followed at its|depend on)"):
        read_graph(path)
