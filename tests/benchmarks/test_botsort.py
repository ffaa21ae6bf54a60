"""The script that runs where BoT-SORT is, with a stand-in for it: what it is told, and its ids."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
import pytest

from tests.tracks.drawn import faces_of, walk


@dataclass
class Detections:
    xyxy: np.ndarray
    confidence: np.ndarray
    data: dict[str, np.ndarray]
    tracker_id: np.ndarray = field(default_factory=lambda: np.empty(0, int))


class Tracker:
    """Numbers the faces of a look from the left, backwards, and has no id for the second."""

    def __init__(self, **thresholds):
        self.thresholds, self.motions, self.resets = thresholds, [], 0

    def update(self, found, picture):
        self.motions.append(self.cmc.estimate(picture, found.xyxy).copy())
        order = np.argsort(-found.xyxy[:, 0])
        ids = np.where(order == 1, -1, order)
        told = {name: values[order] for name, values in found.data.items()}
        return Detections(found.xyxy[order], found.confidence[order], told, ids)

    def reset(self):
        self.resets += 1
        self.cmc.reset()


@pytest.fixture
def botsort(monkeypatch):
    made = []
    trackers, supervision = ModuleType("trackers"), ModuleType("supervision")
    trackers.BoTSORTTracker = lambda **given: made.append(Tracker(**given)) or made[-1]
    supervision.Detections = Detections
    monkeypatch.setitem(sys.modules, "trackers", trackers)
    monkeypatch.setitem(sys.modules, "supervision", supervision)
    monkeypatch.delitem(sys.modules, "benchmarks.botsort", raising=False)
    script = importlib.import_module("benchmarks.botsort")
    script.made = made
    yield script
    del sys.modules["benchmarks.botsort"]


def scene(resets, looks=4):
    motion = np.repeat(np.eye(2, 3, dtype=np.float32)[None], looks, axis=0)
    motion[:, 0, 2] = np.arange(looks)
    drawn = [row for who in range(3) for row in walk(who, 100 + 100 * who, 0, range(looks))]
    faces = faces_of(drawn, range(looks), motion=motion)
    names = ("frame", "box", "score", "looked", "motion")
    columns = {name: faces.columns()[name] for name in names}
    return {**columns, "resets": np.array(resets), "rate": 10.0, "high": 0.5}


def test_each_face_gets_its_own_id_and_some_have_none(botsort):
    assert botsort.follow(scene([])).tolist() == [0, -1, 2] * 4
    (tracker,) = botsort.made
    assert tracker.resets == 0
    assert set(tracker.thresholds.values()) == {0.5, 10.0}
    assert [motion[0, 2] for motion in tracker.motions] == [0, 1, 2, 3]


def test_ids_are_fresh_after_a_reset(botsort):
    told = botsort.follow(scene([0, 2]))
    assert told.tolist() == [0, -1, 2] * 2 + [3, -1, 5] * 2


def test_looks_without_faces_are_told_too(botsort):
    empty = scene([1])
    for name in ("frame", "box", "score"):
        empty[name] = empty[name][:0]
    assert botsort.follow(empty).tolist() == []
    assert len(botsort.made[0].motions) == 4


def test_it_reads_and_writes_files(botsort, tmp_path, monkeypatch):
    np.savez(tmp_path / "scene.faces.npz", **scene([0]))
    monkeypatch.setattr(sys, "argv", ["botsort.py", str(tmp_path)])
    botsort.main()
    with np.load(tmp_path / "scene.tracks.npz") as told:
        assert told["track"].tolist() == [0, -1, 2] * 4
