"""Camera set-ups that return, found while the pictures of a film pass by once.

A scene of talk is cut from few cameras: the same view comes again and again (shot threads, as in
Tapaswi, Bäuml, Stiefelhagen, "StoryGraphs", CVPR 2014). Who is seen in one place of it in two shots
is one person, whatever a face network says.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from videoclusternet.records import Array

# All numbers here are ours, chosen on eleven real clips (benchmarks/results/scenes.json).

BACK = 40
"""Shots that are looked back over: of 4,126 links in twelve television episodes .997 reach no
further."""

NEAREST = 6
"""Earlier pictures that each picture is compared with, the most alike: it bounds the cost."""

ALIKE = 0.4
"""Correlation of two tiny pictures below which they are not compared."""

TINY = 16
"""Pixels of the sides of a tiny picture."""

POINTS = 300
"""Corners described in a picture, at most."""

CONTRAST = 10
"""Grey levels by which a corner stands out: half of OpenCV's default, for dark scenes."""

LEAST = 62
"""Pixels of a side up to which OpenCV describes no corner: it leaves out a rim of 31. On a picture
of a few pixels it raises."""

FAR = 64
"""Bits of 256 in which the descriptions of one corner may differ."""

ERROR = 3.0
"""Pixels by which a corner may miss the place that the map gives it."""

FEWEST = 10
"""Corners that must agree on the map."""

NEXT = 2
"""How many times as many must agree between two shots that follow each other: in .003 of the links
above they do."""

ZOOM = 2.0
"""More than this makes another set-up."""

SMALL = 80
"""Pixels of the larger side of the pictures that are laid on each other."""

SHARED = 0.3
"""Share of the later picture that the earlier one must cover, faces left out."""

AGREE = 0.65
"""Correlation of both there, from which the set-up is one: captions and logos agree on a map, too,
but not the pictures below them."""


class _Key(NamedTuple):
    """What is remembered of a picture."""

    frame: int
    shot: int
    tiny: Array  # of mean 0 and length 1
    points: Array  # corners (n, 2) in pixels, counted from the outer corner of the picture
    marks: Array  # and their descriptions (n, 32)
    small: Array
    free: Array  # True where `small` shows no face


class SetupFinder:
    """Finds pairs of shots that show one view, from some pictures of each shot."""

    def __init__(self) -> None:
        self._keys: list[_Key] = []
        self._found: list[tuple[int, int, Array]] = []
        self._corners = cv2.ORB.create(nfeatures=POINTS, fastThreshold=CONTRAST)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING)

    def look(self, frame: int, shot: int, luma: Array, faces: Array) -> None:
        """Compare a picture with those of earlier shots, and remember it.

        ORB corners (Rublee et al., ICCV 2011) outside of the faces and a similarity fitted to them
        by RANSAC; then, ours, the pictures must agree where the map lays them on each other.

        Args:
            frame: number of the frame; ascending from call to call.
            shot: number of the shot that it lies in.
            luma: uint8 (height, width), of one size in all calls.
            faces: boxes (n, 4) in pixels of `luma`, left out because who is there may change.
        """
        key = self._describe(frame, shot, luma, faces)
        self._keys = [known for known in self._keys if known.shot >= shot - BACK]
        earlier = [known for known in self._keys if known.shot < shot]
        alike = np.array([known.tiny @ key.tiny for known in earlier])
        for i in np.argsort(-alike, kind="stable")[:NEAREST]:
            if alike[i] >= ALIKE:
                found = self._map(earlier[i], key, max(luma.shape))
                if found is not None:
                    self._found.append((earlier[i].frame, frame, found))
        self._keys.append(key)

    def found(self) -> tuple[Array, Array, Array]:
        """Return the pairs of pictures that show one set-up.

        Returns:
            The frame numbers of the earlier and of the later pictures, int64 (n,) each, and the
            maps from the one into the other, float32 (n, 2, 3), on pixel coordinates of `luma`
            whose origin is the outer corner of the top left pixel. Sorted by later, then earlier.
        """
        rows = sorted(self._found, key=lambda row: (row[1], row[0]))
        return (
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.float32).reshape(-1, 2, 3),
        )

    def _describe(self, frame: int, shot: int, luma: Array, faces: Array) -> _Key:
        height, width = luma.shape
        free = np.full(luma.shape, 255, np.uint8)
        edges = np.concatenate([np.floor(faces[:, :2]), np.ceil(faces[:, 2:])], axis=1)
        for x1, y1, x2, y2 in edges.clip(0).astype(int):
            free[y1:y2, x1:x2] = 0
        described = min(width, height) > LEAST
        corners, marks = self._corners.detectAndCompute(luma, free) if described else ((), None)
        # OpenCV counts from the centre of the top left pixel, boxes from its outer corner.
        points = np.array([corner.pt for corner in corners], np.float64).reshape(-1, 2) + 0.5
        scale = SMALL / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        tiny = cv2.resize(luma, (TINY, TINY), interpolation=cv2.INTER_AREA).astype(np.float64)
        tiny -= tiny.mean()
        return _Key(
            frame,
            shot,
            tiny.ravel() / max(1.0, float(np.linalg.norm(tiny))),
            points,
            np.empty((0, 32), np.uint8) if marks is None else marks,
            cv2.resize(luma, size, interpolation=cv2.INTER_AREA),
            cv2.resize(free, size, interpolation=cv2.INTER_NEAREST) > 0,
        )

    def _map(self, before: _Key, after: _Key, side: int) -> Array | None:
        """Return the map from one picture into another of another shot, None where none holds."""
        needed = FEWEST * (NEXT if after.shot == before.shot + 1 else 1)
        pairs = self._pairs(before.marks, after.marks)
        if len(pairs) < needed:
            return None
        fit, agree = cv2.estimateAffinePartial2D(
            before.points[pairs[:, 0]], after.points[pairs[:, 1]], ransacReprojThreshold=ERROR
        )
        if fit is None or agree.sum() < needed or not 1 / ZOOM <= fit[0, 0] <= ZOOM:
            return None
        small = fit * [1, 1, SMALL / side]
        return fit if _agreement(before, after, small) >= AGREE else None

    def _pairs(self, before: Array, after: Array) -> Array:
        """Return which corners look alike, int64 (n, 2): none of either picture is used twice."""
        if not len(before) or not len(after):
            return np.empty((0, 2), np.int64)
        found = sorted(self._matcher.match(before, after), key=lambda pair: pair.distance)
        near = [(pair.queryIdx, pair.trainIdx) for pair in found if pair.distance <= FAR]
        pairs = np.array(near, np.int64).reshape(-1, 2)
        _, best = np.unique(pairs[:, 1], return_index=True)
        return pairs[best]


def _agreement(before: _Key, after: _Key, fit: Array) -> float:
    """Return the correlation of two small pictures, the first one mapped, where both show no face.

    0 where they share too little or are flat.
    """
    fit = fit.copy()
    fit[:, 2] += fit[:, :2] @ [0.5, 0.5] - 0.5  # OpenCV's coordinates
    size = after.small.shape[::-1]
    moved = cv2.warpAffine(before.small, fit, size)
    free = cv2.warpAffine(before.free.astype(np.uint8), fit, size, flags=cv2.INTER_NEAREST)
    shared = (free > 0) & after.free
    if shared.mean() < SHARED:
        return 0.0
    a, b = (picture[shared] - picture[shared].mean() for picture in (moved, after.small))
    return float(a @ b / max(1.0, np.sqrt((a @ a) * (b @ b))))
