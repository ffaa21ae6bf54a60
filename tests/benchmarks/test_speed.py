"""Floors and ratios: what is measured is what is said, on films and tracks of a moment."""

from __future__ import annotations

import json
from itertools import count

import numpy as np
import pytest

from benchmarks import speed
from benchmarks.__main__ import main
from benchmarks.results_file import Row
from tests.faces.films import draw_two_people
from videoclusternet.clustering.distance import RULES
from videoclusternet.clustering.merge import merge_tracks
from videoclusternet.video.stream import open_video


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return draw_two_people(tmp_path_factory.mktemp("film") / "film.mp4")


def test_drawn_tracks_fall_into_the_people_they_were_drawn_of(monkeypatch):
    monkeypatch.setattr(speed, "PEOPLE", 8)
    sides = speed.drawn_tracks(600, 128)
    assert sides.p.shape == (600, 128)
    np.testing.assert_allclose(sides.p.sum(1), 16)
    assert len(set(merge_tracks(sides, RULES["loss-nearest"])[0].tolist())) == 8


def test_a_long_film_is_as_long_as_asked_and_nothing_comes_twice_alike(film, tmp_path):
    frames = list(speed._strung([film], 130))
    assert len(frames) == 130
    assert {frame.shape for frame in frames} == {(360, 640, 3)}
    length = sum(1 for _ in open_video(film).frames())
    assert length < 130
    once, again = frames[0].astype(float), frames[length].astype(float)
    assert np.abs(once - again).mean() > 1
    assert np.corrcoef(once.ravel(), again[:, ::-1].ravel())[0, 1] > 0.95


def test_help_is_asked_for_and_goals_are_judged(film, tmp_path, capsys):
    out = tmp_path / "speed.json"
    call = ["speed", str(film), "--only", "help", "--out", str(out), "--work", str(tmp_path)]
    assert main(call) == 0
    rows = {row["name"]: row for row in json.loads(out.read_text())["rows"]}
    assert rows["help.torch"]["holds"] is True
    assert 0 < rows["help.seconds"]["value"] < 60
    assert "help.torch" in capsys.readouterr().out


def test_the_front_is_told_in_units_of_decoding(film, tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "FULL_HD", (192, 108))
    monkeypatch.setattr(speed, "CLIP", 30)
    rows = {row.name: row.value for row in speed.measure_front(film, tmp_path)}
    stages = sum(rows[f"front.{stage}"] for stage in speed.FRONT)
    assert rows["front"] == pytest.approx(stages, rel=0.01)


def test_long_films_are_compared_stage_by_stage(film, tmp_path, monkeypatch):
    """The program is not run: sixty times the memory for six times the time must be told so."""
    done = count(1)

    def run(film, folder, preset, changes, seed, until):
        next(done)
        return 100.0 if "60" in folder.name else 50.0

    class Note:
        def __init__(self, seconds):
            self.seconds = seconds

    class Run:
        def __init__(self, folder):
            self.crops = [0] * 7
            seconds = 12.0 if "60" in folder.name else 2.0
            self.manifest = type(
                "Manifest", (), {"stages": {stage: Note(seconds) for stage in speed.STAGES}}
            )

    for minutes in (10, 60):
        (tmp_path / f"{minutes}-minutes.mp4").touch()
    monkeypatch.setattr(speed, "run_program", run)
    monkeypatch.setattr(speed.vcn, "load_run", Run)
    rows = {row.name: row for row in speed.measure_long([film], tmp_path, "fast")}
    assert (rows["long.time"].value, rows["long.time"].holds) == (6.0, True)
    assert (rows["long.memory"].value, rows["long.memory"].holds) == (2.0, False)
    assert rows["long.60.model.memory"].value == 100
    assert next(done) == 2 * len(speed.STAGES) + 1


def test_a_table_says_what_holds():
    rows = [Row.of("front", 3.0, "of decoding", speed.GOALS["front"]), Row.of("x", 1.0, "s")]
    first, second = speed.table_of(rows)
    assert first.endswith("of decoding  at most 2.5: fails")
    assert second.endswith("1  s")


def test_a_film_that_is_not_there_is_said(tmp_path, capsys):
    assert main(["speed", str(tmp_path / "none.mp4"), "--work", str(tmp_path)]) == 3
    assert "no film" in capsys.readouterr().err
