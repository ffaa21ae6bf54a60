"""The doctor tells what a run would find, and ends as the run would that cannot start."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.command import Vcn
from videoclusternet import __version__, doctor, resources
from videoclusternet.config import Config
from videoclusternet.errors import WeightsError
from videoclusternet.models import device
from videoclusternet.models.loading import load_backbone
from videoclusternet.models.registry import choose_backbone
from videoclusternet.weights.assets import ASSETS, OPTIONAL, Asset, cache_folder, locate

REPOSITORY = Path(__file__).parents[1]
KEYS = {
    "versions", "threads", "thread_limits", "decoder", "place", "room", "networks", "extras",
    "cache", "troubles", "ready",
}  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, with whole copies of what every run needs."""
    there = [asset.file for asset in ASSETS.values()]
    folder = tmp_path / "cache"
    folder.mkdir()
    for file in there:
        shutil.copy(file, folder)
    monkeypatch.setenv("VCN_CACHE", str(folder))
    return folder


def told(vcn: Vcn) -> tuple[int, dict[str, Any], list[str]]:
    code, out, err = vcn("doctor", "--json")
    return code, json.loads(out), err.splitlines()


def sentence_about(asset: Asset) -> str:
    """Return what a run says of a file that it cannot use."""
    with pytest.raises(WeightsError) as caught:
        locate(asset)
    return str(caught.value)


def test_a_sound_machine_is_told_in_lines(vcn: Vcn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    code, out, err = vcn("doctor")
    assert (code, err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["videoclusternet"] == __version__
    assert lines["torch"] == metadata.version("torch")
    assert "H.264, HEVC, VP9, AV1;" in lines["decoder"]
    processors = len(os.sched_getaffinity(0))
    assert lines["threads"].startswith(f"1 (affinity {processors}, ")
    assert "OMP_NUM_THREADS 1" in lines["threads"]
    assert lines["precision"].startswith("float32: ")
    assert "a film of an hour takes up to" in lines["disk"]
    assert lines["dlib_resnet"] == f"whole: {ASSETS['dlib_resnet'].file}"
    assert lines["cache"] == str(cache_folder())
    assert out.splitlines()[-1] == "A run can start."


def test_a_sound_machine_is_told_to_programs(vcn: Vcn, cache: Path) -> None:
    code, health, err = told(vcn)
    assert (code, err) == (0, [])
    assert set(health) == KEYS
    assert (health["ready"], health["troubles"]) == (True, [])
    assert health["versions"]["numpy"] == np.__version__
    assert health["place"]["device"] == device.resolve_device("auto")
    assert health["place"]["why"]
    assert 0 < health["room"]["disk_hour"] < 20e9
    assert health["room"]["memory"] > 0
    assert health["cache"] == str(cache)
    states = {network["name"]: network["state"] for network in health["networks"]}
    assert states == dict.fromkeys(ASSETS, "whole") | dict.fromkeys(OPTIONAL, "missing")
    (yunet,) = (network for network in health["networks"] if network["name"] == "yunet")
    assert yunet["brought_by"] == "vcn setup --all"
    assert not yunet["needed"]
    assert health["extras"]["parquet"] == metadata.version("pyarrow")


@pytest.mark.parametrize("name", ASSETS)
def test_a_missing_network_is_3_and_says_how_to_get_it(vcn: Vcn, cache: Path, name: str) -> None:
    ASSETS[name].file.unlink()
    code, health, err = told(vcn)
    assert code == 3
    assert err == [sentence_about(ASSETS[name])]
    assert health["troubles"] == [{"code": 3, "sentence": err[0]}]
    assert not health["ready"]
    code, out, err_text = vcn("doctor")
    assert (code, err_text.splitlines()) == (3, err)
    assert f"{name:<24}missing: run 'vcn setup'" in out.splitlines()
    assert "A run can start." not in out


def test_a_damaged_network_is_3(vcn: Vcn, cache: Path) -> None:
    file = ASSETS["centerface"].file
    file.write_bytes(file.read_bytes()[:-1])
    code, health, err = told(vcn)
    assert code == 3
    assert err == [sentence_about(ASSETS["centerface"])]
    assert str(file) in err[0]
    (state,) = (one for one in health["networks"] if one["name"] == "centerface")
    assert (state["state"], state["path"]) == ("damaged", str(file))
    assert f"damaged ({file}): run 'vcn setup'" in vcn("doctor").out


def test_a_damaged_network_that_nobody_asks_for_stops_nobody(vcn: Vcn, cache: Path) -> None:
    OPTIONAL["yunet"].file.write_bytes(b"half of it")
    code, out, _ = vcn("doctor")
    assert code == 0
    (line,) = (line for line in out.splitlines() if line.startswith("yunet"))
    assert "which only a setting asks for: run 'vcn setup --all'" in line


@pytest.mark.parametrize("library", ["av", "torch", "onnxruntime"])
def test_a_library_that_does_not_load_is_told_once(tmp_path: Path, library: str) -> None:
    (tmp_path / f"{library}.py").write_text("raise ImportError('libgone.so: cannot open it')\n")
    found = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    done = subprocess.run(
        [sys.executable, "-m", "videoclusternet", "doctor", "--json"],
        env=os.environ | {"PYTHONPATH": found}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 6
    assert done.stderr == (
        "A library does not load (libgone.so: cannot open it): install videoclusternet anew, in an "
        "environment of its own.\n"
    )
    health = json.loads(done.stdout)
    assert (health["decoder"] is None, health["place"] is None) == (
        library == "av", library == "torch",
    )  # fmt: skip


def test_no_room_for_a_minute_of_film_is_4(
    vcn: Vcn, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    code, health, err = told(vcn)
    assert (code, len(err)) == (4, 1)
    assert "a film of a minute" in err[0]
    assert "1 MB are free" in err[0]
    assert health["room"]["disk"] == 1_000_000


def test_every_trouble_is_told_and_the_first_one_decides(
    vcn: Vcn, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    ASSETS["centerface"].file.unlink()
    code, health, err = told(vcn)
    assert code == 3
    assert [trouble["code"] for trouble in health["troubles"]] == [3, 4]
    assert sorted(err) == sorted(trouble["sentence"] for trouble in health["troubles"])


def test_the_doctor_leaves_no_trace(
    vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    vcn("doctor")
    assert list(tmp_path.iterdir()) == []


def test_the_extras_are_those_of_the_package() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    told = {extra: [library] for extra, library in doctor.EXTRAS.items()}
    assert told == {
        extra: [requirement.partition(">=")[0] for requirement in requirements]
        for extra, requirements in extras.items()
    }


def test_the_precision_is_that_of_the_networks() -> None:
    kind, _ = device.precision_on("cpu")
    spec, file = choose_backbone(Config().backbone)
    _, net = load_backbone(spec, file.path)
    assert {str(value.dtype) for value in net.parameters()} == {f"torch.{kind}"}


@pytest.mark.parametrize(
    ("built", "remark"),
    [(None, "for processors only"), ("13.0", "built for GPUs (13.0), and finds none")],
)
def test_why_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, built: str | None, remark: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.setattr(torch.version, "hip", None)
    name, why = device.gpu_here()
    assert name is None
    assert remark in why


def test_a_gpu_is_told_by_its_name_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = SimpleNamespace(name="A GPU", total_memory=8 * 10**9)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gpu)
    assert device.gpu_here() == ("A GPU", "8.0 GB")
    assert "TF32" in device.precision_on("cuda")[1]
    assert "TF32" not in device.precision_on("cpu")[1]
