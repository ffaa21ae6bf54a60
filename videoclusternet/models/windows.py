"""Convolution and pooling as ONNX means them: borders of any width, automatic ones, open ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

Attributes = Mapping[str, Any]
Border = list[tuple[int, int]]
"""For each axis of the picture, how much is added in front of it and behind it."""

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def convolve(a: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Conv. Where the border differs from side to side it is added first."""
    rank = weight.ndim - 2
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    border = _border(a, x.shape[2:], weight.shape[2:], strides, dilations)
    padding = [before for before, _ in border]
    if any(before != behind for before, behind in border):
        x, padding = F.pad(x, _flat(border)), [0] * rank
    return CONVOLUTIONS[rank](x, weight, bias, strides, padding, dilations, a.get("group", 1))


def pool_largest(a: Attributes, x: Tensor) -> Tensor:
    """MaxPool of pictures, without the places of the largest values."""
    strides, dilations = a.get("strides", [1, 1]), a.get("dilations", [1, 1])
    border = _border(a, x.shape[2:], a["kernel_shape"], strides, dilations)
    rest = _open_end(a, x.shape[2:], border, dilations)
    x = _padded(x, _added(border, rest), -math.inf)
    return F.max_pool2d(x, a["kernel_shape"], strides, 0, dilations)


def pool_mean(a: Attributes, x: Tensor) -> Tensor:
    """AveragePool of pictures. What lies beyond the border's end is never counted."""
    kernel, strides = a["kernel_shape"], a.get("strides", [1, 1])
    if any(step != 1 for step in a.get("dilations", [1, 1])):
        raise ValueError("the mean of values that are not neighbours")
    border = _border(a, x.shape[2:], kernel, strides, [1, 1])
    rest = _open_end(a, x.shape[2:], border, [1, 1])
    pooled = F.avg_pool2d(_padded(x, _added(border, rest)), kernel, strides)
    if not any(map(any, border + rest)):
        return pooled
    counted = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
    counted = _padded(counted, border, float(bool(a.get("count_include_pad", 0))))
    return pooled / F.avg_pool2d(_padded(counted, rest), kernel, strides)


def pad(
    a: Attributes,
    x: Tensor,
    widths: list[int] | None = None,
    value: float | None = None,
    axes: list[int] | None = None,
) -> Tensor:
    """Pad, in the older form (attributes) and the newer ones (inputs)."""
    widths = a["pads"] if widths is None else widths
    value = a.get("value", 0.0) if value is None else value
    axes = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in axes]
    border = [(0, 0)] * x.ndim
    for axis, before, behind in zip(axes, widths[: len(axes)], widths[len(axes) :], strict=True):
        border[axis] = (before, behind)
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}[
        a.get("mode", "constant")
    ]
    if mode == "constant":
        return F.pad(x, _flat(border), value=value)
    if any(map(any, border[:2])):
        raise ValueError("a border of channels that is not constant")
    return F.pad(x, _flat(border[2:]), mode)


def _border(
    a: Attributes,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Border:
    rule, rank = a.get("auto_pad", "NOTSET"), len(sizes)
    if rule in ("NOTSET", "VALID"):
        pads = a.get("pads", [0] * 2 * rank) if rule == "NOTSET" else [0] * 2 * rank
        return list(zip(pads[:rank], pads[rank:], strict=True))
    border = []
    for size, window, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        last = (math.ceil(size / stride) - 1) * stride  # where the last window starts
        missing = max(0, last + _extent(window, dilation) - size)
        less, more = missing // 2, missing - missing // 2
        border.append({"SAME_UPPER": (less, more), "SAME_LOWER": (more, less)}[rule])
    return border


def _open_end(
    a: Attributes, sizes: Sequence[int], border: Border, dilations: Sequence[int]
) -> Border:
    """Return what must be added behind, so that with `ceil_mode` the last windows are whole.

    A window that would start behind the picture is left out, as PyTorch does it.
    """
    if not a.get("ceil_mode", 0):
        return [(0, 0)] * len(sizes)
    rest = []
    strides = a.get("strides", [1, 1])
    for size, (before, behind), window, stride, dilation in zip(
        sizes, border, a["kernel_shape"], strides, dilations, strict=True
    ):
        extent = _extent(window, dilation)
        last = math.ceil((before + size + behind - extent) / stride) * stride
        if last >= before + size:
            last -= stride
        rest.append((0, last + extent - (before + size + behind)))
    return rest


def _extent(window: int, dilation: int) -> int:
    return (window - 1) * dilation + 1


def _added(first: Border, second: Border) -> Border:
    return [(a + c, b + d) for (a, b), (c, d) in zip(first, second, strict=True)]


def _padded(x: Tensor, border: Border, value: float = 0.0) -> Tensor:
    return F.pad(x, _flat(border), value=value) if any(map(any, border)) else x


def _flat(border: Border) -> list[int]:
    """Return a border as PyTorch takes it: the last axis first."""
    return [width for pair in reversed(border) for width in pair]
