"""Faces followed through each shot: a tracker of BoT-SORT's kind that rather cuts than swaps.

A track that holds two people teaches the network that they are one, and nothing later can part
them; a person in two tracks is what clustering is for. So where two tracks could have gone on in
two ways that are nearly as good, they end there and new ones start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from videoclusternet.config import TracksConfig
from videoclusternet.records import Array, Faces, Mask, Shots, Tracks
from videoclusternet.tracks import kalman
from videoclusternet.tracks.boxes import distinct, iou

WEAK_OVERLAP = 0.5
"""The least IoU of a match in the second pass, with weak detections (ByteTrack, BoT-SORT)."""

AMBIGUOUS = 0.15
"""A match is in doubt if doing without it costs less closeness than this; ours."""

UNSEEN = 0.8
"""What the closeness of a track is worth that was not seen at the look before; ours."""


def track_faces(faces: Faces, shots: Shots, config: TracksConfig) -> Tracks:
    """Join the faces of each shot to tracks; none spans a cut.

    At each look the tracks are moved by a Kalman filter and the camera's motion and matched with
    the strong detections, then those seen at the last look with the weak ones (Zhang et al.,
    ByteTrack, arXiv 2110.06864; Aharon et al., BoT-SORT, arXiv 2206.14651); ours is what counts as
    close, and that doubtful matches are cut. A track seen fewer than `config.shortest` times is
    noise, unless its shot has fewer looks than that: then it has to be seen at all of them.

    Looks missing inside a track are filled: box and landmarks interpolated linearly in time,
    score, sharpness, frontal and exposure 0, not usable. The order of the faces in a frame makes no
    difference. Raises ValueError where a face lies in a frame that was not looked at.
    """
    if not np.all(np.isin(faces.frame, faces.looked)):
        raise ValueError("a face lies in a frame that was not looked at")
    if not len(faces):
        return Tracks.empty()
    faces = _without_duplicates(_in_fixed_order(faces))
    found: list[Array] = []
    ends = np.searchsorted(faces.looked, shots.stop)
    for first, stop in zip([0, *ends[:-1]], ends, strict=True):
        tracks = _follow(faces, slice(first, stop), shots.times, config)
        found += [rows for rows in tracks if len(rows) >= min(config.shortest, stop - first)]
    return _assemble(faces, found, shots.times)


def _in_fixed_order(faces: Faces) -> Faces:
    """Sort by frame and falling score, and by all else that was measured where those are equal."""
    columns = faces.columns()
    keys = [columns["frame"], -columns["score"], columns["box"], columns["landmarks"]]
    keys += [columns[name] for name in ("sharpness", "frontal", "exposure", "usable")]
    flat = np.concatenate([np.reshape(key, (len(faces), -1)) for key in keys], axis=1)
    return faces.select(np.lexsort(flat.T[::-1]))


def _without_duplicates(faces: Faces) -> Faces:
    """Leave the strongest of the boxes that lie on or in each other in one frame."""
    starts = np.flatnonzero(np.diff(faces.frame, prepend=-1))
    keep = [distinct(boxes) for boxes in np.split(faces.box, starts[1:])]
    return faces.select(np.concatenate(keep))


def _follow(faces: Faces, looks: slice, times: Array, config: TracksConfig) -> list[Array]:
    """Go through one shot look by look; return the rows of `faces` that make each track."""
    looked = faces.looked[looks]
    edges = np.searchsorted(faces.frame, [*looked, *(looked[-1:] + 1)])
    if not np.any(np.diff(edges)):
        return []
    tracker = _ShotTracker(faces.select(np.arange(edges[0], edges[-1])), times, config)
    for frame, motion, start, stop in zip(
        looked, faces.motion[looks], edges[:-1], edges[1:], strict=True
    ):
        tracker.look(np.arange(start, stop) - edges[0], motion, times[frame])
    return [edges[0] + np.array(rows) for rows in tracker.ended + tracker.live]


class _ShotTracker:
    """The tracks of a shot while it is gone through: rows of the shot's faces."""

    def __init__(self, faces: Faces, times: Array, config: TracksConfig) -> None:
        self.faces, self.config = faces, config
        self.shape = _shapes(faces)
        self.seconds = times[faces.frame]
        self.state = kalman.start(np.empty((0, 4)))
        self.live: list[list[int]] = []
        self.ended: list[list[int]] = []
        self.before = -np.inf  # seconds of the look before

    def look(self, rows: Array, motion: Array, now: float) -> None:
        """Go on to the next look, at `now` seconds, which found these rows of the faces."""
        self._end(now - self.seconds[self._last] > self.config.gap + 1e-9)
        if not self.live and not len(rows):
            return
        seen = self.seconds[self._last] >= self.before
        self.state.mean[~seen, 6:8] = 0  # unseen, a size would shrink or grow without end
        self.state = kalman.compensate(kalman.predict(self.state), motion)
        strong = self.faces.score[rows] >= self.config.high
        worth = np.where(seen, 1.0, UNSEEN)[:, None]
        first = _match(worth * self._closeness(rows[strong], self.config.overlap))
        waiting = seen.copy()
        waiting[first.tracks] = waiting[first.doubtful] = False
        weak = self._closeness(rows[~strong], max(WEAK_OVERLAP, self.config.overlap))
        second = _match(np.where(waiting[:, None], weak, 0))
        self._extend(
            np.concatenate([first.tracks, second.tracks]),
            np.concatenate([rows[strong][first.detections], rows[~strong][second.detections]]),
        )
        self._end(np.isin(np.arange(len(self.live)), first.doubtful))
        self._start(np.delete(rows[strong], first.detections))
        self.before = now

    @property
    def _last(self) -> Array:
        return np.array([rows[-1] for rows in self.live], np.int64)

    def _closeness(self, rows: Array, overlap: float) -> Array:
        """IoU less the difference in shape; 0 where a pair cannot be."""
        near = iou(self.state.boxes[:, None], self.faces.box[rows])
        bend = np.linalg.norm(self.shape[self._last][:, None] - self.shape[rows], axis=-1)
        return np.where(near >= overlap, np.maximum(near - bend.mean(axis=-1), 0), 0)

    def _extend(self, tracks: Array, rows: Array) -> None:
        corrected = kalman.update(self.state.select(tracks), self.faces.box[rows])
        self.state.mean[tracks] = corrected.mean
        self.state.covariance[tracks] = corrected.covariance
        for track, row in zip(tracks, rows, strict=True):
            self.live[track].append(int(row))

    def _start(self, rows: Array) -> None:
        self.state = self.state.join(kalman.start(self.faces.box[rows]))
        self.live += [[int(row)] for row in rows]

    def _end(self, tracks: Mask) -> None:
        self.ended += [rows for rows, over in zip(self.live, tracks, strict=True) if over]
        self.live = [rows for rows, over in zip(self.live, tracks, strict=True) if not over]
        self.state = self.state.select(~tracks)


def _shapes(faces: Faces) -> Array:
    """Where the landmarks lie in their box, in box sizes from its centre: shape (n, 5, 2)."""
    corners = faces.box.reshape(-1, 2, 2).astype(np.float64)
    size = np.maximum(corners[:, 1] - corners[:, 0], 1.0)
    shapes: Array = (faces.landmarks - corners.mean(axis=1)[:, None]) / size[:, None]
    return shapes


@dataclass(frozen=True)
class _Matching:
    tracks: Array
    detections: Array
    doubtful: Array  # tracks that could as well have gone on otherwise; none of them is matched


def _match(closeness: Array) -> _Matching:
    """Pair tracks (rows) with detections (columns) at the greatest total closeness.

    Each pair that has a rival is put to the test: where the best assignment without it is nearly
    as good, all tracks that the two assignments treat differently are in doubt.
    """
    best = _assign(closeness)
    total = sum(closeness[pair] for pair in best.items())
    doubtful: set[int] = set()
    for track, detection in best.items():
        possible = closeness > 0
        if possible[track].sum() + possible[:, detection].sum() == 2:
            continue
        rest = closeness.copy()
        rest[track, detection] = 0
        other = _assign(rest)
        if total - sum(rest[pair] for pair in other.items()) < AMBIGUOUS:
            doubtful |= {t for t in best | other if best.get(t) != other.get(t)}
    sure = sorted(best.keys() - doubtful)
    return _Matching(
        np.array(sure, np.int64),
        np.array([best[track] for track in sure], np.int64),
        np.array(sorted(doubtful), np.int64),
    )


def _assign(closeness: Array) -> dict[int, int]:
    pairs = zip(*linear_sum_assignment(closeness, maximize=True), strict=True)
    return {int(track): int(found) for track, found in pairs if closeness[track, found] > 0}


def _assemble(faces: Faces, tracks: list[Array], times: Array) -> Tracks:
    """Fill the looks missing inside each track and number the tracks."""
    if not tracks:
        return Tracks.empty()
    firsts = np.array([rows[0] for rows in tracks])
    order = np.lexsort([*faces.box[firsts].T[::-1], faces.frame[firsts]])
    parts = [_fill(faces, tracks[i], times) for i in order]
    merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Tracks(
        track=np.repeat(np.arange(len(parts)), [len(p["frame"]) for p in parts]), **merged
    )


def _fill(faces: Faces, rows: Array, times: Array) -> dict[str, Array]:
    """The columns of one track over all looks from its first to its last detection."""
    looked = faces.looked
    span = looked[slice(*np.searchsorted(looked, faces.frame[rows[[0, -1]]] + [0, 1]))]
    seen = np.isin(span, faces.frame[rows])
    columns: dict[str, Array] = {"frame": span, "filled": ~seen}
    for name in ("box", "landmarks"):
        values = getattr(faces, name)[rows].reshape(len(rows), -1)
        filled = [np.interp(times[span], times[span[seen]], value) for value in values.T]
        shape = (len(span), *getattr(faces, name).shape[1:])
        columns[name] = np.stack(filled, axis=1).reshape(shape).astype(np.float32)
    for name in ("score", "sharpness", "frontal", "exposure", "usable"):
        values = getattr(faces, name)
        columns[name] = np.zeros(len(span), values.dtype)
        columns[name][seen] = values[rows]
    return columns
