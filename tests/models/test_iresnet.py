"""IResNet has the published names and shapes, and computes what is published of it."""

from __future__ import annotations

import pytest
import torch

from tests.models.residual import Sums, drawn, names_and_shapes, pictures, without_gradient
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.iresnet import VARIANTS, IResNet, build

SIZE, WIDTHS, DIMENSION = 32, (4, 6, 8, 10), 12

# Taken from insightface's own module (recognition/arcface_torch/backbones/iresnet.py).
PUBLISHED = {
    "r18": (187, "6bdb508fbe8f91721b62a252fefaacd4aa07dd22b96920d21a84616dbb903daa"),
    "r34": (331, "88f842de492690dd059041fc5ba355093a7f4dd4d22eb5f0d4530ee06ded0bee"),
    "r50": (475, "d80a68220d7280f122e963b79668ab37c22a7f522a863f8f1aa9e039b402b613"),
    "r100": (925, "dc48aa67c7449a7caf250153f36da2fc4a3288e632c3667206a7cda2a14b3842"),
}


@pytest.fixture
def pocket():
    return drawn(IResNet((2, 1, 1, 1), WIDTHS, SIZE, DIMENSION))


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_and_shapes_are_the_published_ones(variant):
    with torch.device("meta"):
        net = build(variant)
    assert isinstance(net, Backbone)
    assert names_and_shapes(net) == PUBLISHED[variant]


def by_hand(net, x):
    """The values in front of the matrix, and the embeddings."""
    s = Sums(net)
    x = s.prelu("prelu", s.norm("bn1", s.conv("conv1", x)))
    for block, stride in (
        ("layer1.0", 2),
        ("layer1.1", 1),
        ("layer2.0", 2),
        ("layer3.0", 2),
        ("layer4.0", 2),
    ):
        y = s.conv(f"{block}.conv1", s.norm(f"{block}.bn1", x))
        y = s.prelu(f"{block}.prelu", s.norm(f"{block}.bn2", y))
        y = s.norm(f"{block}.bn3", s.conv(f"{block}.conv2", y, stride))
        if stride == 2:
            x = s.norm(f"{block}.downsample.1", s.conv(f"{block}.downsample.0", x, 2))
        x = x + y
    values = s.norm("bn2", x).reshape(len(x), -1)
    return values, s.norm("features", s.matrix("fc", values))


@torch.no_grad()
def test_it_computes_what_is_published(pocket):
    x = pictures(3, SIZE)
    values, embeddings = by_hand(pocket, x)
    assert embeddings.std(0).min() > 1e-3  # pictures are told apart
    torch.testing.assert_close(pocket.trunk(x), values, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(pocket(x), embeddings, atol=1e-5, rtol=1e-4)
    assert torch.equal(pocket(x), pocket(x))


@torch.no_grad()
def test_the_tail_takes_values_of_any_leading_shape(pocket):
    values = pocket.trunk(pictures(6, SIZE))
    assert values.shape == (6, WIDTHS[3] * (SIZE // 16) ** 2)
    embeddings = pocket.tail(values)
    torch.testing.assert_close(pocket.tail(values.view(2, 3, -1)), embeddings.view(2, 3, DIMENSION))
    torch.testing.assert_close(pocket.tail(values[4]), embeddings[4])
    assert pocket.tail(values[:0]).shape == (0, DIMENSION)


def test_all_learn_but_the_last_gain_which_is_published_as_fixed(pocket):
    assert without_gradient(pocket, pictures(3, SIZE)) == ["features.weight"]
    assert not pocket.features.weight.requires_grad
