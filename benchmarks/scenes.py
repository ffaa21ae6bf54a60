"""How right a film is about itself: links by camera set-ups, by pieces of tracks, by co-presence.

A link is judged where both of its tracks have a true name. Films are run as far as their tracks.
The face tracks of television are those of Bäuml, Tapaswi, Stiefelhagen (CVPR 2013), as
github.com/makarandtapaswi/TVPersonID_ExtractWeakLabels has them: they say who it is, and which
tracks a returning set-up links, but have no pictures, so our own search for set-ups is not tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

import videoclusternet as vcn
from benchmarks.results_file import Goal, Row
from benchmarks.runs import Case, run_program
from videoclusternet.records import FRAGMENT, THREAD, TOGETHER, Array, Faces, Shots, Tracks
from videoclusternet.results.truth import name_tracks, read_truth
from videoclusternet.scenes.links import SAME_PLACE, link_tracks
from videoclusternet.tracks.boxes import iou

RATE = 25  # frames a second of the episodes
KINDS = {THREAD: "thread", FRAGMENT: "fragment", TOGETHER: "together"}
GOALS = {THREAD: Goal(least=0.99), TOGETHER: Goal(least=0.99)}
ABA = "A-B-A, IoU 0.7"  # tracks of the next shot but one, in one place: no link of ours


@dataclass(frozen=True)
class Judged:
    """The links of one kind in one film."""

    film: str
    kind: str
    links: int
    known: int  # both of whose tracks have a name
    right: int

    @property
    def share(self) -> float:
        """How many of the known are right; 1 where there is none."""
        return self.right / self.known if self.known else 1.0


@dataclass(frozen=True, eq=False)
class Episode:
    """An episode of television as its face tracks tell it; no pixels are known."""

    film: str
    tracks: Tracks
    shots: Shots
    names: tuple[str | None, ...]  # of each track; None for people of the background
    threads: Array  # int64 (n, 2): tracks that a returning set-up links, as published

    @property
    def placed(self) -> Array:
        """The threads, int64 (m, 2), of which an end of one track lies where one of the other."""
        starts = self.tracks.starts
        ends = np.stack([starts[:-1], starts[1:] - 1], axis=1)
        boxes = self.tracks.box[ends[self.threads]]  # of each pair: first and last box of both
        near = iou(boxes[:, 0, :, None], boxes[:, 1, None]).max(axis=(1, 2)) >= SAME_PLACE
        return self.threads[near]


def judge_film(case: Case, work: Path, preset: str, changes: Sequence[str]) -> list[Judged]:
    """Run a film as far as its tracks, and judge its links. Raises ProgramFailedError."""
    folder = work / case.name
    run_program(case.film, folder, preset, changes, 0, until="tracks")
    run = vcn.load_run(folder)
    names = name_tracks(run.tracks, read_truth(case.truth)).names
    return judge(case.name, run.tracks, run.shots, run.faces, names)


def judge(
    film: str, tracks: Tracks, shots: Shots, faces: Faces, names: Sequence[str | None]
) -> list[Judged]:
    """Judge the links of tracks with these true names; None is not told."""
    links = link_tracks(tracks, shots, faces)
    pairs = np.stack([links.left, links.right], axis=1)
    return [
        count(film, told, pairs[links.kind == kind], names, same=kind != TOGETHER)
        for kind, told in KINDS.items()
    ]


def count(film: str, kind: str, pairs: Array, names: Sequence[str | None], *, same: bool) -> Judged:
    """Count the pairs of tracks (n, 2) which are, or are not, one person."""
    told = [(names[a], names[b]) for a, b in pairs.tolist()]
    known = [(a, b) for a, b in told if a is not None and b is not None]
    right = sum((a == b) == same for a, b in known)
    return Judged(film, kind, len(pairs), len(known), right)


def judge_series(folder: Path) -> list[Judged]:
    """Judge the links of every episode in a folder. Raises InputError where there is none."""
    return [found for episode in read_series(folder) for found in _judge_episode(episode)]


def read_series(folder: Path) -> Iterator[Episode]:
    """Yield every episode of a folder, by name. Raises InputError where there is none."""
    paths = sorted(folder.glob("*.facetracks.mat"))
    if not paths:
        raise vcn.InputError(f"{folder} holds no face tracks: see benchmarks/scenes.py.")
    yield from map(read_episode, paths)


def read_episode(path: Path) -> Episode:
    """Read the face tracks at a path, and the threads and cuts that lie beside them."""
    film = path.name.partition(".")[0]
    found = loadmat(path, squeeze_me=True, struct_as_record=False)["FaceTracks"]
    order = np.argsort([np.min(track.frames) for track in found], kind="stable")
    said = [str(found[i].groundTruthIdentity).lower() for i in order]
    tracks = _tracks([found[i] for i in order])
    matrix = loadmat(path.with_name(f"{film}.track_threads.mat"))["track_thread_matrix"]
    return Episode(
        film,
        tracks,
        _shots(path.with_name(f"{film}.videvents"), int(tracks.frame.max()) + 1),
        tuple(None if name.startswith("unknown") else name for name in said),
        np.argwhere(np.triu(matrix[np.ix_(order, order)], 1)),
    )


def _judge_episode(episode: Episode) -> Iterator[Judged]:
    film, tracks, shots, names = episode.film, episode.tracks, episode.shots, episode.names
    for judged in judge(film, tracks, shots, Faces.empty(), names):
        if judged.kind != KINDS[THREAD]:
            yield judged
    yield count(film, "published thread", episode.threads, names, same=True)
    yield count(film, "published thread, one place", episode.placed, names, same=True)
    shot = shots.of(tracks.spans[:, 0])
    pairs = np.argwhere(shot[:, None] + 2 == shot)
    first, last = tracks.starts[:-1], tracks.starts[1:] - 1
    near = iou(tracks.box[last[pairs[:, 0]]], tracks.box[first[pairs[:, 1]]]) >= 0.7
    yield count(film, ABA, pairs[near], names, same=True)


def _tracks(found: Sequence[Any]) -> Tracks:
    rows = []
    for number, track in enumerate(found):
        sides = track.x, track.y, track.x + track.w, track.y + track.h
        columns = [np.atleast_1d(values) for values in (track.frames, *sides)]
        table = np.stack(columns, axis=1).astype(np.float64)
        _, once = np.unique(table[:, 0], return_index=True)
        rows.append(np.insert(table[once], 0, number, axis=1))
    table = np.concatenate(rows)
    nothing = np.zeros(len(table), np.float32)
    return Tracks(
        track=table[:, 0].astype(np.int64), frame=table[:, 1].astype(np.int64),
        box=table[:, 2:].astype(np.float32), landmarks=np.zeros((len(table), 5, 2), np.float32),
        score=nothing, sharpness=nothing, frontal=nothing, exposure=nothing,
        usable=nothing > 0, filled=nothing > 0,
    )  # fmt: skip


def _shots(events: Path, frames: int) -> Shots:
    lines = events.read_text(encoding="utf-8").splitlines()[1:]
    cuts = np.array([int(line.split()[0]) for line in lines if line.strip()], np.int64)
    first = np.union1d(0, cuts[(cuts > 0) & (cuts < frames)])
    return Shots(first, np.append(first[1:], frames), np.arange(frames + 1) / RATE)


def rows_of(judged: Sequence[Judged]) -> Iterator[Row]:
    """Yield the rows of the results: of each film, and of all that were judged in one way."""
    for kind in dict.fromkeys(one.kind for one in judged):
        some = [one for one in judged if one.kind == kind]
        links, known, right = (
            sum(getattr(one, name) for one in some) for name in ("links", "known", "right")
        )
        total = replace(some[0], film="all", links=links, known=known, right=right)
        goal = next((goal for number, goal in GOALS.items() if KINDS[number] == kind), None)
        for one in [*some, total]:
            yield Row.of(f"{one.film}: {kind}, links", one.links, "pairs")
            yield Row.of(f"{one.film}: {kind}, judged", one.known, "pairs")
            unit, asked = "share of the judged", goal if one is total else None
            yield Row.of(f"{one.film}: {kind}, right", one.share, unit, asked)


def table_of(judged: Sequence[Judged]) -> Iterator[str]:
    """Yield the lines to print."""
    for one in judged:
        yield f"{one.film:<20}{one.kind:<28}{one.links:>6}  {one.right} of {one.known}"
