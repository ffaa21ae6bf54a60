"""Batch norm of embeddings of any leading shape, which torch's own module does not take."""

from __future__ import annotations

from torch import Tensor, nn


def batch_normed(norm: nn.Module, values: Tensor) -> Tensor:
    """Return a BatchNorm1d's answer to values (..., d), each vector for itself in eval mode."""
    rows: Tensor = norm(values.reshape(-1, values.shape[-1]))
    return rows.view(values.shape)
