"""The contract that every row of the table of backbones keeps, by being in it."""

from __future__ import annotations

import importlib

import pytest
import torch

from tests.pocket import QUICK
from tests.pocket_vit import POCKET_VIT, load
from videoclusternet.errors import UsageError
from videoclusternet.models.backbone import Backbone, PatchBackbone
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import BACKBONES, backbone_spec
from videoclusternet.weights.assets import ASSETS, asset_path

ROWS = pytest.mark.parametrize("spec", BACKBONES.values(), ids=list(BACKBONES))


def test_a_row_is_found_by_its_name():
    assert backbone_spec("dlib_resnet") is BACKBONES["dlib_resnet"]


@pytest.mark.parametrize("name", ["", "arcface", "DLIB_RESNET"])
def test_an_unknown_name_is_refused_and_the_known_ones_told(name):
    with pytest.raises(UsageError, match="dlib_resnet"):
        backbone_spec(name)


@ROWS
def test_a_row_can_be_shown_with_its_terms(spec):
    assert BACKBONES[spec.name] is spec
    assert spec.weights_licence == ASSETS[spec.asset].licence
    assert all(0 < x < spec.size and 0 < y < spec.size for x, y in spec.template)
    left_eye, right_eye, nose, left_mouth, right_mouth = spec.template
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]


def pictures(spec):
    return torch.rand(2, 3, spec.size, spec.size, generator=torch.Generator().manual_seed(0))


@ROWS
def test_a_backbone_is_what_its_row_says(spec):
    net = importlib.import_module(spec.module).load(asset_path(spec.asset)).eval()
    assert isinstance(net, Backbone)
    assert (FaceModel(spec, net, QUICK).patch_head is None) != isinstance(net, PatchBackbone)
    images = pictures(spec)
    with torch.no_grad():
        values = net.trunk(images)
        embeddings = net(images)
        assert values.ndim == 2
        assert embeddings.shape == (2, spec.dimension)
        torch.testing.assert_close(net.tail(values), embeddings)
        torch.testing.assert_close(net.tail(values[:, None])[:, 0], embeddings)
        torch.testing.assert_close(net(images[:1]), embeddings[:1], atol=1e-5, rtol=1e-4)


@ROWS
def test_building_and_loading_make_the_same_network(spec):
    module = importlib.import_module(spec.module)
    built, loaded = module.build().state_dict(), module.load(asset_path(spec.asset)).state_dict()
    assert {n: v.shape for n, v in built.items()} == {n: v.shape for n, v in loaded.items()}


def test_a_hidden_patch_is_known_by_its_place_alone():
    """Held by the pocket transformer for now, as no row of the table has patch tokens yet."""
    net, images = load(None).eval(), pictures(POCKET_VIT)
    rows, columns = net.grid
    mask = torch.zeros(2, rows * columns, dtype=torch.bool)
    with torch.no_grad():
        values, tokens = net.tokens(images)
        assert tokens.shape == (2, rows * columns, net.patch_width)
        torch.testing.assert_close(values, net.trunk(images))
        torch.testing.assert_close(net.tokens(images, mask), (values, tokens))
        mask[0, 1] = True  # row 0, column 1 of the first picture
        hidden = net.tokens(images, mask)
        assert not torch.allclose(hidden[1][0], tokens[0])
        torch.testing.assert_close(hidden[1][1], tokens[1])
        side = POCKET_VIT.size // columns
        images[0, :, :side, side : 2 * side] = 9.0
        torch.testing.assert_close(net.tokens(images, mask), hidden)
        assert not torch.allclose(net.tokens(images)[1][0], tokens[0])
