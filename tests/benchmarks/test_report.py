"""The page says what the results file says, and its pictures are the same for the same figures."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from statistics import fmean

import numpy as np
import pytest

from benchmarks import report
from benchmarks.__main__ import main
from benchmarks.methods import METHODS, Method
from benchmarks.report import bars_picture, faces_picture, page_of, ratio_picture, save
from benchmarks.standings import OURS, Figures, Summary, summaries

HEAD = {
    "seeds": [0, 1], "preset": "standard", "date": "2026-01-02T03:04:05",
    "machine": {"processor": "Abacus", "cores": 2},
}  # fmt: skip


@pytest.fixture
def figures(monkeypatch):
    for name, told in (("Rival", "nothing"), ("Helped", "people")):
        monkeypatch.setitem(METHODS, name, Method(name, "none", told, "this test", "nothing"))
    values = {}
    for film, theirs in (("a", 0.9), ("b", 0.5)):
        for seed in (0, 1):
            values[film, OURS, seed] = Figures(0.9, 0.8 + seed / 100, 0.9, 1.2)
            values[film, "Rival", seed] = Figures(1.0, theirs, 0.8, 1.5)
            values[film, "Helped", seed] = Figures(1.0, 0.99, 1.0, 1.0)
    return values


def test_the_page_tells_what_was_measured_and_where_others_are_better(figures):
    page = page_of(HEAD, figures, ["ratio", "bcubed"])
    assert "2 films, seeds 0, 1, preset `standard`, 2026-01-02; Abacus, 2 cores." in page
    assert f"| {OURS} | nothing | 0.805 ±0.005 |" in page
    assert "* a: Rival 0.900, ours 0.805." in page
    assert "* b:" not in page
    assert "Helped 0.990, ours" not in page  # it is told how many people there are
    assert "![ratio](results/ratio.svg)" in page
    assert "| Helped | how many people | this test | nothing |" in page
    assert "| BCL | 98.63 | 89.63 | 79.76 | 83.62 |" in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_a_method_that_nobody_beats_is_told_so(figures):
    best = {key: value for key, value in figures.items() if key[:2] != ("a", "Rival")}
    assert "On no film." in page_of(HEAD, best, [])


def drawn(figure, tmp_path, name="picture"):
    save(figure, tmp_path / f"{name}.svg")
    text = (tmp_path / f"{name}.svg").read_text()
    ET.fromstring(text)
    return text


def test_pictures_name_every_method_and_are_the_same_again(figures, tmp_path):
    for make in (lambda: ratio_picture(figures), lambda: bars_picture(summaries(figures))):
        one, again = drawn(make(), tmp_path), drawn(make(), tmp_path)
        assert one == again
        assert all(name in one for name in (OURS, "Rival", "Helped"))


def test_seeds_that_agree_are_drawn_though_their_mean_is_a_hair_off(tmp_path):
    equal = [Summary(f"{n}", *[(n / 997,) * 3] * 4) for n in range(300)]
    assert any(fmean(summary.wcp) not in summary.wcp for summary in equal)
    drawn(bars_picture(equal), tmp_path)


def test_faces_lie_the_same_way_again(tmp_path):
    random = np.random.default_rng(0)
    before, after = random.normal(size=(2, 12, 5))
    people = np.array(["Ann", "Bob", ""] * 4)
    one, again = (drawn(faces_picture(before, after, people), tmp_path) for _ in range(2))
    assert one == again
    other = drawn(faces_picture(before, after[::-1], people), tmp_path)
    assert other != one


def test_what_is_missing_is_told_and_nothing_is_written(tmp_path, capsys):
    def asked():
        code = main(
            ["report", f"{tmp_path}:{tmp_path / 'truth.csv'}", "--results",
             str(tmp_path / "methods.json"), "--out", str(tmp_path / "results.md")]
        )  # fmt: skip
        assert code == 3
        assert not (tmp_path / "results.md").exists()
        return capsys.readouterr().err

    assert "methods.json cannot be read" in asked()
    (tmp_path / "methods.json").write_text(json.dumps(HEAD | {"rows": []}))
    assert "holds no run" in asked()
    assert report.read_results(tmp_path / "methods.json")[1] == {}
