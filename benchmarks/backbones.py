"""Every backbone on one film from end to end, and ONNX files beside the runtime that they were for.

The networks of the table are drawn anew, since their files are not ours to hand on: this shows that
each one can be loaded, tuned and grouped with, not whom it knows. The settings are the least that
uses every part: few crops, few steps.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

import videoclusternet as vcn
from benchmarks.results_file import Goal, Row
from benchmarks.runs import run_program
from videoclusternet.models.graph import read_graph
from videoclusternet.models.loading import build_backbone, load_backbone
from videoclusternet.models.registry import BACKBONES, choose_backbone

FEW = (
    "crops.most=2", "finetune.views=2", "finetune.batch=8", "finetune.head_passes=4",
    "finetune.rounds=1", "finetune.passes=0.5", "cluster.quality_passes=2", "finetune.when=always",
)  # fmt: skip
"""Settings by which the largest network is through in minutes on two cores."""

CLOSE = 1e-4  # what an ONNX file's embeddings may differ by from those of its runtime
PICTURES = 8  # drawn ones, on which an ONNX file is compared with its runtime


def drawn_file(name: str, work: Path) -> Path:
    """Save a row's network with drawn parameters, as trainers save theirs."""
    torch.manual_seed(0)
    state = build_backbone(BACKBONES[name]).state_dict()
    path = work / f"{name}.ckpt"
    torch.save({"epoch": 1, "state_dict": {f"model.{key}": state[key] for key in state}}, path)
    return path


def measure_backbone(film: Path, setting: str, work: Path) -> Iterator[Row]:
    """Run the program on a film with a backbone, and look at what became of its parameters.

    The first half of the run, which is the same for all, is made once in `work`.
    """
    spec, file = choose_backbone(setting)
    base, folder = work / f"{film.stem}-tracks", work / f"{film.stem}-{spec.name}"
    vcn.process_film(film, base, settings=FEW, until="tracks")
    if not folder.exists():
        shutil.copytree(base, folder)
    run_program(film, folder, "standard", [*FEW, f"backbone={setting}"], 0)
    run = vcn.load_run(folder)
    _, before = load_backbone(spec, file.path)
    after = run.model.backbone
    learned = [name for name, value in before.named_parameters() if value.requires_grad]
    old, new = before.state_dict(), after.state_dict()
    moved = [not torch.equal(old[name], new[name]) for name in learned]
    kept = [torch.equal(old[name], new[name]) for name in old.keys() - set(learned)]
    losses = [row["loss"] for row in run.model.log if "loss" in row]
    yield Row.of(f"{spec.name}.steps", len(losses), "steps", Goal(1))
    yield Row.of(f"{spec.name}.finite", bool(np.isfinite(losses).all()), "1 = all", Goal(1, 1))
    yield Row.of(f"{spec.name}.tuned", float(np.mean(moved)), "share of tensors", Goal(1, 1))
    yield Row.of(f"{spec.name}.statistics_kept", all(kept), "1 = all", Goal(1, 1))
    yield Row.of(f"{spec.name}.people", len(run.people), "people")
    for stage in ("crops", "model", "clusters"):
        seconds = run.manifest.stages[stage].seconds
        yield Row.of(f"{spec.name}.{stage}", seconds, "s")


def measure_onnx(path: Path) -> Row:
    """Compare an ONNX file's network with the runtime, on drawn pictures one by one."""
    import onnxruntime

    net = read_graph(path).eval()
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    side = net.size or BACKBONES["onnx"].feed.size
    random = np.random.default_rng(0)
    pictures = random.uniform(-1, 1, (PICTURES, 3, side, side)).astype(np.float32)
    theirs = np.concatenate([session.run(None, {entry.name: one[None]})[0] for one in pictures])
    with torch.no_grad():
        ours = net(torch.from_numpy(pictures)).numpy()
    difference = float(np.abs(ours - theirs.reshape(ours.shape)).max())
    goal = Goal(most=CLOSE)
    return Row(f"{path.stem}.difference", difference, "largest", str(goal), difference <= CLOSE)


def table_of(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each row."""
    for row in rows:
        yield f"{row.name:<36}{row.value:>12g}  {row.unit:<18}{row.verdict}"
