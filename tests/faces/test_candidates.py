from __future__ import annotations

import numpy as np
import pytest

from tests.faces.networks import strongest_slowly
from videoclusternet.faces.candidates import cells, planes, settle

ALONE = np.array([[10.0, 20.0, 30.0, 50.0]])
MARKS = np.arange(10.0).reshape(1, 5, 2)


@pytest.mark.parametrize("size", [(1, 1), (8, 16), (9, 17), (33, 5)])
def test_planes_hold_the_picture_and_a_rim(size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    fed = planes(picture, 8, (1.5, 2, 3))
    height, width = size
    assert fed.dtype == np.float32
    assert fed.shape[:2] == (1, 3)
    assert fed.shape[2:] == tuple(-(-side // 8) * 8 for side in size)
    np.testing.assert_array_equal(fed[0, :, :height, :width], picture.transpose(2, 0, 1))
    for plane, colour in zip(fed[0], (1.5, 2, 3), strict=True):
        assert np.all(plane[height:] == colour)
        assert np.all(plane[:, width:] == colour)


def test_cells_are_counted_row_by_row():
    assert cells(16, 17, 8, 2).tolist() == [
        [x, y] for y in range(2) for x in range(3) for _ in range(2)
    ]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("place", ["box", "landmark", "score"])
def test_what_is_no_number_is_left_out(odd, place):
    boxes, landmarks, scores = (
        np.concatenate([values, values + step])
        for values, step in ((ALONE, 60), (MARKS, 0), (np.array([0.5]), 0))
    )
    {"box": boxes[0], "landmark": landmarks[0, 2], "score": scores}[place][0] = odd
    found = settle(boxes, landmarks, scores, (200, 200), 0.3)
    assert found.boxes.tolist() == (ALONE + 60).tolist()
    assert found.landmarks.tolist() == MARKS.tolist()
    assert found.scores.tolist() == [0.5]


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ([-5, -5, 200, 300], [0, 0, 100, 80]),
        ([10, 10, 10, 20], None),
        ([10, 20, 30, 10], None),
        ([100, 10, 130, 20], None),
        ([99.99, 10, 130, 20], [99.99, 10, 100, 20]),
        ([-30, 10, 0, 20], None),
        ([50, 10, np.nextafter(50, 51), 20], None),  # of no width where numbers have 32 bits
    ],
)
def test_boxes_lie_in_the_picture_and_have_an_area(box, kept):
    found = settle(np.array([box], float), MARKS, np.array([0.7]), (100, 80), 0.3)
    np.testing.assert_allclose(found.boxes, np.array([kept] if kept else []).reshape(-1, 4))
    assert found.boxes.dtype == found.landmarks.dtype == found.scores.dtype == np.float32


def test_nothing_gives_nothing():
    found = settle(np.empty((0, 4)), np.empty((0, 5, 2)), np.empty(0), (9, 9), 0.3)
    assert [column.shape for column in found] == [(0, 4), (0, 5, 2), (0,)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.7])
def test_none_stands_over_a_stronger_one(seed, overlap):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-10, 90, (200, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 40, (200, 2))], 1)
    landmarks, scores = rng.normal(0, 50, (200, 5, 2)), (rng.permutation(200) + 1) / 200
    found = settle(boxes, landmarks, scores, (100, 100), overlap)
    inside = boxes.clip(0, 100)
    truth = strongest_slowly(list(zip(scores, inside, landmarks, strict=True)), overlap)
    assert 0 < len(truth) < 200
    np.testing.assert_allclose(found.scores, [score for score, _, _ in truth], rtol=1e-6)
    np.testing.assert_allclose(found.boxes, [box for _, box, _ in truth], rtol=1e-6)
    np.testing.assert_allclose(found.landmarks, [marks for _, _, marks in truth], rtol=1e-6)
