"""VGGFace2's networks have the published names and shapes, and compute what is published of them.

Files of both layouts fit: the one whose names are ours, and Oxford's.
"""

from __future__ import annotations

import hashlib

import pytest
import torch
from torch.nn import functional as F

from tests.models.residual import Sums, drawn, names_and_shapes, pictures, without_gradient
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.vggface2 import VARIANTS, VggFace2, build, translate

SIZE, WIDTH, SQUEEZE = 64, 4, 2
BLOCKS = (2, 1, 1, 1)

# Taken from cydonia999/VGGFace2-pytorch's own modules (models/resnet.py, models/senet.py), without
# the classifier `fc`.
PUBLISHED = {
    "resnet50": (318, "c1f7fd3808aa49e7afb0ec26ebebafda398d447a68e9547c34a3d6fc8945c74c"),
    "senet50": (382, "cec740532a1b4a7388881769357ba8b79eecd7edb6cf1e462a156530bacca24a"),
}
# SHA-256 of the sorted names of Oxford's resnet50_ft_dag and senet50_ft_dag, without `classifier`.
OXFORD = {
    "resnet50": "e16c2c713f180acc3896d879f246f90036a4bed48589b8d89ec87b8c51eed6d1",
    "senet50": "1573b57f939a3fe18415b7d37fb29188933294f8a31d934b811bb305399a46d1",
}

BOTH = pytest.mark.parametrize("squeeze", [0, SQUEEZE], ids=["plain", "squeezed"])


def pocket(squeeze):
    return drawn(VggFace2(squeeze, BLOCKS, WIDTH))


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_and_shapes_are_the_published_ones(variant):
    with torch.device("meta"):
        net = build(variant)
    assert isinstance(net, Backbone)
    assert names_and_shapes(net) == PUBLISHED[variant]


def by_hand(net, x):
    s = Sums(net)
    x = s.norm("bn1", s.conv("conv1", x, 2)).relu()
    # The pooling rounds up: an even side is filled from the right and from below.
    x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)
    for block, stride in (
        ("layer1.0", 1),
        ("layer1.1", 1),
        ("layer2.0", 2),
        ("layer3.0", 2),
        ("layer4.0", 2),
    ):
        y = s.norm(f"{block}.bn1", s.conv(f"{block}.conv1", x, stride)).relu()
        y = s.norm(f"{block}.bn2", s.conv(f"{block}.conv2", y)).relu()
        y = s.norm(f"{block}.bn3", s.conv(f"{block}.conv3", y))
        if f"{block}.conv4" in s:
            pooled = y.sum((2, 3), keepdim=True) / y[0, 0].numel()
            gate = s.conv(f"{block}.conv5", s.conv(f"{block}.conv4", pooled).relu())
            y = y / (1 + (-gate).exp())
        if f"{block}.downsample.0" in s:
            x = s.norm(f"{block}.downsample.1", s.conv(f"{block}.downsample.0", x, stride))
        x = (x + y).relu()
    return x.sum((2, 3)) / x[0, 0].numel()


@BOTH
@torch.no_grad()
def test_it_computes_what_is_published(squeeze):
    net, x = pocket(squeeze), pictures(3, SIZE)
    feature = by_hand(net, x)
    assert feature.std(0).median() > 1e-2  # pictures are told apart
    torch.testing.assert_close(net(x), feature, atol=1e-5, rtol=1e-4)
    assert torch.equal(net(x), net(x))


@torch.no_grad()
def test_the_feature_is_what_the_trunk_ends_in():
    net, x = pocket(0), pictures(6, SIZE)
    values = net.trunk(x)
    assert values.shape == (6, 32 * WIDTH)
    assert torch.equal(net(x), values)
    assert torch.equal(net.tail(values.view(2, 3, -1)), values.view(2, 3, -1))


@BOTH
def test_every_parameter_learns(squeeze):
    assert without_gradient(pocket(squeeze), pictures(3, SIZE)) == []


def oxford(name):
    """Return Oxford's name of a tensor, by the rule that its files show."""
    *layer, kind = name.split(".")
    if layer == ["fc"]:
        return f"classifier.{kind}"
    if layer in (["conv1"], ["bn1"]):
        return f"conv1_7x7_s2{'_bn' * (layer == ['bn1'])}.{kind}"
    stage, block, part = int(layer[0][-1]) + 1, int(layer[1]) + 1, layer[2]
    if part == "downsample":
        role = "1x1_proj" + "_bn" * (layer[3] == "1")
    else:
        role = ["1x1_reduce", "3x3", "1x1_increase", "1x1_down", "1x1_up"][int(part[-1]) - 1]
        role += "_bn" * part.startswith("bn")
    return f"conv{stage}_{block}_{role}.{kind}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_names_that_are_translated_are_those_of_oxfords_files(variant):
    with torch.device("meta"):
        state = build(variant).state_dict()
    names = [oxford(name) for name in state]
    assert hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest() == OXFORD[variant]
    theirs = {their: state[own] for their, own in zip(names, state, strict=True)}
    assert list(translate(theirs)) == list(state)


@BOTH
@pytest.mark.parametrize("prefix", ["", "module."])
@torch.no_grad()
def test_oxfords_file_gives_the_same_feature_of_red_green_blue(squeeze, prefix):
    net, x = pocket(squeeze), pictures(2, SIZE)
    state = {prefix + oxford(name): value.clone() for name, value in net.state_dict().items()}
    state[f"{prefix}conv1_7x7_s2.weight"] = net.conv1.weight[:, [2, 1, 0]]
    before = dict(state)
    translated = translate(state)
    assert state == before
    other = VggFace2(squeeze, BLOCKS, WIDTH).eval()
    other.load_state_dict({name.removeprefix(prefix): v for name, v in translated.items()})
    assert torch.equal(other(x), net(x))


def test_what_oxfords_layout_does_not_know_keeps_its_name():
    one = torch.ones(1, 3, 1, 1)
    names = [
        "conv1_7x7_s2.weight",
        "classifier.bias",
        "feat_extract.weight",
        "conv2_1_5x5.bias",
        "n",
    ]
    found = translate(dict.fromkeys(names, one))
    assert list(found) == [
        "conv1.weight",
        "fc.bias",
        "feat_extract.weight",
        "conv2_1_5x5.bias",
        "n",
    ]


def test_a_file_of_our_own_layout_is_not_touched():
    state = pocket(0).state_dict() | {"fc.weight": torch.ones(5, 128)}
    assert translate(state) is state
