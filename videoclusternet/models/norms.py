"""What brings values to a common size, as ONNX means it: by channel, by picture or by length."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.models.windows import Attributes


def softmax(a: Attributes, x: Tensor) -> Tensor:
    """Softmax; before version 13 (`flat`) over all axes from the given one on."""
    if "flat" in a:
        return x.flatten(a.get("axis", 1)).softmax(-1).reshape(x.shape)
    return x.softmax(a.get("axis", -1))


def batch_norm(
    a: Attributes, x: Tensor, gain: Tensor, offset: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    """BatchNormalization by the file's statistics, never by those of a batch."""
    if a.get("training_mode", 0) or not a.get("spatial", 1):
        raise ValueError("statistics of a batch, or of each place")
    factor = gain / torch.sqrt(variance + a.get("epsilon", 1e-5))
    shape = (-1, *[1] * (x.ndim - 2))
    return x * factor.view(shape) + (offset - mean * factor).view(shape)


def instance_norm(a: Attributes, x: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    variance, mean = torch.var_mean(x, list(range(2, x.ndim)), correction=0, keepdim=True)
    shape = (-1, *[1] * (x.ndim - 2))
    standard = (x - mean) / torch.sqrt(variance + a.get("epsilon", 1e-5))
    return standard * gain.view(shape) + offset.view(shape)


def layer_norm(a: Attributes, x: Tensor, gain: Tensor, offset: Tensor | None = None) -> Tensor:
    shape = x.shape[a.get("axis", -1) % x.ndim :]
    return F.layer_norm(x, shape, gain, offset, a.get("epsilon", 1e-5))


def lp_norm(a: Attributes, x: Tensor) -> Tensor:
    norm = torch.linalg.vector_norm(x, a.get("p", 2), a.get("axis", -1), keepdim=True)
    return x / norm.clamp_min(torch.finfo(x.dtype).tiny)
