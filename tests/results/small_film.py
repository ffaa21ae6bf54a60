"""Small films written down as records: who is seen when is known because it is stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import cv2
import numpy as np

from videoclusternet.records import TWO_GROUPS, Array, Clusters, Crops, Shots, Tracks
from videoclusternet.results.people import People, list_people
from videoclusternet.results.report import RunFacts

LOOK = 3  # frames between two looks
FACTS = RunFacts(
    film="film.mp4",
    width=1280,
    height=720,
    date=datetime(2026, 3, 4, 17, 20),
    preset="standard",
    seed=0,
    device="cpu",
    faces=321,
    seconds={"shots": 12.3, "finetune": 421.0},
    settings={"finetune.rounds": 3},
    versions={"videoclusternet": "0.1.0"},
    events=("Round 1: 4 matches.",),
)


@dataclass(frozen=True)
class Film:
    """The four records that the results are made of."""

    clusters: Clusters
    tracks: Tracks
    crops: Crops
    shots: Shots

    @property
    def people(self) -> People:
        """Who is in it."""
        return list_people(self.clusters, self.tracks, self.crops, self.shots)


def drawn_face(seed: int) -> Array:
    """Draw a face of its own skin, light and grain, 150 x 150 RGB."""
    rng = np.random.default_rng(seed)
    face = np.full((150, 150, 3), rng.integers(30, 200, 3), np.uint8)
    skin = rng.integers(120, 230, 3).tolist()
    cv2.ellipse(face, (75, 80), (45, 60), 0, 0, 360, skin, -1)
    for x in (55, 95):
        cv2.circle(face, (x, 65), 6, (30, 30, 30), -1)
    cv2.ellipse(face, (75, 112), (18, 6), 0, 0, 180, (120, 30, 40), 3)
    return np.clip(face + rng.normal(0, 3, face.shape), 0, 255).astype(np.uint8)


def small_film(
    seen: list[tuple[int, int, int]],
    stops: list[int],
    crops: list[int] | None = None,
    times: Array | None = None,
    merges: list[tuple[int, int, int, float, float, float]] | None = None,
    crop_size: int = 16,
    confidence: list[float] | None = None,
    doubts: list[tuple[int, int, int, float, float]] | None = None,
) -> Film:
    """Write a film down: `seen` holds label, first and last look of each track.

    `stops` ends the shots, `crops` counts the crops of each track (default one each), `times` is
    the clock (default 25 frames a second), a merge is round, left, right, loss and two limits,
    `confidence` is that of each track and, on the average, of its person (default .9), and a doubt
    is left, right, reason, loss and limit; two groups part where the right one begins.
    """
    looks = [np.arange(first, last + 1, LOOK) for _, first, last in seen]
    lengths = [len(frames) for frames in looks]
    rows = sum(lengths)
    labels = np.array([label for label, _, _ in seen], np.int64)
    counts = np.array([1] * len(seen) if crops is None else crops, np.int64)
    owner = np.repeat(np.arange(len(seen)), counts)
    crop_frames = [
        np.linspace(first, last, n).astype(np.int64)
        for (_, first, last), n in zip(seen, counts, strict=True)
    ]
    faces = [drawn_face(seed)[:crop_size, :crop_size] for seed in range(len(owner))]
    return Film(
        clusters_of(labels, merges or (), confidence or (), doubts or ()),
        replace(
            Tracks.empty(),
            track=np.repeat(np.arange(len(seen)), lengths),
            frame=np.concatenate([*looks, np.empty(0, np.int64)]).astype(np.int64),
            box=np.zeros((rows, 4), np.float32),
            landmarks=np.zeros((rows, 5, 2), np.float32),
            score=np.ones(rows, np.float32),
            sharpness=np.ones(rows, np.float32),
            frontal=np.ones(rows, np.float32),
            exposure=np.ones(rows, np.float32),
            usable=np.ones(rows, bool),
            filled=np.zeros(rows, bool),
        ),
        Crops(
            np.array(faces, np.uint8).reshape(-1, crop_size, crop_size, 3),
            owner,
            np.concatenate([*crop_frames, np.empty(0, np.int64)]).astype(np.int64),
            np.ones(len(owner), np.float32),
            np.ones(len(owner), np.float32),
            counts,
        ),
        Shots(
            np.array([0, *stops[:-1]], np.int64)[: len(stops)],
            np.array(stops, np.int64),
            np.arange(stops[-1] + 1 if stops else 0) / 25 if times is None else times,
        ),
    )


def clusters_of(
    labels: Array,
    merges: Sequence[tuple[int, int, int, float, float, float]] = (),
    confidence: Sequence[float] = (),
    doubts: Sequence[tuple[int, int, int, float, float]] = (),
) -> Clusters:
    """Write the clusters of tracks down, as `small_film` takes them."""
    people = range(labels.max(initial=-1) + 1)
    merged = np.array(merges, np.float64).reshape(-1, 6).T
    doubted = np.array(doubts, np.float64).reshape(-1, 5).T
    part = np.array([np.flatnonzero(labels == label)[0] for label in labels], np.int64)
    for left, right, reason, *_ in doubts:
        if reason == TWO_GROUPS:
            part[(labels == labels[left]) & (np.arange(len(labels)) >= right)] = right
    share = np.array(confidence or [0.9] * len(labels), np.float32)
    known = labels >= 0
    return replace(
        Clusters.empty(),
        label=labels,
        quality=np.full(len(labels), 0.9, np.float32),
        limit=np.linspace(4, 5, len(people), dtype=np.float32),
        round=merged[0].astype(np.int64),
        left=merged[1].astype(np.int64),
        right=merged[2].astype(np.int64),
        loss=merged[3],
        left_limit=merged[4],
        right_limit=merged[5],
        own_loss=np.where(known, 1.25, np.nan),
        other_loss=np.where(known, 2.5, np.nan),
        other=np.where(known, (labels + 1) % max(1, len(people)), -1),
        confidence=np.where(known, share, np.nan),
        part=np.where(known, part, -1),
        person_confidence=np.array([share[labels == one].mean() for one in people], np.float32),
        doubt_left=doubted[0].astype(np.int64),
        doubt_right=doubted[1].astype(np.int64),
        doubt_reason=doubted[2].astype(np.int64),
        doubt_loss=doubted[3],
        doubt_limit=doubted[4],
    )
