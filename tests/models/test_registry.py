"""The contract that every row of the table of backbones keeps, by being in it."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.pocket import QUICK
from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.models.backbone import Backbone, PatchBackbone
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import ARCFACE, BACKBONES, choose_backbone
from videoclusternet.weights.assets import ASSETS

ROWS = pytest.mark.parametrize("spec", BACKBONES.values(), ids=list(BACKBONES))
BUILT = [spec for spec in BACKBONES.values() if spec.name != "onnx"]  # whose file brings its own
FAMILIES = [  # the smallest of each, to be computed with
    BACKBONES[name]
    for name in (
        "dlib_resnet", "arcface_r18", "adaface_r18", "vggface2_r50", "vggface2_se50", "farl_b16",
        "edgeface_xxs", "edgeface_xs",
    )
]  # fmt: skip


def names_of(rows):
    return [spec.name for spec in rows]


@ROWS
def test_a_row_can_be_shown_with_its_terms(spec):
    assert BACKBONES[spec.name] is spec
    assert spec.code_licence
    assert spec.weights_licence
    assert spec.source
    if spec.asset is not None:
        assert spec.weights_licence == ASSETS[spec.asset].licence


@ROWS
def test_a_row_says_how_its_network_is_fed(spec):
    feed = spec.feed
    assert len(feed.template) == 5
    assert all(0 < x < feed.size and 0 < y < feed.size for x, y in feed.template)
    left_eye, right_eye, nose, left_mouth, right_mouth = feed.template
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert all(0 <= mean <= 255 for mean in feed.mean)
    assert all(scale > 0 for scale in feed.scale)


def test_the_default_network_needs_nothing_else():
    assert BACKBONES["dlib_resnet"].asset in ASSETS
    assert all(spec.asset is None for spec in BACKBONES.values() if spec.name != "dlib_resnet")


@pytest.mark.parametrize("spec", BUILT, ids=names_of(BUILT))
def test_a_network_is_as_large_as_its_row_says(spec):
    with torch.device("meta"):
        net = importlib.import_module(spec.module).build(spec.variant)
    assert sum(value.numel() for value in net.parameters()) == spec.parameters


@pytest.mark.parametrize("spec", FAMILIES, ids=names_of(FAMILIES))
def test_a_backbone_is_what_its_row_says(spec):
    net = importlib.import_module(spec.module).build(spec.variant).eval()
    assert isinstance(net, Backbone)
    assert (FaceModel(spec, net, QUICK).patch_head is None) != isinstance(net, PatchBackbone)
    side = spec.feed.size
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        values = net.trunk(images)
        embeddings = net(images)
        assert values.ndim == 2
        assert embeddings.shape == (2, spec.dimension)
        torch.testing.assert_close(net.tail(values), embeddings)
        torch.testing.assert_close(net.tail(values[:, None])[:, 0], embeddings)
        torch.testing.assert_close(net(images[:1]), embeddings[:1], atol=1e-4, rtol=1e-3)


PUBLISHED = {
    "arcface_r50": (lambda x: (x / 255 - 0.5) / 0.5, "rgb"),  # insightface, inference.py
    "adaface_r50": (lambda x: (x[..., ::-1] / 255 - 0.5) / 0.5, "bgr"),  # AdaFace, inference.py
    "vggface2_r50": (  # cydonia999, datasets/vgg_face2.py
        lambda x: x[..., ::-1] - np.array([91.4953, 103.8827, 131.0912]),
        "bgr",
    ),
    "farl_b16": (  # FaRL, farl/network/transformers.py
        lambda x: (
            (x / 255 - np.array([0.48145466, 0.4578275, 0.40821073]))
            / np.array([0.26862954, 0.26130258, 0.27577711])
        ),
        "rgb",
    ),
    "edgeface_xs": (lambda x: (x / 255 - 0.5) / 0.5, "rgb"),  # edgeface, README
    "dlib_resnet": (  # dlib, dnn/input.h: input_rgb_image_sized
        lambda x: (x - np.array([122.782, 117.001, 104.298])) / 256,
        "rgb",
    ),
}


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_a_picture_is_fed_as_was_published(name):
    prepare, colours = PUBLISHED[name]
    spec = BACKBONES[name]
    side = spec.feed.size
    picture = np.random.default_rng(3).integers(0, 256, (side, side, 3), np.uint8)

    class Echo(Backbone):
        def trunk(self, x):
            return x.flatten(1)

        def tail(self, values):
            return values

    fed = FaceModel(spec, Echo(), QUICK).trunk(torch.tensor(picture)[None])
    expected = prepare(picture.astype(np.float64)).transpose(2, 0, 1)
    np.testing.assert_allclose(fed[0].view(3, side, side).numpy(), expected, atol=1e-4)
    assert spec.feed.colours == colours


def test_the_rows_of_one_family_are_fed_alike():
    for one in BUILT:
        for other in BUILT:
            if one.module == other.module:
                assert one.feed == other.feed


@pytest.mark.parametrize("name", ["", "arcface", "DLIB_RESNET"])
def test_an_unknown_name_is_refused_and_the_known_ones_told(name):
    with pytest.raises(UsageError, match="dlib_resnet, arcface_r18"):
        choose_backbone(name)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"not looked into here")
    return path


def test_a_file_is_fed_as_its_row_says(file):
    spec, weights = choose_backbone(f"arcface_r100={file}")
    assert spec is BACKBONES["arcface_r100"]
    assert weights.path == file


def test_a_toml_file_says_what_differs_from_the_row(file):
    toml = file.with_suffix(".toml")
    toml.write_text('weights = "net.onnx"\ncolours = "bgr"\nscale = [128, 128, 128.5]\n')
    spec, weights = choose_backbone(f"onnx={toml}")
    assert weights.path == file
    assert spec.feed == replace(ARCFACE, colours="bgr", scale=(128.0, 128.0, 128.5))
    assert replace(spec, feed=ARCFACE) == BACKBONES["onnx"]


def test_a_template_grows_with_its_picture_unless_it_is_given(file):
    toml = file.with_suffix(".toml")
    toml.write_text('weights = "net.onnx"\nsize = 224\n')
    feed = choose_backbone(f"onnx={toml}")[0].feed
    assert feed.size == 224
    np.testing.assert_allclose(feed.template, 2 * np.array(ARCFACE.template))
    points = [[float(n), float(n + 1)] for n in range(5)]
    toml.write_text(f'weights = "net.onnx"\nsize = 224\ntemplate = {points}\n')
    assert choose_backbone(f"onnx={toml}")[0].feed.template == tuple(map(tuple, points))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'weights' is missing"),
        ("weights = ", "no TOML file"),
        ("\0", "no TOML file"),
        ('weights = "gone.onnx"', "gone.onnx is not there"),
        ('weights = "net.onnx"\nsize = 0', "'size' has to be at least 16"),
        ('weights = "net.onnx"\nsize = 2000', "'size' has to be at most 1024"),
        ('weights = "net.onnx"\nmean = [1, 2]', "'mean.2' is missing"),
        ('weights = "net.onnx"\nmean = [nan, 1, 1]', "mean"),
        ('weights = "net.onnx"\nscale = [1, 0, 1]', "scale"),
        ('weights = "net.onnx"\ncolours = "gbr"', "colours"),
        ('weights = "net.onnx"\ntemplate = [[1, 2]]', "template"),
        ('weights = "net.onnx"\nsise = 3', "'sise' is not known"),
    ],
)
def test_a_toml_file_that_cannot_be_meant_is_refused_in_one_line(file, text, said):
    toml = file.with_suffix(".toml")
    toml.write_text(text)
    with pytest.raises(WeightsError, match=said) as caught:
        choose_backbone(f"onnx={toml}")
    assert "\n" not in str(caught.value)
