from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.records import FRAGMENT, THREAD, TOGETHER, Faces, Links, Shots, Tracks
from videoclusternet.scenes.links import APART, LOOKS, PAUSE, SAME_PLACE, link_tracks
from videoclusternet.season.join import join_faces, join_shots, join_tracks
from videoclusternet.tracks.boxes import iou

RATE = 2  # frames a second of the drawn films


def shots_of(*lengths):
    ends = np.cumsum([0, *lengths])
    return Shots(ends[:-1], ends[1:], np.arange(ends[-1] + 1) / RATE)


def tracks_of(*drawn):
    """Tracks as lists of (frame, x1, y1, x2, y2), or with a sixth number where it is filled in."""
    drawn = sorted(drawn, key=lambda rows: rows[0][0])
    table = np.array([(i, *row, 0)[:7] for i, rows in enumerate(drawn) for row in rows], float)
    table = table.reshape(-1, 7)
    count, ones = len(table), np.ones(len(table), np.float32)
    return Tracks(
        track=table[:, 0].astype(int), frame=table[:, 1].astype(int),
        box=table[:, 2:6].astype(np.float32), landmarks=np.zeros((count, 5, 2), np.float32),
        score=ones, sharpness=ones, frontal=ones, exposure=ones, usable=ones > 0,
        filled=table[:, 6] > 0,
    )  # fmt: skip


def setups_of(*found):
    """Set-ups as (left frame, right frame, map)."""
    left, right, maps = zip(*found, strict=True) if found else ([], [], [])
    return replace(
        Faces.empty(), setup_left=np.array(left, int), setup_right=np.array(right, int),
        setup_map=np.array(maps, np.float32).reshape(-1, 2, 3),
    )  # fmt: skip


def still(frames, *box):
    return [(frame, *box) for frame in frames]


def rows(links):
    return list(zip(links.kind.tolist(), links.left.tolist(), links.right.tolist(), strict=True))


def test_a_place_of_a_view_that_returns_is_one_person():
    shots = shots_of(4, 4, 4)
    tracks = tracks_of(
        still(range(4), 10, 10, 50, 50), still(range(4), 100, 10, 140, 50),
        still(range(4, 8), 10, 10, 50, 50),
        still(range(8, 12), 210, 20, 290, 100), still(range(8, 12), 30, 20, 110, 100),
    )  # fmt: skip
    nearer = [[2, 0, 10], [0, 2, 0]]  # the first track comes to 30, 20, the second to 210, 20
    found = rows(link_tracks(tracks, shots, setups_of((3, 8, nearer))))
    assert found == [(THREAD, 0, 4), (THREAD, 1, 3), (TOGETHER, 0, 1), (TOGETHER, 3, 4)]


def test_the_box_nearest_to_the_view_counts():
    shots = shots_of(4, 4, 4)
    there, away = (0, 0, 40, 40), (200, 0, 240, 40)
    tracks = tracks_of(
        [(0, *away), (1, *away), (3, *there)], [(8, *there), (9, *away)],
    )  # fmt: skip
    assert rows(link_tracks(tracks, shots, setups_of((3, 8, np.eye(2, 3))))) == [(THREAD, 0, 1)]
    assert rows(link_tracks(tracks, shots, setups_of((0, 8, np.eye(2, 3))))) == []


def test_several_pictures_of_one_view_give_a_link_once():
    shots = shots_of(4, 4)
    tracks = tracks_of(still(range(4), 0, 0, 40, 40), still(range(4, 8), 0, 0, 40, 40))
    same = np.eye(2, 3)
    assert rows(link_tracks(tracks, shots, setups_of((0, 4, same), (3, 4, same)))) == [
        (THREAD, 0, 1)
    ]


def test_two_pieces_of_one_shot_are_apart_in_time_and_near():
    shots = shots_of(100, 100)
    place, far = (0, 0, 40, 40), (100, 0, 140, 40)
    pause = int(PAUSE * RATE)
    for gap, box, found in [
        (1, place, [(FRAGMENT, 0, 1)]),
        (pause, place, [(FRAGMENT, 0, 1)]),
        (pause + 1, place, []),
        (1, far, []),
        (0, place, []),  # in one picture
    ]:
        tracks = tracks_of(still(range(50), *place), still(range(49 + gap, 80), *box))
        assert rows(link_tracks(tracks, shots, setups_of())) == found
    tracks = tracks_of(still(range(90, 100), *place), still(range(100, 110), *place))
    assert rows(link_tracks(tracks, shots, setups_of())) == []  # a cut lies between


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (still(range(2), 60, 0, 100, 40), True),
        (still(range(1), 60, 0, 100, 40), False),
        ([(0, 60, 0, 100, 40), (1, 60, 0, 100, 40, 1)], False),
        (still(range(2), 10, 10, 14, 14), False),
        (still(range(2), 20, 0, 60, 40), False),
        (still(range(2), 32, 0, 72, 40), True),
    ],
    ids=["apart", "in one look", "filled in", "within the face", "half of it", "at the edge"],
)
def test_two_in_one_picture_are_two_people(other, found):
    tracks = tracks_of(still(range(4), 0, 0, 40, 40), other)
    links = rows(link_tracks(tracks, shots_of(4), setups_of()))
    assert links == ([(TOGETHER, 0, 1)] if found else [])


def test_nothing_links_nothing():
    for tracks, shots in [
        (Tracks.empty(), Shots.empty()),
        (Tracks.empty(), shots_of(4, 4)),
        (tracks_of(still(range(3), 0, 0, 9, 9)), shots_of(4, 4)),
    ]:
        assert rows(link_tracks(tracks, shots, setups_of())) == []
    assert rows(link_tracks(Tracks.empty(), shots_of(4, 4), setups_of((0, 4, np.eye(2, 3))))) == []


@pytest.mark.parametrize(("left", "right", "kind"), [(1, 1, THREAD), (2, 1, THREAD), (0, 1, 7)])
def test_links_that_make_no_sense_are_refused(left, right, kind):
    with pytest.raises(ValueError, match="link must"):
        Links(np.array([left]), np.array([right]), np.array([kind]))


@st.composite
def films(draw):
    """Any tracks in any shots, boxes on a coarse grid so that some overlap and some are equal."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = draw(st.lists(st.integers(1, 20), min_size=1, max_size=5))
    shots = shots_of(*lengths)
    tracks = []
    for _ in range(draw(st.integers(0, 12))):
        shot = int(rng.integers(len(shots)))
        inside = np.arange(shots.first[shot], shots.stop[shot])
        frames = np.sort(rng.choice(inside, rng.integers(1, len(inside) + 1), replace=False))
        corner = rng.integers(0, 4, 2) * 8 + rng.integers(0, 3, (len(frames), 2))
        boxes = np.hstack([corner, corner + rng.integers(10, 40)])
        filled = rng.random(len(frames)) < 0.2
        tracks.append([(f, *b, g) for f, b, g in zip(frames, boxes.tolist(), filled, strict=True)])
    found = []
    for _ in range(draw(st.integers(0, 5))):
        a, b = sorted(rng.integers(0, len(shots), 2).tolist())
        if a < b:
            frames = [int(rng.integers(shots.first[s], shots.stop[s])) for s in (a, b)]
            found.append((*frames, np.eye(2, 3) + rng.normal(0, 0.05, (2, 3))))
    return tracks_of(*tracks), shots, setups_of(*found)


def slowly(tracks, shots, faces):
    """Return the same links by plain loops over all pairs."""
    found = set(slow_together(tracks))
    for left, right, fit in zip(faces.setup_left, faces.setup_right, faces.setup_map, strict=True):
        overlap = {}
        for a, b in np.ndindex(tracks.count, tracks.count):
            there = [shot_of(track, tracks, shots) for track in (a, b)]
            if there == [shots.of(left), shots.of(right)]:
                x1, y1, x2, y2 = nearest(tracks, a, left).tolist()
                corners = [fit @ [x, y, 1] for x in (x1, x2) for y in (y1, y2)]
                box = np.concatenate([np.min(corners, axis=0), np.max(corners, axis=0)])
                overlap[a, b] = iou(box, nearest(tracks, b, right))
        found |= {(THREAD, *pair) for pair in best(overlap)}
    pieces = {}
    for a, b in np.ndindex(tracks.count, tracks.count):
        end, begin = tracks.starts[a + 1] - 1, tracks.starts[b]
        pause = shots.times[tracks.frame[begin]] - shots.times[tracks.frame[end]]
        if shot_of(a, tracks, shots) == shot_of(b, tracks, shots) and 0 < pause <= PAUSE:
            pieces[a, b] = iou(tracks.box[end], tracks.box[begin])
    return sorted(found | {(FRAGMENT, *pair) for pair in best(pieces)})


def shot_of(track, tracks, shots):
    return shots.of(tracks.frame[tracks.starts[track]])


def nearest(tracks, track, frame):
    inside = range(tracks.starts[track], tracks.starts[track + 1])
    return tracks.box[min(inside, key=lambda i: abs(tracks.frame[i] - frame))]


def best(overlap):
    """The pairs in one place which no other pair of either one beats."""
    for (a, b), value in overlap.items():
        rivals = [v for (c, d), v in overlap.items() if c == a or d == b]
        if value >= SAME_PLACE and value == max(rivals):
            yield a, b


def slow_together(tracks):
    looks = {}
    for i, j in np.ndindex(len(tracks), len(tracks)):
        a, b = int(tracks.track[i]), int(tracks.track[j])
        seen = tracks.frame[i] == tracks.frame[j] and not tracks.filled[[i, j]].any()
        if a < b and seen and share(tracks.box[i].tolist(), tracks.box[j].tolist()) <= APART:
            looks[a, b] = looks.get((a, b), 0) + 1
    return [(TOGETHER, *pair) for pair, times in looks.items() if times >= LOOKS]


def share(a, b):
    """The share of the smaller box that lies in the larger one."""
    wide = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return wide * high / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


@given(films())
def test_the_same_as_plain_loops(film):
    assert rows(link_tracks(*film)) == slowly(*film)


@given(st.lists(films(), min_size=1, max_size=3))
def test_a_season_has_the_links_of_its_episodes(episodes):
    tracks, shots, faces = zip(*episodes, strict=True)
    frames = np.cumsum([0, *(part.frames for part in shots[:-1])]).tolist()
    firsts = np.cumsum([0, *(part.count for part in tracks[:-1])]).tolist()
    season = (
        join_tracks(tracks, frames, firsts), join_shots(shots), join_faces(faces, frames),
    )  # fmt: skip
    alone = [
        (kind, left + first, right + first)
        for film, first in zip(episodes, firsts, strict=True)
        for kind, left, right in rows(link_tracks(*film))
    ]
    assert rows(link_tracks(*season)) == sorted(alone)
