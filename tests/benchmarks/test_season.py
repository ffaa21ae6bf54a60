"""Films alone and together: what is one person where, and what stands in the results."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.season import Told, as_strangers, linked_labels
from tests.faces.films import marked, photograph
from tests.synthetic import draw_film
from tests.test_pipeline import POCKET
from tests.test_season import SHOTS
from videoclusternet.library.job import Part


def test_nobody_is_the_same_in_two_films_that_were_run_alone() -> None:
    scores = as_strangers(
        [Told(np.array([0, 1, -1]), ("Ann", "Bob", None)), Told(np.array([0]), ("Ann",))]
    )
    assert (scores.predicted, scores.true, scores.wcp) == (3, 2, 1.0)
    assert scores.bcubed_recall == pytest.approx(2 / 3)


def test_films_are_scored_alone_and_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    cases = []
    for name in ("e1", "e2"):
        drawn = draw_film(tmp_path / f"{name}.mp4", SHOTS[name])
        truth = tmp_path / f"{name}.csv"
        lines = ["frame,x1,y1,x2,y2,name"]
        for frame, who, box in zip(drawn.frame, drawn.name, drawn.box, strict=True):
            face = marked(who)[0] * (box[3] - box[1]) / len(photograph(who))
            lines.append(",".join(map(str, [frame, *face + np.tile(box[:2], 2), who])))
        truth.write_text("\n".join(lines) + "\n")
        cases.append(f"{tmp_path / name}.mp4:{truth}")
    out = tmp_path / "season.json"
    call = [
        "season", *cases, "--seeds", "0", "1", "--out", str(out), "--work", str(tmp_path / "work"),
        *(f"--set={change}" for change in POCKET),
    ]  # fmt: skip
    assert main(call) == 0
    rows = {row["name"]: row["value"] for row in json.loads(out.read_text())["rows"]}
    for film, way in (("e1", "alone"), ("e2", "together"), ("combined", "alone")):
        assert 0 < rows[f"{film}.{way}.bcubed_f1.mean"] <= 1
        assert rows[f"{film}.{way}.tracks_scored.seed_1"] in (2, 4)
    assert rows["combined.alone.predicted.mean"] == 4
    assert rows["combined.together.true.mean"] == 2
    assert rows["combined.together.bcubed_f1.mean"] > rows["combined.alone.bcubed_f1.mean"]
    assert str(tmp_path) not in out.read_text()
    assert "combined" in capsys.readouterr().out


def test_people_of_films_that_are_linked_have_one_label_in_all() -> None:
    """As a library links them: whom both films know, and whom one of them knows."""
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(8, 16))

    def part(number: int, who: int) -> Part:
        crops = faces[who] + rng.normal(size=(5, 16)) * 0.05
        crops /= np.linalg.norm(crops, axis=1, keepdims=True)
        return Part(number, "", 1.0, (), (0,), 5, crops.sum(0))

    parts = [
        tuple(part(n, who) for n, who in enumerate((0, 1, 2, 3, 4), 1)),
        tuple(part(n, who) for n, who in enumerate((4, 3, 2, 6, 7), 1)),
    ]

    def run(*tracks: list[int]) -> SimpleNamespace:
        people = [SimpleNamespace(number=n, tracks=mine) for n, mine in enumerate(tracks, 1)]
        return SimpleNamespace(tracks=SimpleNamespace(count=7), people=people)

    runs = [run([0], [1], [2], [3], [4, 5]), run([6], [5], [0, 1], [2], [3])]
    label = linked_labels(runs, parts)
    assert label[6] == label[7 + 4] == -1  # Unknown in both
    assert label[4] == label[5] == label[7 + 6]
    assert label[3] == label[7 + 5]
    assert label[2] == label[7 + 0] == label[7 + 1]
    assert len(set(label.tolist()) - {-1}) == 7
