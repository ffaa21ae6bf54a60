"""The one formula: the self-distillation loss, for training and as the distance of clustering.

    L(t, s) = - sum_k softmax((t - c) / T_t)_k  log softmax(s / T_s)_k

with the teacher's output t, the student's output s, the running mean c of teacher outputs and two
temperatures (paper, summary and slides). The loss of a pair is linear in the teacher's
probabilities and in the student's log-probabilities, so the mean over all pairs of two groups is
one product of two means; `clustering.distance` builds on that.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def probabilities(outputs: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Return the teacher's side of the loss for outputs (n, heads, k): centred and sharpened."""
    return F.softmax((outputs - centre) / temperature, dim=-1)


def log_probabilities(outputs: Tensor, temperature: float) -> Tensor:
    """Return the student's side of the loss for outputs (n, heads, k)."""
    return F.log_softmax(outputs / temperature, dim=-1)


def cross_entropy(p: Tensor, log_q: Tensor) -> Tensor:
    """Return the loss of each pair, (n,), from the two sides (n, heads, k), heads averaged."""
    return -(p * log_q).sum(-1).mean(-1)


def masked_cross_entropy(p: Tensor, log_q: Tensor, mask: Tensor) -> Tensor:
    """Return the loss of masked patches, a number: their mean in each picture, then over pictures.

    The sides (masked, heads, k) are those of the True places of `mask` (n, patches), row by row. A
    picture without any counts as 0, as in iBOT.
    """
    share = mask / mask.sum(1, keepdim=True).clamp_min(1)
    return (cross_entropy(p, log_q) * share[mask]).sum() / max(1, len(mask))


def information(p: Tensor) -> Tensor:
    """Return what the outputs tell about their input, in nats: H(mean of p) - mean of H(p).

    It falls to 0 in both ways of collapse: all inputs to one output, and all outputs equal. Ours:
    the guard against collapse watches it.
    """
    return _entropy(p.mean(0)).mean() - _entropy(p).mean()


def _entropy(p: Tensor) -> Tensor:
    return -(p * p.clamp_min(1e-12).log()).sum(-1)
