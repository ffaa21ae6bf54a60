"""AdaFace's networks have the published names and shapes, and compute what is published of them."""

from __future__ import annotations

import pytest
import torch

from tests.models.residual import Sums, drawn, names_and_shapes, pictures, without_gradient
from videoclusternet.models.adaface import VARIANTS, AdaFace, build
from videoclusternet.models.backbone import Backbone

SIZE, WIDTHS, DIMENSION = 32, (4, 6, 8, 10), 12

# Taken from mk-minchul/AdaFace's own module (net.py).
PUBLISHED = {
    "ir_18": (179, "7f81612e44f8821346fcabaaed077a664e9120ac3c70cf3ebfa90e78d91d9f94"),
    "ir_34": (323, "8e4802ce91d41a3e762b8284799b35b36457064460b4bd2dcf7dd3e6044eb398"),
    "ir_50": (467, "f4579210f21b784b1864bf15e79e1b5aa54f1703e46f9464e8506848ae2c8b1e"),
    "ir_101": (917, "158339b02fa6756c994e7c44f3719b3b01000c8f2fdf8cf412691c304ed25b96"),
}


@pytest.fixture
def pocket():
    return drawn(AdaFace((2, 1, 1, 1), WIDTHS, SIZE, DIMENSION))


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_and_shapes_are_the_published_ones(variant):
    with torch.device("meta"):
        net = build(variant)
    assert isinstance(net, Backbone)
    assert names_and_shapes(net) == PUBLISHED[variant]


def by_hand(net, x):
    """The values in front of the matrix, and the feature before its length is taken off."""
    s = Sums(net)
    x = s.prelu("input_layer.2", s.norm("input_layer.1", s.conv("input_layer.0", x)))
    for n, stride in enumerate((2, 1, 2, 2, 2)):
        layer = f"body.{n}.res_layer"
        y = s.conv(f"{layer}.1", s.norm(f"{layer}.0", x))
        y = s.prelu(f"{layer}.3", s.norm(f"{layer}.2", y))
        y = s.norm(f"{layer}.5", s.conv(f"{layer}.4", y, stride))
        x = x[:, :, ::stride, ::stride]
        if n >= 2:  # the width changes
            layer = f"body.{n}.shortcut_layer"
            x = s.norm(f"{layer}.1", s.conv(f"{layer}.0", x))
        x = x + y
    values = s.norm("output_layer.0", x).reshape(len(x), -1)
    return values, s.norm("output_layer.4", s.matrix("output_layer.3", values))


@torch.no_grad()
def test_it_computes_what_is_published(pocket):
    x = pictures(3, SIZE)
    values, feature = by_hand(pocket, x)
    lengths = feature.square().sum(1).sqrt()
    assert (lengths - 1).abs().min() > 0.1
    assert (feature / lengths[:, None]).std(0).min() > 1e-3  # pictures are told apart
    torch.testing.assert_close(pocket.trunk(x), values, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(pocket(x), feature / lengths[:, None], atol=1e-5, rtol=1e-4)
    assert torch.equal(pocket(x), pocket(x))


@torch.no_grad()
def test_the_tail_takes_values_of_any_leading_shape(pocket):
    values = pocket.trunk(pictures(6, SIZE))
    assert values.shape == (6, WIDTHS[3] * (SIZE // 16) ** 2)
    embeddings = pocket.tail(values)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(6))
    torch.testing.assert_close(pocket.tail(values.view(2, 3, -1)), embeddings.view(2, 3, DIMENSION))
    torch.testing.assert_close(pocket.tail(values[4]), embeddings[4])
    assert pocket.tail(values[:0]).shape == (0, DIMENSION)


def test_every_parameter_learns(pocket):
    assert without_gradient(pocket, pictures(3, SIZE)) == []
