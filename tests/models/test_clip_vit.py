"""The transformer has the published names and rule, and hides patches with a token of its own."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from videoclusternet.models import clip_vit
from videoclusternet.models.backbone import PatchBackbone
from videoclusternet.models.clip_vit import VARIANTS, ClipVit, Shape

POCKET = Shape(size=12, patch=4, width=8, layers=2, heads=2, outputs=6)


def published(shape):
    """Return names and shapes as the visual part of CLIP has them, and FaRL with it.

    For "b16" they were compared with CLIP's own module, 152 names, when this was written.
    """
    width, patch = shape.width, shape.patch
    rows = {
        "class_embedding": (width,),
        "positional_embedding": (1 + (shape.size // patch) ** 2, width),
        "proj": (width, shape.outputs),
        "conv1.weight": (width, 3, patch, patch),
    }
    vectors = ["ln_pre.weight", "ln_pre.bias", "ln_post.weight", "ln_post.bias"]
    for n in range(shape.layers):
        block = f"transformer.resblocks.{n}."
        rows |= {
            block + "attn.in_proj_weight": (3 * width, width),
            block + "attn.in_proj_bias": (3 * width,),
            block + "attn.out_proj.weight": (width, width),
            block + "mlp.c_fc.weight": (4 * width, width),
            block + "mlp.c_fc.bias": (4 * width,),
            block + "mlp.c_proj.weight": (width, 4 * width),
        }
        vectors += [block + f"ln_{n}.{kind}" for n in (1, 2) for kind in ("weight", "bias")]
        vectors += [block + "attn.out_proj.bias", block + "mlp.c_proj.bias"]
    return rows | dict.fromkeys(vectors, (width,))


def test_names_and_shapes_are_the_published_ones():
    with torch.device("meta"):
        net = clip_vit.build("b16")
    found = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    assert {name: found.pop(name) for name in clip_vit.OWN} == {"mask_token": (768,)}
    assert found == published(VARIANTS["b16"])
    assert len(found) == 152
    assert sum(math.prod(size) for size in found.values()) == 86_192_640


def test_every_variant_is_built_without_memory_too():
    for name, shape in VARIANTS.items():
        with torch.device("meta"):
            net = clip_vit.build(name)
            images = torch.zeros(2, 3, shape.size, shape.size)
            assert net(images).shape == (2, shape.outputs)
        assert isinstance(net, PatchBackbone)
        assert net.grid == (14, 14)
        assert net.patch_width == 768
        assert all(parameter.is_meta for parameter in net.parameters())


def test_what_is_ours_is_the_same_in_every_network():
    state = ClipVit(POCKET).state_dict()
    assert not any(state[name].any() for name in clip_vit.OWN)


def test_what_may_be_left_out_of_a_file_is_no_part_of_the_network():
    assert not any(name.startswith(clip_vit.SPARE) for name in ClipVit(POCKET).state_dict())


@pytest.fixture
def net():
    """A small network in double precision, no parameter of which is zero or one."""
    generator = torch.Generator().manual_seed(3)
    net = ClipVit(POCKET).double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) / 2)
    return net


def pictures(count=2):
    generator = torch.Generator().manual_seed(4)
    return torch.randn(count, 3, 12, 12, generator=generator, dtype=torch.float64)


def norm(x, state, name):
    centred = x - x.mean(-1, keepdim=True)
    deviation = (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return centred / deviation * state[name + ".weight"] + state[name + ".bias"]


def attention(x, state, name):
    """Head by head: width 8 makes two heads of four values."""
    asked = x @ state[name + ".in_proj_weight"].T + state[name + ".in_proj_bias"]
    seen = []
    for start in (0, 4):
        question, key, value = (asked[:, at + start : at + start + 4] for at in (0, 8, 16))
        seen.append((question @ key.T / 2).softmax(1) @ value)
    matrix, bias = state[name + ".out_proj.weight"], state[name + ".out_proj.bias"]
    return torch.cat(seen, 1) @ matrix.T + bias


def perceptron(x, state, name):
    x = F.linear(x, state[name + ".c_fc.weight"], state[name + ".c_fc.bias"])
    x = x / (1 + torch.exp(-1.702 * x))
    return F.linear(x, state[name + ".c_proj.weight"], state[name + ".c_proj.bias"])


def slow_tokens(picture, hidden, state):
    """Return class token and patches (10, 8) of one picture, by CLIP's description."""
    tokens = [state["class_embedding"]]
    for n in range(9):
        row, column = 4 * (n // 3), 4 * (n % 3)
        seen = picture[:, row : row + 4, column : column + 4]
        cut = (state["conv1.weight"] * seen).sum((1, 2, 3))
        tokens.append(state["mask_token"] if n in hidden else cut)
    x = norm(torch.stack(tokens) + state["positional_embedding"], state, "ln_pre")
    for n in range(2):
        block = f"transformer.resblocks.{n}."
        x = x + attention(norm(x, state, block + "ln_1"), state, block + "attn")
        x = x + perceptron(norm(x, state, block + "ln_2"), state, block + "mlp")
    return norm(x, state, "ln_post")


@pytest.mark.parametrize("hidden", [set(), {0}, {2, 3, 8}, set(range(9))], ids=str)
@torch.no_grad()
def test_the_network_follows_the_description(net, hidden):
    images, state = pictures(), net.state_dict()
    mask = torch.tensor([[n in hidden for n in range(9)], [False] * 9])
    values, tokens = net.tokens(images, mask)
    for n, unseen in enumerate((hidden, set())):
        expected = slow_tokens(images[n], unseen, state)
        torch.testing.assert_close(values[n], expected[0])
        torch.testing.assert_close(tokens[n], expected[1:])
        torch.testing.assert_close(net.tail(values)[n], expected[0] @ state["proj"])


@torch.no_grad()
def test_the_embedding_is_the_tail_of_the_trunk(net):
    images = pictures()
    values = net.trunk(images)
    torch.testing.assert_close(values, net.tokens(images)[0], rtol=0, atol=0)
    torch.testing.assert_close(net(images), net.tail(values), rtol=0, atol=0)
    torch.testing.assert_close(net(images[1:]), net(images)[1:])


@torch.no_grad()
def test_the_tail_takes_values_of_any_leading_shape(net):
    values = torch.randn(3, 2, 5, 8, generator=torch.Generator().manual_seed(1)).double()
    assert net.tail(values).shape == (3, 2, 5, 6)
    torch.testing.assert_close(net.tail(values)[2, 1, 4], net.tail(values[2, 1, 4]))


@torch.no_grad()
def test_a_hidden_patch_is_known_by_its_place_alone(net):
    images = pictures()
    mask = torch.zeros(2, 9, dtype=torch.bool)
    torch.testing.assert_close(net.tokens(images, mask), net.tokens(images))
    mask[0, 5] = True  # row 1, column 2 of the first picture
    before = net.tokens(images, mask)
    images[0, :, 4:8, 8:12] = 9.0
    torch.testing.assert_close(net.tokens(images, mask), before, rtol=0, atol=0)
    assert not torch.allclose(net.tokens(images)[1][0], before[1][0])
    mask[0] = True
    everything = net.tokens(images, mask)[1][0]
    assert torch.pdist(everything).min() > 1e-3  # places differ still


@torch.no_grad()
def test_training_mode_changes_nothing(net):
    before = net.tokens(pictures())
    torch.testing.assert_close(net.train().tokens(pictures()), before, rtol=0, atol=0)


def test_every_parameter_learns(net):
    mask = torch.tensor([[True] + [False] * 8, [False] * 9])
    values, tokens = net.tokens(pictures(), mask)
    (net.tail(values).square().sum() + tokens.square().sum()).backward()
    still = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []
