"""Faces drawn as numbers: what the detector would have found in scenes whose truth is known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from videoclusternet.records import Array, Faces, Shots, Tracks

FRONTAL = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
"""Where the landmarks of a face that looks into the camera lie in its box."""

PROFILE = np.array([[0.15, 0.4], [0.45, 0.4], [0.1, 0.6], [0.2, 0.8], [0.45, 0.8]])

Drawn = tuple[int, float, float, float, int]
"""Frame, centre x, centre y, size and person of one face."""


def clip(cuts: Iterable[int] = (), frames: int = 30, rate: float = 10.0) -> Shots:
    """A film of `frames` frames with these cuts."""
    first = np.array([0, *cuts])
    return Shots(first, np.array([*first[1:], frames]), np.arange(frames + 1) / rate)


def faces_of(
    drawn: Iterable[Drawn],
    looked: Iterable[int] = range(30),
    *,
    score: dict[int, float] | None = None,
    shapes: dict[int, Array] | None = None,
    motion: Array | None = None,
) -> Faces:
    """The faces of a scene. Each carries its person in `sharpness`, which the tracker ignores.

    `score` gives the score of all faces in a frame, `shapes` the landmarks of a person.
    """
    rows = sorted(drawn, key=lambda row: row[0])
    table = np.array(rows, float).reshape(-1, 5)
    centre, size = table[:, 1:3], table[:, 3:4]
    box = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    shape = np.array([(shapes or {}).get(int(row[4]), FRONTAL) for row in rows]).reshape(-1, 5, 2)
    looks = np.array(list(looked))
    still = np.repeat(np.eye(2, 3, dtype=np.float32)[None], len(looks), axis=0)
    return Faces(
        frame=table[:, 0].astype(int),
        box=box.astype(np.float32),
        landmarks=(box[:, None, :2] + shape * size[:, None]).astype(np.float32),
        score=np.array([(score or {}).get(row[0], 0.9) for row in rows], np.float32),
        sharpness=table[:, 4].astype(np.float32),
        frontal=np.ones(len(rows), np.float32),
        usable=np.ones(len(rows), bool),
        looked=looks,
        motion=still if motion is None else motion,
    )


def people_of(tracks: Tracks) -> list[set[int]]:
    """The people whose faces each track holds."""
    return [
        {int(who) for who in tracks.sharpness[(tracks.track == track) & ~tracks.filled]}
        for track in range(tracks.count)
    ]
