"""Each base network is measured before and after, on tracks that are made once."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmarks import bases
from benchmarks.__main__ import main
from benchmarks.backbones import drawn_file
from benchmarks.bases import name_of, table_of
from benchmarks.runs import Case
from benchmarks.standings import OURS, Figures
from tests.benchmarks.test_compare import QUICK, case  # noqa: F401


def test_a_file_is_called_by_its_stem_and_no_path_is_told():
    assert name_of("dlib_resnet") == "dlib_resnet"
    assert name_of("onnx=a/secret/net.v2.onnx") == "onnx net.v2"


def test_means_stand_before_and_after():
    figures = {}
    for film in "ab":
        for seed in (0, 1):
            figures[film, "HAC average", seed] = Figures(0.9, 0.8, 0.7, 1.2 if film == "a" else 0.8)
            figures[film, OURS, seed] = Figures(1.0, 0.9 + 0.02 * seed, 0.8, 1.1)
    *_, line = table_of({"net": figures})
    assert line == "| net | 0.900 → 1.000 | 0.800 → 0.910 | 0.700 → 0.800 | 0.200 → 0.100 |"


def test_two_networks_on_two_films(case, tmp_path, capsys, monkeypatch):  # noqa: F811
    copy = Case(case.film.with_name("again.mp4"), case.truth)
    shutil.copy(case.film, copy.film)
    file, out = drawn_file("edgeface_xxs", tmp_path), tmp_path / "bases.json"
    call = [
        "bases", *(f"{one.film}:{one.truth}" for one in (case, copy)), "--seeds", "0",
        "--backbones", "dlib_resnet", f"edgeface_xxs={file}", "--out", str(out),
        "--work", str(tmp_path / "work"), *(f"--set={change}" for change in QUICK),
    ]  # fmt: skip
    assert main(call) == 0
    table = capsys.readouterr().out
    assert table.count("→") == 8
    rows = {row["name"]: row["value"] for row in json.loads(out.read_text())["rows"]}
    assert rows["dlib_resnet.film.after.wcp.seed_0"] == 1
    assert "edgeface_xxs edgeface_xxs.again.before.ratio.seed_0" in rows
    assert str(tmp_path) not in out.read_text()
    monkeypatch.setattr(bases.shutil, "copytree", lambda *_: pytest.fail("done twice"))
    assert main(call) == 0
    assert capsys.readouterr().out == table


def test_one_film_is_too_few(case, tmp_path, capsys):  # noqa: F811
    call = ["bases", f"{case.film}:{case.truth}", "--work", str(tmp_path / "work")]
    assert main(call) == 2
    assert "two films or more" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()
