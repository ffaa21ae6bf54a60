"""What the tests of the residual networks share: their drawn parameters, names and plain sums."""

from __future__ import annotations

import hashlib

import torch
from torch.nn import functional as F


def names_and_shapes(net):
    """Return how many tensors the state has, and the SHA-256 of its sorted names and shapes."""
    lines = sorted(f"{name} {tuple(value.shape)}" for name, value in net.state_dict().items())
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


@torch.no_grad()
def drawn(net, seed=0):
    """Return the network in eval mode, each tensor of its state drawn, batch norms' included."""
    random = torch.Generator().manual_seed(seed)
    for name, value in net.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(0.5 + torch.rand(value.shape, generator=random))
        elif value.ndim > 1:
            width = (2 / value[0].numel()) ** 0.5
            value.copy_(width * torch.randn(value.shape, generator=random))
        elif name.endswith("weight"):
            value.copy_(0.3 + torch.rand(value.shape, generator=random))
        elif value.is_floating_point():
            value.copy_(0.3 * torch.randn(value.shape, generator=random))
    return net.eval()


def pictures(count, size):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(9))


class Sums:
    """The layers of a state, each as the sum that it is, by its name."""

    def __init__(self, net):
        self.state = net.state_dict()

    def __contains__(self, layer):
        return f"{layer}.weight" in self.state

    def conv(self, layer, x, stride=1):
        weight, bias = self.state[f"{layer}.weight"], self.state.get(f"{layer}.bias")
        return F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2)

    def norm(self, layer, x):
        """Batch norm of the second axis by the statistics that were kept."""
        mean, variance = self.state[f"{layer}.running_mean"], self.state[f"{layer}.running_var"]
        y = (x.movedim(1, -1) - mean) / (variance + 1e-5).sqrt()
        if layer in self:
            y = y * self.state[f"{layer}.weight"] + self.state[f"{layer}.bias"]
        return y.movedim(-1, 1)

    def prelu(self, layer, x):
        slope = self.state[f"{layer}.weight"].view(1, -1, 1, 1)
        return torch.where(x > 0, x, slope * x)

    def matrix(self, layer, x):
        return x @ self.state[f"{layer}.weight"].T + self.state[f"{layer}.bias"]


def without_gradient(net, x):
    """Return the names of the parameters that a gradient of the embeddings does not reach."""
    y = net(x)
    (y * torch.randn(y.shape, generator=torch.Generator().manual_seed(4))).sum().backward()
    return [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
