"""What the operators of an ONNX graph do, in PyTorch: a literal table of short functions.

A function takes the attributes of a node and its inputs in their order; None is one left out. Where
versions of ONNX put the same setting in different places, the function looks in all of them; the
versions understood are 7 to 28. Each picture is a batch of one, as it was when the graph was made.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.models import norms, windows
from videoclusternet.models.windows import Attributes


class Operator(NamedTuple):
    """A row: what is run, and what becomes of constants among its inputs.

    `learned` are the positions of parameters. `plain` are those that are settings, handed over as
    numbers and lists of them. `mixes` says that a constant at any other place is learned where it
    has more than one number and a layer comes before: ours, since a file does not tell a position
    embedding from the normalisation of the picture or a scale that somebody chose.
    """

    run: Callable[..., Tensor | tuple[Tensor, ...]]
    learned: tuple[int, ...] = ()
    plain: tuple[int, ...] = ()
    mixes: bool = False
    layer: bool = False  # a matrix or kernel: what may begin the tail


def _unary(function: Callable[[Tensor], Tensor]) -> Operator:
    return Operator(lambda a, x: function(x))


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    return Operator(lambda a, x, y: function(x, y), mixes=True)


def _divide(x: Tensor, y: Tensor) -> Tensor:
    whole = not x.is_floating_point()  # sizes, which are folded
    return torch.div(x, y, rounding_mode="trunc" if whole else None)


def _power(a: Attributes, x: Tensor, exponent: Any) -> Tensor:
    if isinstance(exponent, list):
        return x ** torch.tensor(exponent, dtype=x.dtype, device=x.device)
    return x**exponent


def _sum(a: Attributes, *inputs: Tensor) -> Tensor:
    return functools.reduce(torch.add, inputs)


def _clip(a: Attributes, x: Tensor, low: Any = None, high: Any = None) -> Tensor:
    low = a.get("min") if low is None else low
    high = a.get("max") if high is None else high
    return x if low is None and high is None else torch.clamp(x, low, high)


def _hard_sigmoid(a: Attributes, x: Tensor) -> Tensor:
    return torch.clamp(a.get("alpha", 0.2) * x + a.get("beta", 0.5), 0, 1)


def _prelu(a: Attributes, x: Tensor, slope: Tensor) -> Tensor:
    if slope.ndim == x.ndim and slope.shape[0] == 1:
        slope = slope[0]
    if slope.numel() == 1 or (slope.ndim == x.ndim - 1 and slope.numel() == slope.shape[0]):
        return F.prelu(x, slope.flatten())  # one slope, or one per channel
    return torch.where(x > 0, x, x * slope)


def _gemm(a: Attributes, x: Tensor, y: Tensor, z: Tensor | None = None) -> Tensor:
    x, y = x.mT if a.get("transA", 0) else x, y.mT if a.get("transB", 0) else y
    product = a.get("alpha", 1.0) * (x @ y)
    return product if z is None else product + a.get("beta", 1.0) * z


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Operator:
    def run(a: Attributes, x: Tensor, axes: list[int] | None = None) -> Tensor:
        axes = a.get("axes") if axes is None else axes
        if not axes and a.get("noop_with_empty_axes", 0):
            return x
        return function(x, axes or list(range(x.ndim)), bool(a.get("keepdims", 1)))

    return Operator(run, plain=(1,))


def _pool_all(a: Attributes, x: Tensor) -> Tensor:
    return x.mean(list(range(2, x.ndim)), keepdim=True)


def _concat(a: Attributes, *inputs: Tensor) -> Tensor:
    return torch.cat(inputs, a["axis"])


def _split(a: Attributes, x: Tensor, sizes: list[int] | None = None) -> tuple[Tensor, ...]:
    sizes, axis = a.get("split") if sizes is None else sizes, a.get("axis", 0)
    if sizes is None:  # as equal as can be, the last one smaller
        return torch.split(x, math.ceil(x.shape[axis] / a["num_outputs"]), axis)
    return torch.split(x, sizes, axis)


def _slice(
    a: Attributes,
    x: Tensor,
    starts: list[int] | None = None,
    ends: list[int] | None = None,
    axes: list[int] | None = None,
    steps: list[int] | None = None,
) -> Tensor:
    starts, ends = a["starts"] if starts is None else starts, a["ends"] if ends is None else ends
    axes = a.get("axes", list(range(len(starts)))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        places = range(x.shape[axis])[start:end:step]
        if step == 1:
            x = x.narrow(axis, places.start, len(places))
        else:
            x = x.index_select(axis, torch.tensor([*places], dtype=torch.int64, device=x.device))
    return x


def _gather(a: Attributes, x: Tensor, places: Any) -> Tensor:
    axis = a.get("axis", 0) % x.ndim
    index, length = torch.tensor(places, dtype=torch.int64, device="cpu"), x.shape[axis]
    if bool(((index < -length) | (index >= length)).any()):
        raise ValueError(f"a place outside of {length}")
    taken = x.index_select(axis, (index % length).flatten().to(x.device))
    return taken.reshape((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def _reshape(a: Attributes, x: Tensor, shape: list[int]) -> Tensor:
    if not a.get("allowzero", 0):
        shape = [size or x.shape[axis] for axis, size in enumerate(shape)]
    return x.reshape(shape)


def _flatten(a: Attributes, x: Tensor) -> Tensor:
    axis = a.get("axis", 1)
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def _transpose(a: Attributes, x: Tensor) -> Tensor:
    return x.permute(a.get("perm", list(reversed(range(x.ndim)))))


def _squeeze(a: Attributes, x: Tensor, axes: list[int] | None = None) -> Tensor:
    axes = a.get("axes") if axes is None else axes
    return x.squeeze() if axes is None else x.squeeze(axes)


def _unsqueeze(a: Attributes, x: Tensor, axes: list[int] | None = None) -> Tensor:
    axes = a["axes"] if axes is None else axes
    rank = x.ndim + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _expand(a: Attributes, x: Tensor, shape: list[int]) -> Tensor:
    return x.expand(np.broadcast_shapes(x.shape, shape))


def _dropout(a: Attributes, x: Tensor, share: Any = None, training: Any = None) -> Tensor:
    if training:
        raise ValueError("values left out by chance")
    return x


def _cast(a: Attributes, x: Tensor) -> Tensor:
    """Cast: to whole numbers, truth values, or floats, of which there is one kind here."""
    kinds = {1: torch.float32, 6: torch.int64, 7: torch.int64, 9: torch.bool, 10: torch.float32}
    return x.to((kinds | {11: torch.float32, 16: torch.float32})[a["to"]])


def _filled(a: Attributes, shape: list[int]) -> Tensor:
    value = a.get("value", torch.zeros(1, device="cpu"))
    return torch.full(shape, value.item(), dtype=value.dtype)


def _where(a: Attributes, condition: Any, x: Tensor, y: Tensor) -> Tensor:
    return torch.where(torch.tensor(condition, dtype=torch.bool, device=x.device), x, y)


def _shape(a: Attributes, x: Tensor) -> Tensor:
    return torch.tensor(x.shape[a.get("start", 0) : a.get("end")], dtype=torch.int64)


OPERATORS = {
    "Abs": _unary(torch.abs),
    "Add": _binary(torch.add),
    "AveragePool": Operator(windows.pool_mean),
    "BatchNormalization": Operator(norms.batch_norm, learned=(1, 2)),
    "Cast": Operator(_cast),
    "Clip": Operator(_clip, plain=(1, 2)),
    "Concat": Operator(_concat, mixes=True),
    "ConstantOfShape": Operator(_filled, plain=(0,)),
    "Conv": Operator(windows.convolve, learned=(1, 2), layer=True),
    "Cos": _unary(torch.cos),
    "Div": _binary(_divide),
    "Dropout": Operator(_dropout, plain=(1, 2)),
    "Elu": Operator(lambda a, x: F.elu(x, a.get("alpha", 1.0))),
    "Equal": Operator(lambda a, x, y: x == y),
    "Erf": _unary(torch.erf),
    "Exp": _unary(torch.exp),
    "Expand": Operator(_expand, plain=(1,)),
    "Flatten": Operator(_flatten),
    "Gather": Operator(_gather, plain=(1,)),
    "Gelu": Operator(lambda a, x: F.gelu(x, approximate=a.get("approximate", "none"))),
    "Gemm": Operator(_gemm, learned=(0, 1, 2), layer=True),
    "GlobalAveragePool": Operator(_pool_all),
    "HardSigmoid": Operator(_hard_sigmoid),
    "HardSwish": _unary(F.hardswish),
    "Identity": _unary(lambda x: x),
    "InstanceNormalization": Operator(norms.instance_norm, learned=(1, 2)),
    "LayerNormalization": Operator(norms.layer_norm, learned=(1, 2)),
    "LeakyRelu": Operator(lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01))),
    "LpNormalization": Operator(norms.lp_norm),
    "MatMul": Operator(lambda a, x, y: x @ y, learned=(0, 1), layer=True),
    "MaxPool": Operator(windows.pool_largest),
    "Mul": _binary(torch.mul),
    "Neg": _unary(torch.neg),
    "PRelu": Operator(_prelu, learned=(1,)),
    "Pad": Operator(windows.pad, plain=(1, 2, 3)),
    "Pow": Operator(_power, plain=(1,)),
    "Range": Operator(lambda a, start, end, step: torch.arange(start, end, step), plain=(0, 1, 2)),
    "Reciprocal": _unary(torch.reciprocal),
    "ReduceL2": _reduced(lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep)),
    "ReduceMean": _reduced(lambda x, axes, keep: x.mean(axes, keep)),
    "ReduceSum": _reduced(lambda x, axes, keep: x.sum(axes, keep)),
    "Relu": _unary(torch.relu),
    "Reshape": Operator(_reshape, plain=(1,)),
    "Shape": Operator(_shape),
    "Sigmoid": _unary(torch.sigmoid),
    "Sin": _unary(torch.sin),
    "Slice": Operator(_slice, plain=(1, 2, 3, 4)),
    "Softmax": Operator(norms.softmax),
    "Split": Operator(_split, plain=(1,)),
    "Sqrt": _unary(torch.sqrt),
    "Squeeze": Operator(_squeeze, plain=(1,)),
    "Sub": _binary(torch.sub),
    "Sum": Operator(_sum, mixes=True),
    "Tanh": _unary(torch.tanh),
    "Transpose": Operator(_transpose),
    "Unsqueeze": Operator(_unsqueeze, plain=(1,)),
    "Where": Operator(_where, plain=(0,)),
}
