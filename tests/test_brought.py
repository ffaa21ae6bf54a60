"""Networks that the user brings, from a file to the people of a film."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.faces.films import draw_two_people
from tests.families import EACH, POCKETS, drawn_pocket, pocket_of
from tests.graphs import draw_pocket
from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.models.backbone import PatchBackbone
from videoclusternet.pipeline import SHOWN, process_film
from videoclusternet.run_view import RunView

QUICK = [
    "shots.shortest=0.2", "finetune.hidden=16", "finetune.outputs=16", "finetune.batch=8",
    "finetune.head_passes=2", "finetune.passes=2", "finetune.rounds=2", "finetune.views=2",
    "cluster.quality_passes=2", "detect.every=5", "crops.most=3", "crops.every=3",
    "finetune.when=always",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return draw_two_people(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def tracked(film, tmp_path_factory):
    """A run that has come to the tracks, with which every network begins."""
    folder = tmp_path_factory.mktemp("runs") / "tracked"
    process(film, folder, until="tracks")
    return folder


def process(film: Path, out: Path, *changes: str, **how: Any) -> RunView:
    return process_film(film, out, "standard", [*QUICK, *changes], device="cpu", **how)


def done_anew(film: Path, folder: Path, *changes: str) -> set[str]:
    """Return the stages that a run does, and does not take over from the one before."""
    told: dict[str, tuple[int, int]] = {}
    process(
        film, folder, *changes,
        progress=lambda stage, *now: told.setdefault(stage, now),  # the first that is told
    )  # fmt: skip
    return {stage for stage, now in told.items() if now != (1, 1)}


def save(name: str, path: Path, seed: int = 0) -> Path:
    state = {f"model.{key}": v for key, v in drawn_pocket(name, seed).state_dict().items()}
    torch.save({"state_dict": state, "epoch": 2}, path)
    return path


@EACH
def test_a_network_of_each_family_is_tuned_to_a_film(name, film, tracked, tmp_path, monkeypatch):
    spec = pocket_of(name, monkeypatch)
    shutil.copytree(tracked, tmp_path / "run")
    file = save(name, tmp_path / "net.ckpt")
    run = process(film, tmp_path / "run", f"backbone={spec.name}={file}")
    assert run.crops.images.shape[1:] == (spec.feed.size, spec.feed.size, 3)
    assert len(run.clusters) == 4
    assert run.model.spec == spec
    assert run.model.head.mean.shape == (spec.dimension,)
    assert run.model.events == []
    losses = [row for row in run.model.log if row["stage"].startswith("round")]
    assert len(losses) >= 2
    assert np.isfinite([row["loss"] for row in losses]).all()
    assert ("patches" in losses[0]) == isinstance(run.model.backbone, PatchBackbone)
    before, after = drawn_pocket(name), run.model.backbone
    learned = {key for key, value in before.named_parameters() if value.requires_grad}
    for key, value in before.state_dict().items():
        same = torch.equal(value, after.state_dict()[key])
        assert same != (key in learned), key  # statistics of batch norms are left alone


def test_a_graph_is_tuned_to_a_film_and_kept_without_its_file(film, tracked, tmp_path):
    shutil.copytree(tracked, tmp_path / "run")
    file = draw_pocket(tmp_path / "net.onnx", "mobile")
    toml = tmp_path / "net.toml"
    toml.write_text('weights = "net.onnx"\nsize = 16\n')
    run = process(film, tmp_path / "run", f"backbone=onnx={toml}")
    assert run.crops.images.shape[1:] == (16, 16, 3)
    assert run.model.events == []
    images = torch.tensor(np.array(run.crops.images[:3]))
    with torch.no_grad():
        embeddings = run.model.tail(run.model.trunk(images))
    assert embeddings.shape == (3, run.model.spec.dimension)
    file.unlink()  # the run folder has all it needs
    again = RunView(run.folder, run.manifest).model
    with torch.no_grad():
        assert torch.equal(again.tail(again.trunk(images)), embeddings)


def test_only_what_is_in_a_file_counts(film, tracked, tmp_path, monkeypatch):
    """Neither where it lies nor its name; and other parameters redo only what they must."""
    spec = pocket_of("arcface_r18", monkeypatch)
    shutil.copytree(tracked, tmp_path / "run")
    first = save("arcface_r18", tmp_path / "net.pth")
    after_tracks = {
        "crops",
        "links",
        "model",
        "signatures",
        "clusters",
        "facts",
        "people",
        "report",
    }
    assert done_anew(film, tmp_path / "run", f"backbone={spec.name}={first}") == after_tracks
    moved = first.rename(tmp_path / "moved.pth")
    assert done_anew(film, tmp_path / "run", f"backbone={spec.name}={moved}") <= {*SHOWN}
    other = save("arcface_r18", tmp_path / "other.pth", seed=1)
    redone = done_anew(film, tmp_path / "run", f"backbone={spec.name}={other}")
    assert redone >= {"model", "clusters"}
    assert "crops" not in redone


def test_a_report_does_not_tell_where_files_lie(film, tracked, tmp_path, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    shutil.copytree(tracked, tmp_path / "run")
    (tmp_path / "secret place").mkdir()
    file = save("arcface_r18", tmp_path / "secret place" / "net.pth")
    run = process(film, tmp_path / "run", f"backbone={spec.name}={file}")
    page = (run.folder / "report.html").read_text()
    assert f"{spec.name}=net.pth" in page
    assert "secret place" not in page


@pytest.mark.parametrize(
    ("setting", "error", "said"),
    [
        ("backbone=arcface_r100", UsageError, "'arcface_r100' are yours to bring"),
        ("backbone=arcface_r100={net}", WeightsError, "does not fit 'arcface_r100'"),
        ("backbone=arcface_r100={gone}", WeightsError, "is not there"),
        ("backbone=onnx={net}", WeightsError, "is no ONNX file"),
        ("backbone=arcface_r18={hostile}", WeightsError, "system, which parameters need not"),
        ("backbone=arcface={net}", UsageError, "no backbone 'arcface'"),
        ("detector=scrfd", UsageError, "'scrfd' are yours to bring"),
        ("detector=scrfd={net}", WeightsError, "is not an ONNX file"),
    ],
)
def test_what_cannot_be_used_is_told_before_work(film, tmp_path, setting, error, said):
    torch.save({"a": torch.zeros(3)}, tmp_path / "net")
    (tmp_path / "hostile").write_bytes(hostile(tmp_path / "ran"))
    names = {name: tmp_path / name for name in ("net", "gone", "hostile")}
    setting = setting.format(**names)
    with pytest.raises(error, match=said):
        process(film, tmp_path / "run", setting)
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "ran").exists()


def hostile(mark: Path) -> bytes:
    """Return a file that runs a command when it is read as pickles are."""

    class Runs:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {mark}",)

    file = io.BytesIO()
    torch.save({"conv1.weight": torch.zeros(2), "more": Runs()}, file)
    return file.getvalue()


def test_the_settings_of_a_run_name_the_network(film, tracked, tmp_path, monkeypatch):
    spec = pocket_of("arcface_r18", monkeypatch)
    shutil.copytree(tracked, tmp_path / "run")
    file = save("arcface_r18", tmp_path / "net.pth")
    process(film, tmp_path / "run", f"backbone={spec.name}={file}", until="crops")
    kept = json.loads((tmp_path / "run" / "run.json").read_text())
    assert kept["settings"]["backbone"] == f"{spec.name}={file}"


def test_every_family_has_a_pocket():
    from videoclusternet.models.registry import BACKBONES

    modules = {BACKBONES[name].module for name in POCKETS}
    others = {spec.module for spec in BACKBONES.values()} - modules
    assert others == {"videoclusternet.models.dlib_resnet", "videoclusternet.models.graph"}
