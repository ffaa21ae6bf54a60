"""Files in every layout that people have fit their network; others are told what they look like."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from tests.families import EACH, POCKETS, drawn_pocket, pocket_of
from tests.pocket import QUICK
from videoclusternet.errors import WeightsError
from videoclusternet.models import loading, vggface2
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.loading import load_backbone, row_for
from videoclusternet.models.registry import ARCFACE, BACKBONES
from videoclusternet.weights.assets import ASSETS, locate


def behind(prefix):
    return lambda state: {f"{prefix}{name}": value for name, value in state.items()}


def without_counters(state):
    return {name: value for name, value in state.items() if "num_batches" not in name}


LAYOUTS = {
    "raw": dict,
    "DataParallel": behind("module."),
    "Lightning": lambda state: {"epoch": 3, "state_dict": behind("model.")(state)},
    "features": behind("features."),
    "two prefixes": behind("module.backbone."),
    "state_dict inside": lambda state: {"state_dict": state, "best": 0.3},
    "state_dict_backbone inside": lambda state: {"step": 1, "state_dict_backbone": state},
    "with the head of a loss beside": lambda state: {
        "state_dict": behind("model.")(state) | {"head.kernel": torch.rand(12, 99)}
    },
    "a CLIP": lambda state: {
        "state_dict": behind("visual.")(state)
        | {"logit_scale": torch.ones(()), "token_embedding.weight": torch.rand(9, 4)}
    },
    "an old one without counters": without_counters,
    "half precision": lambda state: {
        name: value.half() if value.is_floating_point() else value for name, value in state.items()
    },
}


@EACH
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "legacy"])
def test_every_layout_fits(name, layout, packed, tmp_path, monkeypatch):
    spec, net = pocket_of(name, monkeypatch), drawn_pocket(name)
    path = tmp_path / "net.pth"
    torch.save(layout(net.state_dict()), path, _use_new_zipfile_serialization=packed)
    kept, loaded = load_backbone(spec, path)
    assert kept == spec
    assert not loaded.training
    exact = LAYOUTS["half precision"] is not layout
    for key, value in net.state_dict().items():
        read = loaded.state_dict()[key]
        assert read.dtype == value.dtype
        if key.endswith("num_batches_tracked"):
            continue  # of use in training alone
        torch.testing.assert_close(
            read, value, atol=0 if exact else 2e-3, rtol=0 if exact else 1e-3
        )


@EACH
def test_nobody_elses_random_numbers_are_used(name, tmp_path, monkeypatch):
    spec = pocket_of(name, monkeypatch)
    torch.save(drawn_pocket(name).state_dict(), tmp_path / "net")
    torch.manual_seed(4)
    before = torch.get_rng_state()
    load_backbone(spec, tmp_path / "net")
    assert torch.equal(torch.get_rng_state(), before)


@EACH
def test_a_safetensors_file_fits(name, tmp_path, monkeypatch):
    spec, net = pocket_of(name, monkeypatch), drawn_pocket(name)
    save_file(behind("model.")(net.state_dict()), tmp_path / "net")
    loaded = load_backbone(spec, tmp_path / "net")[1].state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in net.state_dict().items())


@EACH
def test_what_was_tuned_to_one_film_can_begin_the_next(name, tmp_path, monkeypatch):
    spec, net = pocket_of(name, monkeypatch), drawn_pocket(name)
    FaceModel(spec, net, QUICK).save(tmp_path / "model.safetensors")
    loaded = load_backbone(spec, tmp_path / "model.safetensors")[1].state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in net.state_dict().items())


def save(state, tmp_path):
    torch.save(state, tmp_path / "net.pth")
    return tmp_path / "net.pth"


def refused(spec, path):
    with pytest.raises(WeightsError) as caught:
        load_backbone(spec, path)
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said
    return said


@EACH
def test_a_file_that_lacks_one_tensor_is_refused_by_its_name(name, tmp_path, monkeypatch):
    spec, state = pocket_of(name, monkeypatch), drawn_pocket(name).state_dict()
    key = [key for key in state if "num_batches" not in key and key != "mask_token"][-1]
    del state[key]
    said = refused(spec, save(behind("model.")(state), tmp_path))
    assert f"does not fit '{spec.name}' (it lacks {key}): it looks like '{spec.name}'." in said


@EACH
def test_a_tensor_of_another_shape_or_kind_is_refused(name, tmp_path, monkeypatch):
    spec, state = pocket_of(name, monkeypatch), drawn_pocket(name).state_dict()
    key = next(iter(state))
    shape = "x".join(map(str, state[key].shape))
    wider = torch.cat([state[key]] * 2)
    said = refused(spec, save(state | {key: wider}, tmp_path))
    assert f"it has {key} of {'x'.join(map(str, wider.shape))} instead of {shape}" in said
    said = refused(spec, save(state | {key: state[key].to(torch.int8)}, tmp_path))
    assert f"it has {key} of int8 {shape} instead of {shape}" in said


@EACH
def test_a_tensor_that_nobody_knows_is_refused(name, tmp_path, monkeypatch):
    spec, state = pocket_of(name, monkeypatch), drawn_pocket(name).state_dict()
    said = refused(spec, save(state | {"extra.weight": torch.zeros(2)}, tmp_path))
    assert "nobody knows extra.weight" in said


@EACH
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(name, value, tmp_path, monkeypatch):
    spec, state = pocket_of(name, monkeypatch), drawn_pocket(name).state_dict()
    key = [key for key in state if state[key].is_floating_point()][3]
    state[key].view(-1)[0] = value
    assert f"{key} holds what is no number" in refused(spec, save(state, tmp_path))


def test_long_lists_are_cut_short(tmp_path, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    state = {f"layer.{n}": torch.zeros(1) for n in range(9)} | {"conv1.weight": torch.zeros(1)}
    said = refused(spec, save(state, tmp_path))
    assert re.search(r"it lacks \S+, \S+, \S+ and [\d,]+ more;", said)
    assert "nobody knows layer.0, layer.1, layer.2 and 6 more" in said
    assert "it looks like no network that is known here" in said


def test_a_file_of_another_family_is_told_by_its_name(tmp_path, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    pocket_of("adaface_r18", monkeypatch)
    state = {"state_dict": behind("model.")(drawn_pocket("adaface_r18").state_dict())}
    assert "it looks like 'pocket_adaface_r18'" in refused(spec, save(state, tmp_path))


@EACH
def test_a_file_finds_its_row(name, tmp_path, monkeypatch):
    for other in POCKETS:
        spec = pocket_of(other, monkeypatch)
        if other == name:
            expected = spec
    state = {"state_dict": behind("module.")(drawn_pocket(name).state_dict())}
    row, file = row_for(save(state, tmp_path))
    assert row == expected
    assert file.path == tmp_path / "net.pth"


def test_the_embedded_network_finds_its_row():
    path = locate(ASSETS["dlib_resnet"])
    assert row_for(path)[0] is BACKBONES["dlib_resnet"]


def test_a_toml_file_finds_its_row_and_changes_its_feed(tmp_path, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    path = save(drawn_pocket("arcface_r18").state_dict(), tmp_path)
    toml = tmp_path / "net.toml"
    toml.write_text('weights = "net.pth"\ncolours = "bgr"\n')
    row, file = row_for(toml)
    assert row == replace(spec, feed=replace(spec.feed, colours="bgr"))
    assert file.path == path


def test_the_embedded_network_tuned_to_one_film_can_begin_the_next(tmp_path):
    spec, net = load_backbone(BACKBONES["dlib_resnet"], locate(ASSETS["dlib_resnet"]))
    FaceModel(spec, net, QUICK).save(tmp_path / "model.safetensors")
    row, file = row_for(tmp_path / "model.safetensors")
    assert row == spec
    loaded = load_backbone(row, file.path)[1].state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in net.state_dict().items())


def test_parameters_without_a_network_need_a_row_that_has_one(tmp_path):
    said = refused(BACKBONES["onnx"], save({"a": torch.zeros(2)}, tmp_path))
    assert "is no ONNX file" in said


@pytest.mark.parametrize("state", [{}, {"a": torch.zeros(2)}, {"weights": [1, 2], "b": "c"}])
def test_a_file_of_something_else_finds_none(tmp_path, state):
    with pytest.raises(WeightsError, match=r"no network that is known here .its first names are"):
        row_for(save(state, tmp_path))


def test_a_network_for_things_is_not_taken_for_vggface2(tmp_path, monkeypatch):
    """An ImageNet ResNet-50 has the names and shapes of VGGFace2's, but for its classes."""
    spec, state = pocket_of("vggface2_r50", monkeypatch), drawn_pocket("vggface2_r50").state_dict()
    things = state | {"fc.weight": torch.zeros(1000, 128), "fc.bias": torch.zeros(1000)}
    assert "it tells 1,000 classes apart, not 8,631" in refused(spec, save(things, tmp_path))
    people = {"fc.weight": torch.zeros(vggface2.CLASSES, 128), "fc.bias": torch.zeros(8631)}
    load_backbone(spec, save(state | people, tmp_path))


def test_the_visual_half_of_a_whole_clip_is_found_among_equal_names(tmp_path, monkeypatch):
    """The text half has the same names without a prefix, for tokens of another length."""
    spec, net = pocket_of("farl_b16", monkeypatch), drawn_pocket("farl_b16")
    text = {
        name: torch.zeros([2 * side for side in value.shape])
        for name, value in net.state_dict().items()
        if name.startswith("transformer.")
    }
    lm = {"visual.lm_head.weight": torch.zeros(3, 4)}
    state = {"state_dict": text | behind("visual.")(net.state_dict()) | lm}
    loaded = load_backbone(spec, save(state, tmp_path))[1].state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in net.state_dict().items())


def test_a_clip_without_a_mask_token_gets_one_of_zeros(tmp_path, monkeypatch):
    spec, state = pocket_of("farl_b16", monkeypatch), drawn_pocket("farl_b16").state_dict()
    del state["mask_token"]
    loaded = load_backbone(spec, save(behind("visual.")(state), tmp_path))[1]
    assert not loaded.mask_token.any()


def test_a_network_of_another_picture_size_is_refused(tmp_path, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    path = save(drawn_pocket("arcface_r18").state_dict(), tmp_path)
    larger = replace(spec, feed=replace(spec.feed, size=64))
    assert "takes no pictures of 64 x 64 pixels" in refused(larger, path)
    assert spec.feed.size == 32


def test_every_row_tells_itself_from_all_others():
    """By names and shapes alone, each published network fits its own row and no other."""
    rows = [spec for spec in BACKBONES.values() if spec.name not in ("onnx", "dlib_resnet")]
    for spec in rows:
        shapes = loading._shapes(spec.module, spec.variant)
        state = {f"x.{name}": torch.empty(shape, device="meta") for name, shape in shapes.items()}
        assert [row.name for row, _ in loading.likely_rows(state)] == [spec.name]
    assert ARCFACE.size == 112
