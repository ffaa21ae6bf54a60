"""Faces drawn as numbers: what the detector would have found in scenes whose truth is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
    return replace(
        Faces.empty(),
        frame=table[:, 0].astype(int),
        box=box.astype(np.float32),
        landmarks=(box[:, None, :2] + shape * size[:, None]).astype(np.float32),
        score=np.array([(score or {}).get(row[0], 0.9) for row in rows], np.float32),
        sharpness=table[:, 4].astype(np.float32),
        frontal=np.ones(len(rows), np.float32),
        exposure=np.ones(len(rows), np.float32),
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


def walk(
    person: int,
    x: float,
    speed: float,
    frames: Iterable[int] = range(30),
    *,
    y: float = 200.0,
    size: float = 60.0,
) -> list[Drawn]:
    """A face that walks through the picture and is at `x` in frame 15."""
    return [(t, x + speed * (t - 15), y, size, person) for t in frames]


def pan(speed: float) -> tuple[list[Drawn], Array]:
    """A face that stands still on a stage, while the camera begins to pan in frame 10."""
    across = [speed * max(0, t - 9) for t in range(30)]
    motion = np.repeat(np.eye(2, 3, dtype=np.float32)[None], 30, axis=0)
    motion[1:, 0, 2] = -np.diff(across)
    return [(t, 900.0 - across[t], 200, 60, 0) for t in range(30)], motion


def merge_and_part(to_the_left: int) -> list[Drawn]:
    """Two faces come to a halt on one spot, are one detection for a while, and then part.

    Nothing in their boxes says who went where; 0 came from the left.
    """

    def side_by_side(
        frames: range, step: float, still: int, people: tuple[int, int]
    ) -> list[Drawn]:
        return [
            (t, 200 + side * step * (t - still), 200.0, 60.0, who)
            for t in frames
            for side, who in zip((-1, 1), people, strict=True)
        ]

    coming = side_by_side(range(6), -20.0, 6, (0, 1))
    one: list[Drawn] = [(t, 200.0, 200.0, 60.0, 0) for t in range(6, 20)]
    return coming + one + side_by_side(range(20, 30), 14.0, 19, (to_the_left, 1 - to_the_left))


@dataclass(frozen=True)
class Scene:
    """A scene of 30 looks, and what the tracker makes of it."""

    name: str
    drawn: list[Drawn]  # every face that is there
    tracks: int  # how many ours makes, none of two people
    hidden: frozenset[tuple[int, int]] = frozenset()  # frame and person that no detector sees
    cuts: tuple[int, ...] = ()
    score: dict[int, float] | None = None
    motion: Array | None = None

    @property
    def faces(self) -> Faces:
        """What the detector finds."""
        seen = [row for row in self.drawn if (row[0], row[4]) not in self.hidden]
        return faces_of(seen, score=self.score, motion=self.motion)

    @property
    def everyone(self) -> Faces:
        """What it would find if nobody was ever hidden."""
        return faces_of(self.drawn)

    @property
    def shots(self) -> Shots:
        """The cuts of the scene."""
        return clip(self.cuts)


SCENES = (
    Scene("one_walks", walk(0, 200, 8), tracks=1),
    Scene(
        "two_cross",
        walk(0, 200, 12) + walk(1, 200, -12, y=215, size=56),
        tracks=2,
        hidden=frozenset((t, 1) for t in range(13, 18)),
    ),
    Scene("two_meet_and_part", merge_and_part(1), tracks=5),
    Scene("camera_pans", pan(50.0)[0], tracks=1, motion=pan(50.0)[1]),
    Scene(
        "one_is_hidden",
        walk(0, 400, 25),
        tracks=1,
        hidden=frozenset((t, 0) for t in (14, 15, 16)),
    ),
    Scene(
        "two_swap_at_a_cut",
        walk(0, 100, 0, range(15))
        + walk(1, 300, 0, range(15))
        + walk(1, 100, 0, range(15, 30))
        + walk(0, 300, 0, range(15, 30)),
        tracks=4,
        cuts=(15,),
    ),
    Scene("one_is_weak", walk(0, 200, 8), tracks=1, score=dict.fromkeys(range(12, 20), 0.3)),
)
"""What a tracker is known to stumble over, drawn by hand."""
