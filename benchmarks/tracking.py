"""Whether a track holds one person, and how often one person breaks into several tracks.

Our tracker and BoT-SORT follow the same faces, with the same motion of the camera, inside the same
shots: those that the program's own stages found, or that are drawn. What holds two people is worst:
the network learns from it that they are one, and nothing later parts them. A person in two tracks
is what clustering is for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import videoclusternet as vcn
from benchmarks.results_file import Goal, Row
from benchmarks.runs import Case
from tests.tracks.drawn import SCENES
from videoclusternet.config import TracksConfig
from videoclusternet.records import Array, Faces, Shots, Tracks
from videoclusternet.results.truth import SAME_FACE, UNTOLD, Truth, read_truth, true_tracks
from videoclusternet.tracks.boxes import iou
from videoclusternet.tracks.tracker import track_faces

UNITS = {
    "purity": "share of labelled looks",
    "mixed": "share of tracks",
    "tracks": "tracks",
    "per_person": "tracks",
    "per_appearance": "tracks",
    "recall": "share of labelled boxes",
}

GOALS = {"ours": {"purity": Goal(1), "mixed": Goal(0, 0)}}
"""By tracker and measure."""

Rival = Callable[[Faces, Shots, TracksConfig, bool], Tracks]
"""Called with faces, shots, settings, and whether ids are to be fresh in each shot."""


@dataclass(frozen=True)
class Scene:
    """Faces to follow, and whose they are."""

    name: str
    faces: Faces
    shots: Shots
    truth: Truth


def film_scene(case: Case, every: int, work: Path, preset: str, changes: Sequence[str]) -> Scene:
    """Let the program find the faces in each `every`-th frame of a film, below `work`."""
    view = vcn.process_film(
        case.film,
        work / f"{case.name}-every-{every}",
        preset,
        [*changes, f"detect.every={every}"],
        until="kept",
    )
    return Scene(f"{case.name}.every_{every}", view.kept, view.shots, read_truth(case.truth))


def drawn_scenes() -> Iterator[Scene]:
    """Yield the scenes that the tests of our tracker are drawn from."""
    for scene in SCENES:
        faces = scene.everyone
        names = faces.sharpness.astype(np.int64).astype(np.str_)
        truth = Truth(faces.frame, faces.box, names)
        yield Scene(f"drawn.{scene.name}", scene.faces, scene.shots, truth)


def measure_tracking(scene: Scene, rival: Rival, config: TracksConfig) -> list[Row]:
    """Return the rows of a scene: each measure for each tracker."""
    given = scene.faces, scene.shots, config
    followed = {
        "ours": track_faces(*given),
        "botsort_per_shot": rival(*given, True),
        "botsort": rival(*given, False),
    }
    return [
        Row.of(f"{scene.name}.{name}.{measure}", value, UNITS[measure], _goal(name, measure))
        for name, tracks in followed.items()
        for measure, value in measures(tracks, scene).items()
    ]


def measures(tracks: Tracks, scene: Scene) -> Mapping[str, float]:
    """Measure tracks by their labelled looks (see `labelled_looks`).

    * purity: the share of looks whose person is the one that their track has most looks of
    * mixed: the share of tracks with looks of more than one person, of those that have any
    * tracks: how many have any
    * per_person, per_appearance: tracks with looks of a person, or of an uninterrupted appearance
      of one inside a shot, in the mean over those that have any
    * recall: the share of the true boxes with a name that have any
    """
    truth, looks = scene.truth, labelled_looks(tracks, scene.faces.looked, scene.truth)
    appearance = _appearances(truth, scene.shots)
    names: dict[int, Counter[str]] = defaultdict(Counter)
    of_person, of_appearance = defaultdict(set), defaultdict(set)
    for track, row in looks.tolist():
        names[track][str(truth.name[row])] += 1
        of_person[truth.name[row]].add(track)
        of_appearance[appearance[row]].add(track)
    mixed = sum(len(people) > 1 for people in names.values())
    right = sum(max(people.values()) for people in names.values())
    return {
        "purity": _ratio(right, len(looks)),
        "mixed": _ratio(mixed, len(names)),
        "tracks": len(names),
        "per_person": _ratio(sum(map(len, of_person.values())), len(of_person)),
        "per_appearance": _ratio(sum(map(len, of_appearance.values())), len(of_appearance)),
        "recall": _ratio(len(np.unique(looks[:, 1])), np.sum(truth.name != UNTOLD)),
    }


def labelled_looks(tracks: Tracks, looked: Array, truth: Truth) -> Array:
    """Return the pairs of a track and a true box that it lies on, int64 (n, 2).

    A track is in a frame that was not looked at if it is in the looks before and after, with its
    box in between. In each frame it takes the true box that it overlaps most, if from `SAME_FACE`
    on, and no look counts where that is nobody's.
    """
    rows_at: dict[int, dict[int, int]] = defaultdict(dict)
    for row, (frame, track) in enumerate(zip(tracks.frame, tracks.track, strict=True)):
        rows_at[int(frame)][int(track)] = row
    pairs = []
    for frame in np.unique(truth.frame):
        at = np.searchsorted(looked, frame, side="right")
        if at == 0 or (looked[at - 1] != frame and at == len(looked)):
            continue
        before = int(looked[at - 1])
        after = before if before == frame else int(looked[at])
        here = sorted(rows_at[before].keys() & rows_at[after].keys())
        there = np.flatnonzero(truth.frame == frame)
        share = (frame - before) / max(1, after - before)
        for track in here:
            old, new = tracks.box[rows_at[before][track]], tracks.box[rows_at[after][track]]
            overlap = iou(old + share * (new - old), truth.box[there])
            best = there[np.argmax(overlap)]
            if overlap.max() >= SAME_FACE and truth.name[best] != UNTOLD:
                pairs.append((track, best))
    return np.array(pairs, np.int64).reshape(-1, 2)


def table_of(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a compact table for the terminal: a line for a tracker in a scene."""
    yield f"{'':<44}" + "".join(f"{measure:>15}" for measure in UNITS)
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        values[row.name.rpartition(".")[0]].append(row.value)
    for name, numbers in values.items():
        yield f"{name:<44}" + "".join(f"{number:>15.3f}" for number in numbers)


def _appearances(truth: Truth, shots: Shots) -> dict[int, tuple[int, int]]:
    """Return the true track and the shot of each row of the truth that has a name."""
    shot = shots.of(truth.frame)
    return {
        int(row): (number, int(shot[row]))
        for number, rows in enumerate(true_tracks(truth))
        for row in rows
    }


def _ratio(part: float, whole: float) -> float:
    """Return a part of the whole; nothing of nothing is 0."""
    return float(part / whole) if whole else 0.0


def _goal(tracker: str, measure: str) -> Goal | None:
    return GOALS.get(tracker, {}).get(measure)
