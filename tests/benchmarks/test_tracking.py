from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks.rival import BotSort, tracks_of
from benchmarks.runs import Case, ProgramFailedError
from benchmarks.tracking import (
    UNITS,
    Scene,
    drawn_scenes,
    film_scene,
    labelled_looks,
    measure_tracking,
    measures,
    table_of,
)
from tests.tracks.drawn import clip, faces_of, walk
from videoclusternet import pipeline
from videoclusternet.config import TracksConfig
from videoclusternet.records import Faces, Tracks
from videoclusternet.results.truth import Truth
from videoclusternet.tracks.tracker import track_faces


def truth_of(rows):
    """True boxes of 60 pixels: frame, left, name."""
    rows = sorted(rows)
    box = np.array([(x, 0, x + 60, 60) for _, x, _ in rows], np.float32).reshape(-1, 4)
    return Truth(
        np.array([frame for frame, _, _ in rows], np.int64), box,
        np.array([name for _, _, name in rows], np.str_),
    )  # fmt: skip


def scene_of(drawn, truth, looked=range(30), cuts=()):
    faces = faces_of([(t, x + 30.0, 30.0, 60.0, who) for t, x, who in drawn], looked)
    return Scene("drawn", faces, clip(cuts), truth)


def tracks_by_person(scene):
    """The tracks of one who knows: `sharpness` tells them."""
    return tracks_of(scene.faces, scene.faces.sharpness.astype(np.int64))


def slow_looks(tracks, looked, truth):
    looked, pairs = looked.tolist(), []
    for frame in sorted(set(truth.frame.tolist())):
        before = [look for look in looked if look <= frame]
        after = [look for look in looked if look >= frame]
        if not before or not after:
            continue
        old, new = before[-1], after[0]
        for track in range(tracks.count):
            boxes = {
                int(tracks.frame[i]): tracks.box[i].astype(float)
                for i in range(len(tracks))
                if tracks.track[i] == track
            }
            if old not in boxes or new not in boxes:
                continue
            share = 0.0 if new == old else (frame - old) / (new - old)
            x1, y1, x2, y2 = (1 - share) * boxes[old] + share * boxes[new]
            best, most = None, 0.0
            for i in range(len(truth)):
                if truth.frame[i] != frame:
                    continue
                a1, b1, a2, b2 = truth.box[i].tolist()
                both = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
                union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - both
                if both / union > most:
                    best, most = i, both / union
            if most >= 0.5 and truth.name[best] != "?":
                pairs.append((track, best))
    return pairs


def slow_measures(looks, truth, scene):
    tracks = sorted({track for track, _ in looks})
    people = sorted({str(truth.name[row]) for _, row in looks})
    names = {t: Counter(str(truth.name[row]) for u, row in looks if u == t) for t in tracks}
    known = [row for row in range(len(truth)) if truth.name[row] != "?"]
    return {
        "purity": sum(max(c.values()) for c in names.values()) / len(looks) if looks else 0,
        "mixed": sum(len(c) > 1 for c in names.values()) / len(tracks) if looks else 0,
        "tracks": len(tracks),
        "per_person": sum(p in names[t] for p in people for t in tracks) / len(people)
        if looks
        else 0,
        "recall": len({row for _, row in looks}) / len(known) if known else 0,
    }


@st.composite
def labelled(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step, people = draw(st.integers(1, 4)), draw(st.integers(0, 4))
    looked = range(0, 30, step)
    drawn, true = [], []
    for who in range(people):
        left = 45.0 * who + rng.uniform(-3, 3, 30).cumsum()
        drawn += [(t, left[t], who) for t in looked if rng.random() < 0.8]
        true += [
            (t, left[t] + rng.uniform(-30, 30), rng.choice(["Ann", "Bob", "?"]))
            for t in range(0, 30, 2)
            if rng.random() < 0.9
        ]
    return scene_of(
        drawn, truth_of(true), looked, sorted(draw(st.sets(st.integers(1, 29), max_size=2)))
    )


@settings(max_examples=60, deadline=None)
@given(labelled())
def test_looks_and_measures_are_those_of_plain_loops(scene):
    tracks = tracks_by_person(scene)
    looks = labelled_looks(tracks, scene.faces.looked, scene.truth)
    slow = slow_looks(tracks, scene.faces.looked, scene.truth)
    assert [tuple(pair) for pair in looks.tolist()] == slow
    measured = dict(measures(tracks, scene))
    assert set(measured) == set(UNITS)
    appearances = measured.pop("per_appearance")
    assert measured == pytest.approx(slow_measures(slow, scene.truth, scene))
    assert appearances >= (1 if slow else 0)


def test_nothing_is_nothing():
    nobody = scene_of([], truth_of([]))
    assert set(measures(Tracks.empty(), nobody).values()) == {0}
    missed = scene_of([], truth_of([(0, 0, "Ann")]))
    assert measures(Tracks.empty(), missed)["recall"] == 0


def test_a_track_of_two_people_is_seen():
    drawn = [(t, 0.0, 0) for t in range(30)]
    truth = truth_of([(t, 0, "Ann" if t < 24 else "Bob") for t in range(0, 30, 6)])
    scene = scene_of(drawn, truth)
    told = measures(tracks_by_person(scene), scene)
    assert (told["purity"], told["mixed"], told["recall"]) == (0.8, 1, 1)


def test_a_person_in_two_tracks_is_seen_and_a_cut_excuses():
    drawn = [(t, 0.0, int(t >= 15)) for t in range(30)]
    truth = truth_of([(t, 0, "Ann") for t in range(0, 30, 3)])
    broken = scene_of(drawn, truth)
    told = measures(tracks_by_person(broken), broken)
    assert (told["tracks"], told["per_person"], told["per_appearance"]) == (2, 2, 2)
    cut = replace(broken, shots=clip([15]))
    assert measures(tracks_by_person(cut), cut)["per_appearance"] == 1


def test_a_track_is_not_where_it_was_not_seen():
    drawn = [(t, 0.0, 0) for t in (0, 3, 9, 12)]
    truth = truth_of([(t, 0, "Ann") for t in (1, 4, 6, 8, 10, 13)])
    scene = scene_of(drawn, truth, range(0, 15, 3))
    looks = labelled_looks(tracks_by_person(scene), scene.faces.looked, truth)
    assert truth.frame[looks[:, 1]].tolist() == [1, 10]


def test_boxes_before_the_first_and_after_the_last_look_count_as_missed():
    scene = scene_of(
        [(6, 0.0, 0), (9, 0.0, 0)], truth_of([(3, 0, "a"), (6, 0, "a"), (12, 0, "a")]), (6, 9)
    )
    assert measures(tracks_by_person(scene), scene)["recall"] == pytest.approx(1 / 3)


def test_ids_become_tracks():
    faces = faces_of(walk(0, 100, 0, range(4)) + walk(1, 300, 0, range(4)))
    ids = np.array([-1, 7, 5, 7, 5, -1, 5, 7])
    tracks = tracks_of(faces, ids)
    assert tracks.track.tolist() == [0, 0, 0, 1, 1, 1]
    assert tracks.frame.tolist() == [0, 1, 3, 1, 2, 3]
    np.testing.assert_array_equal(tracks.box[:3], faces.box[[1, 3, 7]])
    assert tracks_of(faces, np.full(8, -1)).count == 0
    assert tracks_of(Faces.empty(), np.empty(0, int)).count == 0


def ours_again(faces, shots, config, reset):
    return track_faces(faces, shots, config)


def test_ours_reaches_its_goals_in_every_drawn_scene():
    for scene in drawn_scenes():
        rows = measure_tracking(scene, ours_again, TracksConfig())
        judged = {row.name: row.holds for row in rows if row.goal}
        assert judged == {
            f"{scene.name}.ours.purity": True,
            f"{scene.name}.ours.mixed": True,
        }


def test_a_film_is_taken_as_far_as_its_faces(tmp_path, monkeypatch):
    asked = {}

    class View:
        kept, shots = faces_of(walk(0, 100, 0)), clip()

    def process(film, out, preset, changes, until):
        asked.update(film=film, out=out, preset=preset, changes=changes, until=until)
        return View()

    monkeypatch.setattr(pipeline, "process_film", process)
    truth = tmp_path / "truth.csv"
    truth.write_text("frame,x1,y1,x2,y2,name\n6,70,170,130,230,Ann\n")
    scene = film_scene(Case(Path("a.mp4"), truth), 2, tmp_path, "fast", ["seed=1"])
    assert scene.name == "a.every_2"
    assert scene.truth.name.tolist() == ["Ann"]
    assert asked["until"] == "kept"
    assert asked["changes"] == ["seed=1", "detect.every=2"]


def test_the_command_draws_its_cases_where_no_film_is_given(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "BotSort", lambda work: ours_again)
    out = tmp_path / "tracking.json"
    assert command.main(["tracking", "--work", str(tmp_path / "work"), "--out", str(out)]) == 0
    rows = json.loads(out.read_text())["rows"]
    assert {row["name"].split(".")[0] for row in rows} == {"drawn"}
    assert {row["name"].split(".")[2] for row in rows} == {"ours", "botsort_per_shot", "botsort"}
    assert str(tmp_path) not in out.read_text()
    assert len(capsys.readouterr().out.splitlines()) == len(rows) / len(UNITS) + 1


def test_the_table_of_nothing_has_a_head():
    assert len(list(table_of([]))) == 1


def test_an_environment_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    faces = faces_of(walk(0, 100, 0))
    with pytest.raises(ProgramFailedError, match="BoT-SORT could not be made ready"):
        BotSort(tmp_path)(faces, clip(), TracksConfig(), reset=True)
