from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.faces.films import drawn_through, marked, matches, mirrored, through
from videoclusternet.errors import WeightsError
from videoclusternet.faces.centerface import CenterFace, load
from videoclusternet.tracks.boxes import iou
from videoclusternet.weights.choice import WeightsFile

# In widths of a face; its eyes are 0.4 apart, so landmarks in the wrong order are twice as far off.
SWAPPED = 0.2


def scaled(picture, factor):
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def error(landmarks, truth, boxes):
    """Return the largest distance between landmarks, in widths of the face."""
    width = (boxes[:, 2] - boxes[:, 0])[:, None]
    return np.max(np.linalg.norm(landmarks - truth, axis=2) / width)


@pytest.mark.parametrize("name", ["demo_cards", "demo_seaside"])
@pytest.mark.parametrize("factor", [0.35, 0.5, 0.73, 1.0])
def test_every_face_is_found_and_no_other(centerface, request, name, factor):
    picture = scaled(request.getfixturevalue(name.removeprefix("demo_")), factor)
    (found,) = centerface([picture], 0.5)
    matches(found.boxes, marked(name) * factor)


def test_landmarks_do_not_depend_on_size_or_place(centerface, cards):
    (whole,) = centerface([cards], 0.5)
    for left, top, factor in [(0, 0, 0.5), (13, 7, 1.0), (5, 3, 0.81)]:
        (found,) = centerface([scaled(cards[top:, left:], factor)], 0.5)
        truth = (whole.landmarks - np.float32([left, top])) * factor
        order = matches(found.boxes, (whole.boxes - np.float32([left, top] * 2)) * factor)
        assert error(found.landmarks[order], truth, found.boxes[order]) < 0.09


def test_a_mirrored_picture_has_mirrored_faces(centerface, cards):
    (straight,) = centerface([cards], 0.5)
    (turned,) = centerface([cards[:, ::-1].copy()], 0.5)
    width = cards.shape[1]
    boxes = turned.boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [width, 0, width, 0]
    order = matches(boxes, straight.boxes)
    back = mirrored(turned.landmarks[order], width)
    assert error(back, straight.landmarks, straight.boxes) < SWAPPED


@pytest.mark.parametrize("degrees", [-20, 20])
def test_faces_that_tilt_are_found_with_their_landmarks(centerface, cards, degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    height, width = cards.shape[:2]
    size = (round(1.3 * width), round(1.5 * height))
    shift = np.array(size) / 2 - turn @ [width / 2, height / 2]
    motion = np.column_stack([turn, shift])
    (straight,) = centerface([cards], 0.5)
    (tilted,) = centerface([drawn_through(cards, motion, size)], 0.5)
    truth = through(motion, straight.landmarks)
    pairs = np.linalg.norm(truth[:, None] - tilted.landmarks, axis=3).mean(axis=2)
    order = pairs.argmin(axis=1)
    assert sorted(order) == list(range(6))
    assert error(tilted.landmarks[order], truth, straight.boxes) < SWAPPED


def test_a_face_that_leaves_the_picture_keeps_its_landmarks(centerface, cards):
    (whole,) = centerface([cards], 0.5)
    face = int(np.argmin(whole.boxes[:, 0]))
    cut = int(whole.boxes[face, 0] + 0.15 * (whole.boxes[face, 2] - whole.boxes[face, 0]))
    (found,) = centerface([cards[:, cut:].copy()], 0.5)
    here = int(np.argmin(found.boxes[:, 0]))
    assert found.boxes[here, 0] == 0
    truth = whole.landmarks[face] - np.float32([cut, 0])
    assert error(found.landmarks[[here]], truth[None], whole.boxes[[face]]) < 0.12


class Maps:
    """A network that answers with these maps, whatever it is shown."""

    def __init__(self, *maps):
        self.maps = maps

    def answer(self, outputs, planes):
        self.fed = planes
        return self.maps


def decoded_slowly(maps, score, width, height):
    heat, size, offset, points = (m[0].astype(np.float64) for m in maps)
    rows = []
    for row in range(heat.shape[1]):
        for column in range(heat.shape[2]):
            if heat[0, row, column] < score:
                continue
            tall, wide = (4 * np.exp(size[i, row, column]) for i in (0, 1))
            x = 4 * (column + offset[1, row, column] + 0.5) - wide / 2
            y = 4 * (row + offset[0, row, column] + 0.5) - tall / 2
            box = [max(0, x), max(0, y), min(width, x + wide), min(height, y + tall)]
            marks = [
                (x + wide * points[2 * i + 1, row, column], y + tall * points[2 * i, row, column])
                for i in range(5)
            ]
            if box[0] < box[2] and box[1] < box[3]:
                rows.append((heat[0, row, column], box, marks))
    kept = []
    for row in sorted(rows, key=lambda row: -row[0]):
        if all(iou(np.array(row[1]), np.array(box)) <= 0.3 for _, box, _ in kept):
            kept.append(row)
    return kept


@pytest.mark.parametrize("seed", range(8))
def test_the_maps_are_read_as_a_plain_loop_would(seed):
    rng = np.random.default_rng(seed)
    high, wide = 8 * int(rng.integers(1, 4)), 8 * int(rng.integers(1, 4))
    maps = (
        rng.random((1, 1, high, wide), np.float32),
        rng.normal(1, 0.6, (1, 2, high, wide)).astype(np.float32),
        rng.random((1, 2, high, wide), np.float32),
        rng.random((1, 10, high, wide), np.float32),
    )
    height, width = 4 * high - int(rng.integers(0, 32)), 4 * wide - int(rng.integers(0, 32))
    network = Maps(*maps)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    (found,) = CenterFace(network)([picture], 0.8)
    truth = decoded_slowly(maps, 0.8, width, height)
    assert len(truth) > 0
    assert len(found.scores) == len(truth)
    np.testing.assert_allclose(found.scores, [row[0] for row in truth])
    np.testing.assert_allclose(found.boxes, [row[1] for row in truth], atol=1e-3)
    np.testing.assert_allclose(found.landmarks, [row[2] for row in truth], atol=1e-3)
    assert network.fed.shape == (1, 3, 4 * high, 4 * wide)
    np.testing.assert_array_equal(network.fed[0, :, :height, :width], picture.transpose(2, 0, 1))
    assert network.fed[0, :, height:].sum() == network.fed[0, :, :, width:].sum() == 0


def test_another_file_is_refused(tmp_path):
    real = WeightsFile.of_asset("centerface").path.read_bytes()
    for content in (b"", b"not a network", real[:1000], real[:-200]):
        path = tmp_path / "network.onnx"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"network\.onnx is not"):
            load(path)


def test_a_session_says_nothing(capfd, centerface, cards):
    load(WeightsFile.of_asset("centerface").path)([cards[:320, :320]], 0.5)
    assert capfd.readouterr() == ("", "")
