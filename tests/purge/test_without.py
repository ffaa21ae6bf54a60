"""Records without a person: whatever is drawn, they fit each other, and nothing of her is left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.results.small_film import clusters_of
from videoclusternet.purge.without import faces_without
from videoclusternet.purge.without import tracks_without as without_tracks
from videoclusternet.records import Faces, Tracks
from videoclusternet.results.remaining import clusters_without, renumbered


@given(st.data())
def test_who_is_who_among_those_who_are_left(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    raw = data.draw(st.lists(st.integers(-1, 4), min_size=count, max_size=count))
    known = list(dict.fromkeys(label for label in raw if label >= 0))
    labels = np.array([known.index(label) if label >= 0 else -1 for label in raw])
    pairs = [(a, b) for a in range(count) for b in range(a) if labels[a] == labels[b] >= 0]
    merges = [(1, b, a, 1.0, 2.0, 2.0) for a, b in pairs]
    clusters = clusters_of(labels, merges, doubts=[(b, a, 1, 1.0, 2.0) for a, b in pairs])
    gone = np.array(sorted(data.draw(st.sets(st.integers(0, count - 1)))), int)
    number = renumbered(count, gone)
    left = [track for track in range(count) if track not in gone]
    assert number[left].tolist() == list(range(len(left)))
    found = clusters_without(clusters, number)
    assert len(found) == len(left)
    for a in range(len(left)):  # the same partition
        for b in range(a):
            same = labels[left[a]] == labels[left[b]] >= 0
            assert (found.label[a] == found.label[b] >= 0) == same
    assert np.array_equal(found.label < 0, labels[left] < 0)
    firsts = [np.flatnonzero(found.label == one)[0] for one in range(len(found.limit))]
    assert firsts == sorted(firsts)  # labels stay in the order of their lowest tracks
    for one, first in enumerate(firsts):
        assert found.limit[one] == clusters.limit[labels[left[first]]]
        assert found.part[first] == first
    pairs_left = {(number[b], number[a]) for a, b in pairs if number[a] >= 0 and number[b] >= 0}
    assert set(zip(found.left.tolist(), found.right.tolist(), strict=True)) == pairs_left
    assert (
        set(zip(found.doubt_left.tolist(), found.doubt_right.tolist(), strict=True)) == pairs_left
    )
    assert np.array_equal(np.isnan(found.other_loss), found.other < 0)


def boxes(rows: list[tuple[int, float]]) -> np.ndarray:
    return np.array([[x, 0, x + 10, 10] for _, x in rows], np.float32).reshape(-1, 4)


def test_detections_go_where_the_track_was_and_others_stay() -> None:
    seen = [(0, 0.0), (0, 50.0), (3, 2.0), (3, 50.0), (6, 50.0)]  # frame, left
    faces = replace(
        Faces.empty(), frame=np.array([frame for frame, _ in seen]), box=boxes(seen),
        landmarks=np.zeros((5, 5, 2), np.float32), score=np.ones(5, np.float32),
        sharpness=np.ones(5, np.float32), frontal=np.ones(5, np.float32),
        exposure=np.ones(5, np.float32), usable=np.ones(5, bool),
        looked=np.array([0, 3, 6]), motion=np.zeros((3, 2, 3), np.float32),
    )  # fmt: skip
    rows = [(0, 0.0), (3, 2.0), (6, 4.0), (0, 50.0), (3, 50.0), (6, 50.0)]
    ones = np.ones(6, np.float32)
    tracks = Tracks(
        track=np.array([0, 0, 0, 1, 1, 1]), frame=np.array([frame for frame, _ in rows]),
        box=boxes(rows), landmarks=np.zeros((6, 5, 2), np.float32), score=ones, sharpness=ones,
        frontal=ones, exposure=ones, usable=ones.astype(bool),
        filled=np.array([0, 0, 1, 0, 0, 0], bool),
    )  # fmt: skip
    left = faces_without(faces, tracks, np.array([0]))
    assert left.box[:, 0].tolist() == [50, 50, 50]
    assert left.looked.tolist() == [0, 3, 6]
    others = without_tracks(tracks, renumbered(2, np.array([0])))
    assert others.track.tolist() == [0, 0, 0]
    assert others.box[:, 0].tolist() == [50, 50, 50]
    assert len(without_tracks(tracks, renumbered(2, np.array([0, 1])))) == 0
