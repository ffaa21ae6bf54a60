"""Each network goes through a whole run, and what became of its parameters is told."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import backbones
from benchmarks.__main__ import main
from benchmarks.backbones import drawn_file, measure_backbone, measure_onnx
from tests.faces.films import draw_two_people
from tests.graphs import draw_pocket
from videoclusternet.models import walker
from videoclusternet.models.checkpoint import read_checkpoint


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return draw_two_people(tmp_path_factory.mktemp("film") / "film.mp4")


def test_a_network_is_drawn_and_saved_as_trainers_save_theirs(tmp_path):
    one, other = (read_checkpoint(drawn_file("edgeface_xxs", tmp_path)) for _ in range(2))
    assert all(name.startswith("state_dict.model.") for name in one)
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_run_with_a_network_is_measured(film, tmp_path):
    setting = f"edgeface_xxs={drawn_file('edgeface_xxs', tmp_path)}"
    rows = {row.name: row for row in measure_backbone(film, setting, tmp_path)}
    for what in ("steps", "finite", "tuned", "statistics_kept"):
        assert rows[f"edgeface_xxs.{what}"].holds is True, what
    assert rows["edgeface_xxs.people"].value >= 1
    assert rows["edgeface_xxs.model"].value > 0


def test_a_network_that_stays_as_it_came_is_told_of(film, tmp_path, monkeypatch):
    few = [change for change in backbones.FEW if "rounds" not in change]
    monkeypatch.setattr(backbones, "FEW", [*few, "finetune.rounds=0"])
    setting = f"edgeface_xxs={drawn_file('edgeface_xxs', tmp_path)}"
    rows = {row.name: row for row in measure_backbone(film, setting, tmp_path)}
    assert rows["edgeface_xxs.tuned"].holds is False


def test_a_graph_is_compared_with_its_runtime(tmp_path, monkeypatch):
    path = draw_pocket(tmp_path / "pocket.onnx", "mobile")
    row = measure_onnx(path)
    assert row.name == "pocket.difference"
    assert row.holds is True
    assert 0 < row.value < 1e-4
    relu = walker.OPERATORS["PRelu"]
    wrong = relu._replace(run=lambda attributes, x, slope: torch.relu(x))
    monkeypatch.setitem(walker.OPERATORS, "PRelu", wrong)
    assert measure_onnx(path).holds is False


def test_the_results_are_written(film, tmp_path):
    out = tmp_path / "results.json"
    code = main(
        ["backbones", str(film), "--rows", "edgeface_xxs", "--work", str(tmp_path / "work"),
         "--out", str(out)]
    )  # fmt: skip
    assert code == 0
    written = json.loads(out.read_text())
    assert {row["name"].split(".")[0] for row in written["rows"]} == {"edgeface_xxs"}
    assert written["settings"]["crops.most"] == 2
