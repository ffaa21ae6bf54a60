"""The contract that every row of the table of backbones keeps, by being in it."""

from __future__ import annotations

import importlib

import pytest
import torch

from videoclusternet.errors import UsageError
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.registry import BACKBONES, backbone_spec
from videoclusternet.weights import ASSETS, asset_path

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


@ROWS
def test_a_backbone_is_what_its_row_says(spec):
    net = importlib.import_module(spec.module).load(asset_path(spec.asset)).eval()
    assert isinstance(net, Backbone)
    images = torch.rand(2, 3, spec.size, spec.size, generator=torch.Generator().manual_seed(0))
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
