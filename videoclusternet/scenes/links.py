"""Which tracks must be one person and which cannot be, as their places in the film tell.

No face network has a part in it, so it can be held against one. Ours; threads and co-presence as
evidence are those of Tapaswi et al. (CVPR 2014, ICCV 2019), who had the set-ups by hand.
"""

from __future__ import annotations

import numpy as np

from videoclusternet.records import FRAGMENT, THREAD, TOGETHER, Array, Faces, Links, Shots, Tracks
from videoclusternet.tracks.boxes import iou

SAME_PLACE = 0.4
"""IoU from which two boxes are in one place; ours."""

PAUSE = 5.0
"""Seconds between two pieces of a track, at most; ours. It keeps the cost bounded."""

APART = 0.2
"""Share of the smaller box, at most, that lies in the larger one of two people; ours. More may be
one face found twice."""

LOOKS = 2
"""Looks in which two people must be seen apart; ours: one may be a wrong detection."""


def link_tracks(tracks: Tracks, shots: Shots, faces: Faces) -> Links:
    """Return what the film itself says of pairs of tracks.

    THREAD, one person: in two shots of one camera set-up (`scenes.setups`) the two are in one
    place. The boxes are those nearest in time to the frames that were matched, the earlier one
    mapped into the later picture; of several the best ones for both. FRAGMENT, likely one person:
    one ends and the other begins in one place of one shot, within `PAUSE`. TOGETHER, two people:
    they were found in one picture, apart; but mirrors, photographs and split screens show one
    person twice, so none of the three is certain.

    Args:
        tracks: of the whole film, or of a season (`season.join`).
        shots: of the same.
        faces: of the same; only their set-ups are used.

    Returns:
        The links, sorted by kind, left and right; no pair stands twice.
    """
    pairs = _threads(tracks, shots, faces), _fragments(tracks, shots), _together(tracks)
    left, right = np.concatenate(pairs).T
    kind = np.repeat([THREAD, FRAGMENT, TOGETHER], [len(some) for some in pairs])
    return Links(left=left, right=right, kind=kind)


def _threads(tracks: Tracks, shots: Shots, faces: Faces) -> Array:
    shot = shots.of(tracks.spans[:, 0])
    frames = faces.setup_left, faces.setup_right
    there = [np.searchsorted(shot, shots.of(frame)[:, None] + [0, 1]) for frame in frames]
    setup, left, right = _every_pair(*there)
    a, b = (
        tracks.box[_nearest(tracks, track, frame[setup])]
        for track, frame in zip((left, right), frames, strict=True)
    )
    overlap = iou(_mapped(a, faces.setup_map[setup]), b)
    best = _best(overlap, setup * tracks.count + left, setup * tracks.count + right)
    return _distinct_pairs(left[best], right[best], tracks.count)[0]


def _fragments(tracks: Tracks, shots: Shots) -> Array:
    if not tracks.count:
        return np.empty((0, 2), np.int64)
    (first, last), starts = tracks.spans.T, tracks.starts
    until = np.searchsorted(shots.times[:-1], shots.times[last] + PAUSE, side="right")
    until = np.minimum(until, shots.stop[shots.of(last)])  # the frame after the last that counts
    begin = np.searchsorted(first, last, side="right")
    end = np.maximum(begin, np.searchsorted(first, until))
    each = np.arange(tracks.count)
    _, left, right = _every_pair(np.stack([each, each + 1], 1), np.stack([begin, end], 1))
    overlap = iou(tracks.box[starts[left + 1] - 1], tracks.box[starts[right]])
    return np.stack([left, right], axis=1)[_best(overlap, left, right)]


def _together(tracks: Tracks) -> Array:
    rows = np.flatnonzero(~tracks.filled)  # no box that nobody found says who is there
    rows = rows[np.lexsort([tracks.track[rows], tracks.frame[rows]])]
    frame, here = tracks.frame[rows], np.arange(len(rows))
    found = [np.empty((2, 0), np.int64)]
    for step in range(1, len(rows)):
        here = here[here + step < len(rows)]
        here = here[frame[here] == frame[here + step]]
        if not len(here):
            break
        a, b = rows[here], rows[here + step]
        apart = _covered(tracks.box[a], tracks.box[b]) <= APART
        found.append(np.stack([tracks.track[a], tracks.track[b]])[:, apart])
    left, right = np.concatenate(found, axis=1)
    pairs, looks = _distinct_pairs(left, right, tracks.count)
    return pairs[looks >= LOOKS]


def _every_pair(left: Array, right: Array) -> tuple[Array, Array, Array]:
    """Return all pairs of a number from left[i] to left[i + 1] and one of right, and their row.

    Both are (n, 2), where numbers begin and one past their last.
    """
    others = right[:, 1] - right[:, 0]
    count = (left[:, 1] - left[:, 0]) * others
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, left[row, 0] + place // others[row], right[row, 0] + place % others[row]


def _nearest(tracks: Tracks, track: Array, frame: Array) -> Array:
    """Return the row of each track that is nearest in time to a frame, of two the earlier."""
    length = max(tracks.frame.max(initial=0), frame.max(initial=0)) + 1
    starts = tracks.starts
    after = np.searchsorted(tracks.track * length + tracks.frame, track * length + frame)
    after = after.clip(starts[track], starts[track + 1] - 1)
    before = np.maximum(after - 1, starts[track])
    nearer = np.abs(tracks.frame[before] - frame) <= np.abs(tracks.frame[after] - frame)
    return np.where(nearer, before, after)


def _mapped(boxes: Array, maps: Array) -> Array:
    """Return the upright boxes (n, 4) around boxes that were mapped, (n, 2, 3)."""
    x1, y1, x2, y2 = boxes.astype(np.float64).T
    corners = np.stack([[x1, x2, x1, x2], [y1, y1, y2, y2], np.ones((4, len(boxes)))])
    moved = np.einsum("nij,jkn->nik", maps, corners)
    return np.concatenate([moved.min(axis=2), moved.max(axis=2)], axis=1)


def _best(overlap: Array, *groups: Array) -> Array:
    """Mark pairs in one place, of which none in one of their groups overlaps more."""
    best = overlap >= SAME_PLACE
    for group in groups:
        _, place = np.unique(group, return_inverse=True)
        most = np.zeros(place.max(initial=-1) + 1)
        np.maximum.at(most, place, overlap)
        best &= overlap == most[place]
    return best


def _covered(a: Array, b: Array) -> Array:
    """Return the share of the smaller box that lies in the larger one, boxes (n, 4)."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    smaller = np.minimum(*(np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (a, b)))
    return shared / np.where(smaller > 0, smaller, 1)


def _distinct_pairs(left: Array, right: Array, count: int) -> tuple[Array, Array]:
    """Return each pair once, (n, 2), and how often it stood there."""
    pairs, times = np.unique(left * count + right, return_counts=True)
    return np.stack(np.divmod(pairs, max(1, count)), axis=1), times
