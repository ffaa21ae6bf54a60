"""A file that somebody has: what it is, whether it works on faces, and how to use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.faces.networks import retina, saved, scrfd
from tests.families import EACH, drawn_pocket, pocket_of
from tests.graphs import draw_pocket
from videoclusternet import check
from videoclusternet.check import check_model, fetch_model
from videoclusternet.demo import portraits
from videoclusternet.demo.portraits import Trial
from videoclusternet.durable import digest
from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.models.registry import BACKBONES, choose_backbone
from videoclusternet.weights.assets import ASSETS, OPTIONAL, locate
from videoclusternet.weights.choice import fetched_file


def save(name, path):
    torch.save({"state_dict": drawn_pocket(name).state_dict()}, path)
    return path


@EACH
def test_a_file_of_each_family_is_known(name, tmp_path, monkeypatch):
    spec = pocket_of(name, monkeypatch)
    path = save(name, tmp_path / "net.pth")
    verdict = check_model(path)
    assert (verdict.kind, verdict.spec, verdict.path) == ("backbone", spec, path)
    assert verdict.weights.sha256 == digest(path)
    assert verdict.parameters == sum(value.numel() for value in drawn_pocket(name).parameters())
    assert verdict.setting == f"{spec.name}={path}"
    assert choose_backbone(verdict.setting)[1] == verdict.weights
    assert verdict.trial.there == verdict.trial.found == 15
    assert any(f"vcn run FILM --backbone {verdict.setting}" in line for line in verdict.lines())


def test_the_embedded_network_knows_people():
    verdict = check_model(locate(ASSETS["dlib_resnet"]))
    assert verdict.spec == BACKBONES["dlib_resnet"]
    assert verdict.trial.passed
    assert verdict.trial.people == 1.0
    assert verdict.trial.views > 0.98
    assert verdict.trial.margin > verdict.trial.exchanged
    assert not any("red and blue" in line for line in verdict.lines())


def test_a_network_that_nobody_trained_does_not(tmp_path, monkeypatch):
    pocket_of("arcface_r18", monkeypatch)
    verdict = check_model(save("arcface_r18", tmp_path / "net.pth"))
    assert not verdict.trial.passed
    assert any("is this a trained network" in line for line in verdict.lines())


def test_a_network_that_is_fed_the_wrong_colours_is_told_of(tmp_path):
    toml = tmp_path / "net.toml"
    (tmp_path / "net.dat").symlink_to(locate(ASSETS["dlib_resnet"]))
    toml.write_text('weights = "net.dat"\nmean = [20, 117, 230]\nscale = [90, 256, 512]\n')
    wrong = check_model(toml)
    assert wrong.spec.feed.mean == (20.0, 117.0, 230.0)
    assert wrong.weights.sha256 == ASSETS["dlib_resnet"].sha256
    trial = Trial(15, 15, views=0.99, people=0.99, margin=3.0, exchanged=3.4)
    told = check.Verdict("backbone", wrong.spec, toml, wrong.weights, 1, trial)
    assert any("red and blue exchanged" in line for line in told.lines())


@pytest.mark.parametrize("name", ["centerface", "yunet"])
def test_a_detector_is_known_and_finds_the_faces(name):
    path = locate((ASSETS | OPTIONAL)[name])
    verdict = check_model(path)
    assert (verdict.kind, verdict.spec.name) == ("detector", name)
    assert verdict.trial == Trial(there=15, found=15)
    assert verdict.trial.passed
    assert any(f"--detector {name}={path}" in line for line in verdict.lines())


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("scrfd", scrfd),
        ("retinaface", lambda: retina({8: (16, 32), 16: (64, 128), 32: (256, 512)})),
    ],
)
def test_a_detector_of_another_kind_is_known(name, make, tmp_path):
    verdict = check_model(saved(make(), tmp_path))
    assert (verdict.kind, verdict.spec.name) == ("detector", name)
    assert not verdict.trial.passed  # it reads faces out of drawn pixels


def test_a_plain_graph_is_a_backbone_fed_as_declared(tmp_path):
    draw_pocket(tmp_path / "net.onnx", "mobile")
    toml = tmp_path / "net.toml"
    toml.write_text('weights = "net.onnx"\nsize = 16\n')
    verdict = check_model(toml)
    assert verdict.spec.name == "onnx"
    assert verdict.spec.dimension == 12
    assert verdict.setting == f"onnx={toml}"
    with pytest.raises(WeightsError, match="takes no pictures of 112 x 112 pixels"):
        check_model(tmp_path / "net.onnx")


def test_without_the_photographs_a_file_is_still_known(tmp_path, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    monkeypatch.setattr(check, "at_hand", lambda: False)
    verdict = check_model(save("arcface_r18", tmp_path / "net.pth"))
    assert (verdict.spec, verdict.trial) == (spec, None)
    assert any("vcn setup --demo" in line for line in verdict.lines())


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("text"),
        lambda path: path.mkdir(),
        lambda path: torch.save({"a": torch.zeros(2)}, path),
        lambda path: path.write_bytes(b"\x08\x07"),
    ],
)
def test_what_is_none_is_refused_in_one_line(tmp_path, make):
    make(tmp_path / "net")
    with pytest.raises(WeightsError) as caught:
        check_model(tmp_path / "net")
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "net") in str(caught.value)


def test_all_of_a_verdict_can_be_written_as_json(tmp_path, monkeypatch):
    pocket_of("adaface_r18", monkeypatch)
    verdict = check_model(save("adaface_r18", tmp_path / "net.pth"))
    values = json.loads(json.dumps(verdict.to_json()))
    assert values["sha256"] == verdict.weights.sha256
    assert values["bytes"] == (tmp_path / "net.pth").stat().st_size
    assert values["feed"]["colours"] == "bgr"
    assert values["trial"]["passed"] in (True, False)
    assert values["setting"] == verdict.setting
    verdict.to_json()


@pytest.fixture
def address(tmp_path, monkeypatch):
    """What is downloaded is the file in place of the address; the cache is empty."""
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(check, "at_hand", lambda: False)

    def download(address, target, sha256, progress):
        content = Path(address).read_bytes()
        target.write_bytes(content)
        progress(len(content), len(content))

    monkeypatch.setattr(check, "download", download)
    return tmp_path / "there"


def test_a_file_that_was_fetched_is_used_by_its_name_alone(address, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    save("arcface_r18", address)
    verdict = fetch_model(spec.name, str(address))
    there = fetched_file(spec.name)
    assert there.read_bytes() == address.read_bytes()
    assert there.stat().st_mode & 0o777 == 0o600
    assert there.parent.stat().st_mode & 0o777 == 0o700
    assert verdict.setting == spec.name
    assert choose_backbone(spec.name) == (spec, verdict.weights)


def test_a_detector_can_be_fetched(address, tmp_path):
    saved(scrfd(), tmp_path).rename(address)
    assert fetch_model("scrfd", str(address)).setting == "scrfd"


def test_a_file_that_does_not_fit_is_not_kept(address, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    save("arcface_r18", address)
    fetch_model(spec.name, str(address))
    before = fetched_file(spec.name).read_bytes()
    save("adaface_r18", address)
    with pytest.raises(WeightsError, match="does not fit 'pocket_arcface_r18'"):
        fetch_model(spec.name, str(address))
    assert [path.name for path in fetched_file("").iterdir()] == [spec.name]
    assert fetched_file(spec.name).read_bytes() == before


@pytest.mark.parametrize("name", ["dlib_resnet", "centerface", "arcface", "../x"])
def test_only_what_is_to_be_brought_can_be_fetched(address, name):
    with pytest.raises(UsageError, match=r"no network .* to fetch: use one of arcface_r18"):
        fetch_model(name, str(address))
    assert not fetched_file("x").parent.exists()


def test_the_photographs_show_who_the_demonstration_says():
    people, crops = portraits._faces(BACKBONES["dlib_resnet"].feed)
    assert len(people) == len(crops) == 15
    assert people.count("obama") == 3
    assert len(set(people)) == 13
