"""ONNX graphs written as text, with drawn parameters, and what the runtime makes of them."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def draw_graph(path, body, constants=None, *, shape="1,3,8,8", version=17, outputs=("y",), seed=0):
    """Write a graph of nodes from `x` to `y`, and return its path.

    Constants are arrays, or shapes (tuples) of parameters to be drawn, which are small so that deep
    graphs stay in range.
    """
    text = (
        f'<ir_version: 8, opset_import: ["" : {version}]> g (float[{shape}] x) => () {{ {body} }}'
    )
    model = onnx.parser.parse_model(text)
    rng = np.random.default_rng(seed)
    for name, value in (constants or {}).items():
        if isinstance(value, tuple):
            value = rng.uniform(0.1, 0.5, value).astype(np.float32) * rng.choice([-1, 1], value)
            value = np.abs(value) if name.startswith("variance") else value
            value = value.astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    for name in outputs:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    onnx.save(model, path)
    return path


def changed(path, change):
    """Rewrite a graph after `change(model)`, and return its path."""
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    return path


def run_graph(path, pictures):
    """Return what the runtime makes of each picture (3, h, w) by itself, flat: (n, d)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.stack([session.run(None, {name: x[None]})[0].ravel() for x in pictures])


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


def scalar(value):
    return np.array(value, np.float32)


POCKET_MOBILE = """
    a = Conv <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (x, w0, c0)
    b = PRelu (a, s0)
    c = Conv <group = 8, pads = [1, 1, 1, 1]> (b, w1)
    d = BatchNormalization (c, gain1, offset1, mean1, variance1)
    e = PRelu (d, s1)
    f = Conv (e, w2, c2)
    g = Add (f, b)
    h = Conv <group = 8> (g, w3, c3)
    i = Conv (h, w4, c4)
    y = Reshape (i, shape)
"""
MOBILE_CONSTANTS = {
    "w0": (8, 3, 3, 3), "c0": (8,), "s0": (8, 1, 1), "w1": (8, 1, 3, 3), "gain1": (8,),
    "offset1": (8,), "mean1": (8,), "variance1": (8,), "s1": (8, 1, 1), "w2": (8, 8, 1, 1),
    "c2": (8,), "w3": (8, 1, 8, 8), "c3": (8,), "w4": (12, 8, 1, 1), "c4": (12,),
    "shape": ints(1, -1),
}  # fmt: skip

POCKET_IRESNET = """
    a = Conv <pads = [1, 1, 1, 1]> (x, w0, c0)
    b = PRelu (a, s0)
    c = BatchNormalization (b, gain1, offset1, mean1, variance1)
    d = Conv <pads = [1, 1, 1, 1]> (c, w1, c1)
    e = PRelu (d, s1)
    f = Conv <strides = [2, 2], pads = [1, 1, 1, 1]> (e, w2, c2)
    g = Conv <strides = [2, 2]> (b, w3, c3)
    h = Add (f, g)
    i = BatchNormalization (h, gain4, offset4, mean4, variance4)
    j = Flatten (i)
    k = Gemm <transB = 1> (j, w5, c5)
    y = BatchNormalization (k, gain6, offset6, mean6, variance6)
"""
IRESNET_CONSTANTS = {
    "w0": (6, 3, 3, 3), "c0": (6,), "s0": (6, 1, 1), "w1": (6, 6, 3, 3), "c1": (6,),
    "s1": (6, 1, 1), "w2": (6, 6, 3, 3), "c2": (6,), "w3": (6, 6, 1, 1), "c3": (6,),
    "w5": (10, 216), "c5": (10,),
} | {
    name + number: (size,)
    for number, size in (("1", 6), ("4", 6), ("6", 10))
    for name in ("gain", "offset", "mean", "variance")
}  # fmt: skip

POCKET_TRANSFORMER = """
    a = Conv <strides = [4, 4]> (x, w0, c0)
    sizes = Shape (a)
    batch = Gather (sizes, zero)
    batches = Unsqueeze (batch, first)
    widths = Concat <axis = 0> (batches, rest)
    b = Reshape (a, widths)
    c = Transpose <perm = [0, 2, 1]> (b)
    t = Expand (token, tokens)
    d = Concat <axis = 1> (t, c)
    e = Add (d, places)
    f = LayerNormalization <axis = -1> (e, gain1, offset1)
    g = MatMul (f, w1)
    h = Add (c1, g)
    q, k, v = Split <axis = 2> (h, thirds)
    q1 = Reshape (q, heads)
    k1 = Reshape (k, heads)
    v1 = Reshape (v, heads)
    q2 = Transpose <perm = [0, 2, 1, 3]> (q1)
    k2 = Transpose <perm = [0, 2, 3, 1]> (k1)
    v2 = Transpose <perm = [0, 2, 1, 3]> (v1)
    l = MatMul (q2, k2)
    m = Mul (l, scale)
    n = Softmax <axis = -1> (m)
    o = MatMul (n, v2)
    p = Transpose <perm = [0, 2, 1, 3]> (o)
    r = Reshape (p, joined)
    s = MatMul (r, w2)
    u = Add (e, s)
    z = LayerNormalization <axis = -1> (u, gain3, offset3)
    aa = Gather <axis = 1> (z, zero)
    ab = Gemm <transB = 1> (aa, w4, c4)
    norm = ReduceL2 <axes = [1]> (ab)
    y = Div (ab, norm)
"""
TRANSFORMER_CONSTANTS = {
    "w0": (8, 3, 4, 4), "c0": (8,), "zero": np.array(0), "first": ints(0), "rest": ints(8, -1),
    "token": (1, 1, 8), "tokens": ints(1, -1, 8).clip(1), "places": (1, 5, 8), "gain1": (8,),
    "offset1": (8,), "w1": (8, 24), "c1": (24,), "thirds": ints(8, 8, 8), "heads": ints(1, 5, 2, 4),
    "scale": scalar(0.5), "joined": ints(1, 5, 8), "w2": (8, 8), "gain3": (8,), "offset3": (8,),
    "w4": (6, 8), "c4": (6,),
}  # fmt: skip

POCKETS = {
    "mobile": (POCKET_MOBILE, MOBILE_CONSTANTS, 16, 9),
    "iresnet": (POCKET_IRESNET, IRESNET_CONSTANTS, 12, 11),
    "transformer": (POCKET_TRANSFORMER, TRANSFORMER_CONSTANTS, 8, 17),
}


def draw_pocket(path, name):
    """Write a pocket network as it is exported, for one picture, and return its path."""
    body, constants, side, version = POCKETS[name]
    return draw_graph(path, body, constants, shape=f"1,3,{side},{side}", version=version)
