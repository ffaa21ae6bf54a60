"""EdgeFace has the published names and follows EdgeNeXt's rule, with matrices whole or split."""

from __future__ import annotations

import hashlib
import math

import pytest
import torch
from torch.nn import functional as F

from videoclusternet.models import edgeface
from videoclusternet.models.edgeface import VARIANTS, EdgeFace, Shape

# Tensors, parameters, and the SHA-256 of the sorted lines "name (shape)". All were compared with
# the published code, a wrapper of timm's EdgeNeXt, when this was written; its authors give 1.24,
# 1.77, 3.65 and 18.23 million parameters.
PUBLISHED = {
    "xxs": (160, 1_244_744, "e856c5073a9a3f0fd0649d1a77421c51e389e3d28c9f5c42b18d101bd2288ffa"),
    "xs": (257, 1_770_492, "2229be8e7def687b981b3df66917354b1005d3967f708066bcbd8efbe2622217"),
    "xs_full": (214, 2_242_620, "efd0ebcc9cc469e4665bfbe26fef6792bd3b6d24bbc8baf2aee60f1604dda9bf"),
    "s": (257, 3_652_520, "9ee02354919f5d55763ed9437c8723340a16980fe06c56295d62241e6f52a0a4"),
    "base": (214, 18_225_812, "3e1a7b9411b1db96b47665cea28bb7aa5216361b18e274feb381b525e6feecd4"),
}

WIDTHS = (4, 6, 10, 8)  # 10 channels make three parts of 4, 4 and 2
POCKETS = {
    "whole": Shape((1, 2, 1, 1), WIDTHS, heads=2, share=None, outputs=5),
    "split": Shape((1, 2, 1, 1), WIDTHS, heads=2, share=0.6, outputs=5),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_and_shapes_are_the_published_ones(variant):
    with torch.device("meta"):
        net = edgeface.build(variant)
        assert net(torch.zeros(2, 3, 112, 112)).shape == (2, 512)
    assert all(parameter.is_meta for parameter in net.parameters())
    found = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    lines = "\n".join(sorted(f"{name} {size}" for name, size in found.items()))
    parameters = sum(math.prod(size) for size in found.values())
    checksum = hashlib.sha256(lines.encode()).hexdigest()
    assert (len(found), parameters, checksum) == PUBLISHED[variant]


@pytest.fixture(params=POCKETS)
def net(request):
    """A small network in double precision, no parameter of which is zero or one."""
    generator = torch.Generator().manual_seed(3)
    net = EdgeFace(POCKETS[request.param]).double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) / 2)
    return net


def pictures():
    """Taller than wide, so that rows and columns cannot be mixed up."""
    generator = torch.Generator().manual_seed(4)
    return torch.randn(2, 3, 64, 32, generator=generator, dtype=torch.float64)


class Slow:
    """The published rule for one picture, as (channels, rows, columns) or (places, channels)."""

    def __init__(self, state):
        self.state = state

    def linear(self, x, name):
        if name + ".weight" in self.state:
            return x @ self.state[name + ".weight"].T + self.state[name + ".bias"]
        return self.linear(x @ self.state[name + ".linear1.weight"].T, name + ".linear2")

    def conv(self, x, name, **how):
        return F.conv2d(x[None], self.state[name + ".weight"], self.state[name + ".bias"], **how)[0]

    def channelwise(self, x, name):
        """Each channel by its own filter, with as many zeros around it as keep its size."""
        maps = [
            F.conv2d(channel[None, None], kernel[None], bias[None], padding=kernel.shape[-1] // 2)
            for channel, kernel, bias in zip(
                x, self.state[name + ".weight"], self.state[name + ".bias"], strict=True
            )
        ]
        return torch.cat(maps)[:, 0]

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdim=True)
        deviation = (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return centred / deviation * self.state[name + ".weight"] + self.state[name + ".bias"]

    def norm_map(self, x, name):
        return self.norm(x.permute(1, 2, 0), name).permute(2, 0, 1)

    def perceptron(self, x, name):
        x = self.linear(x, name + "fc1")
        return self.linear(x * (1 + torch.erf(x / math.sqrt(2))) / 2, name + "fc2")

    def block(self, x, name):
        y = self.channelwise(x, name + "conv_dw").permute(1, 2, 0)
        y = self.state[name + "gamma"] * self.perceptron(self.norm(y, name + "norm"), name + "mlp.")
        return x + y.permute(2, 0, 1)

    def attention(self, x, name):
        """Two heads; a channel's likeness to another is the cosine over all places."""
        width = x.shape[1]
        asked = self.linear(x, name + "qkv").T
        seen = []
        for head in range(2):
            own = range(head * width // 2, (head + 1) * width // 2)
            for a in own:
                likeness = torch.stack(
                    [F.cosine_similarity(asked[a], asked[width + b], dim=0) for b in own]
                )
                weights = (likeness * self.state[name + "temperature"][head, 0, 0]).softmax(0)
                seen.append(
                    sum(w * asked[2 * width + b] for w, b in zip(weights, own, strict=True))
                )
        return self.linear(torch.stack(seen, 1), name + "proj")

    def places(self, rows, columns):
        """32 waves for the row, then 32 for the column: sine, cosine of each of 16 lengths."""
        code = torch.zeros(64, rows, columns, dtype=torch.float64)
        for n in range(16):
            length = 10_000 ** (2 * n / 32)
            for row in range(rows):
                for column in range(columns):
                    angles = [
                        2 * math.pi * (row + 1) / rows / length,
                        2 * math.pi * (column + 1) / columns / length,
                    ]
                    for axis, angle in enumerate(angles):
                        code[32 * axis + 2 * n, row, column] = math.sin(angle)
                        code[32 * axis + 2 * n + 1, row, column] = math.cos(angle)
        return code

    def last_block(self, x, name, parts):
        size = math.ceil(len(x) / parts)
        mixed, before = [], 0
        for n in range(parts - 1):
            before = self.channelwise(x[n * size : (n + 1) * size] + before, f"{name}convs.{n}")
            mixed.append(before)
        y = torch.cat([*mixed, x[(parts - 1) * size :]])
        if name.startswith("stages.1."):
            y = y + self.conv(self.places(*x.shape[1:]), name + "pos_embd.token_projection")
        y = y.reshape(len(x), -1).T
        attended = self.attention(self.norm(y, name + "norm_xca"), name + "xca.")
        y = y + self.state[name + "gamma_xca"] * attended
        y = self.perceptron(self.norm(y, name + "norm"), name + "mlp.")
        return x + (self.state[name + "gamma"] * y).T.reshape(x.shape)

    def trunk(self, picture):
        x = self.norm_map(self.conv(picture, "stem.0", stride=4), "stem.1")
        x = self.block(x, "stages.0.blocks.0.")
        for stage, blocks in ((1, 2), (2, 1), (3, 1)):
            down = f"stages.{stage}.downsample."
            x = self.conv(self.norm_map(x, down + "0"), down + "1", stride=2)
            for n in range(blocks - 1):
                x = self.block(x, f"stages.{stage}.blocks.{n}.")
            x = self.last_block(x, f"stages.{stage}.blocks.{blocks - 1}.", stage + 1)
        return self.norm(x.mean((1, 2)), "head.norm")


@torch.no_grad()
def test_the_network_follows_the_description(net):
    """Not to the last digit: the places are told in single precision, as published."""
    slow, images = Slow(net.state_dict()), pictures()
    values, embeddings = net.trunk(images), net(images)
    assert values.std(0).max() > 0.1  # so the pictures make a difference
    for n, picture in enumerate(images):
        expected = slow.trunk(picture)
        torch.testing.assert_close(values[n], expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            embeddings[n], slow.linear(expected, "head.fc"), atol=1e-5, rtol=1e-5
        )


@torch.no_grad()
def test_the_embedding_is_the_tail_of_the_trunk(net):
    values = net.trunk(pictures())
    assert values.shape == (2, 8)
    torch.testing.assert_close(net(pictures()), net.tail(values), rtol=0, atol=0)
    torch.testing.assert_close(net(pictures()[1:]), net(pictures())[1:])


@torch.no_grad()
def test_the_tail_takes_values_of_any_leading_shape(net):
    values = torch.randn(3, 2, 5, 8, generator=torch.Generator().manual_seed(1)).double()
    assert net.tail(values).shape == (3, 2, 5, 5)
    torch.testing.assert_close(net.tail(values)[2, 1, 4], net.tail(values[2, 1, 4]))


@torch.no_grad()
def test_training_mode_and_the_order_in_memory_change_nothing(net):
    before = net(pictures())
    torch.testing.assert_close(net.train()(pictures()), before, rtol=0, atol=0)
    images = pictures().contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(net(images), before)


def test_every_parameter_learns(net):
    net(pictures()).square().sum().backward()
    still = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []
