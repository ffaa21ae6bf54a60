from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.tracks.boxes import distinct, iou

whole_boxes = st.tuples(*[st.integers(0, 12)] * 4).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)


def cells(box):
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


@given(st.lists(whole_boxes, max_size=4), st.lists(whole_boxes, max_size=4))
def test_iou_counts_the_pixels(a, b):
    got = iou(np.array(a, float).reshape(-1, 1, 4), np.array(b, float).reshape(-1, 4))
    assert got.shape == (len(a), len(b))
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            union = len(cells(one) | cells(other))
            expected = len(cells(one) & cells(other)) / union if union else 0
            assert got[i, j] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("second", "is_distinct"),
    [
        ([0, 0, 100, 100], False),  # the same again
        ([20, 0, 120, 100], False),  # IoU 0.67
        ([30, 0, 130, 100], True),  # IoU 0.54
        ([30, 30, 60, 60], False),  # a nose for a face
        ([-50, -50, 150, 150], False),  # a head for a face
        ([80, 80, 110, 110], True),  # a face behind a shoulder
        ([200, 0, 300, 100], True),
    ],
)
def test_a_face_found_twice_counts_once(second, is_distinct):
    boxes = np.array([[0, 0, 100, 100], second], float)
    assert distinct(boxes).tolist() == [True, is_distinct]


def test_what_was_dropped_drops_nothing_itself():
    chain = np.array([[0, 0, 100, 100], [20, 0, 120, 100], [40, 0, 140, 100]], float)
    assert distinct(chain).tolist() == [True, False, True]
    assert distinct(np.empty((0, 4))).tolist() == []
