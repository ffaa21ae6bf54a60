from __future__ import annotations

import cv2
import numpy as np
import pytest

from videoclusternet.tracks.camera import camera_motion

HEIGHT, WIDTH = 180, 320


def texture(seed=0, shape=(HEIGHT, WIDTH)):
    noise = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def similarity(zoom=1.0, degrees=0.0, shift=(0.0, 0.0)):
    """Zoom and turn about the middle of the picture, then shift; the origin is the outer corner."""
    angle = np.radians(degrees)
    linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    return np.column_stack([linear, middle + shift - linear @ middle])


def moved(picture, motion):
    """Draw the picture after the motion. OpenCV's origin is the centre of the first pixel."""
    centred = motion.copy()
    centred[:, 2] += motion[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(picture, centred, picture.shape[::-1], borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize(
    "motion",
    [
        similarity(),
        similarity(shift=(9.5, -4.25)),
        similarity(zoom=1.06),
        similarity(zoom=0.95, degrees=3, shift=(-5, 2)),
    ],
)
def test_a_known_motion_is_found(motion):
    before = texture()
    found = camera_motion(before, moved(before, motion))
    assert found.dtype == np.float32
    corners = np.array([[0, 0, 1], [WIDTH, 0, 1], [0, HEIGHT, 1], [WIDTH, HEIGHT, 1.0]])
    np.testing.assert_allclose(corners @ found.T, corners @ motion.T, atol=0.25)


def test_the_same_pictures_give_the_same_motion():
    before = texture()
    after = moved(before, similarity(shift=(6, 3)))
    first = camera_motion(before, after)
    cv2.setRNGSeed(99)
    np.testing.assert_array_equal(first, camera_motion(before, after))


def test_a_face_that_moves_does_not_move_the_camera():
    before = np.full((HEIGHT, WIDTH), 128, np.uint8)
    before[:, :70] = texture(1)[:, :70]
    after = before.copy()
    face = texture(2, (120, 200))
    before[30:150, 90:290] = face
    after[30:150, 97:297] = face
    box = np.array([[85.0, 25, 300, 155]])
    assert camera_motion(before, after)[0, 2] == pytest.approx(7, abs=0.5)
    np.testing.assert_allclose(camera_motion(before, after, box), np.eye(2, 3), atol=0.02)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)),
        (texture(), np.zeros((HEIGHT, WIDTH), np.uint8)),
        (texture(), texture(5)),
        (texture(), moved(texture(), similarity(degrees=25))),
        (np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8)),
    ],
    ids=["flat", "black", "another scene", "no camera turns so fast", "tiny"],
)
def test_without_a_believable_motion_the_camera_stands_still(before, after):
    np.testing.assert_array_equal(camera_motion(before, after), np.eye(2, 3))


def test_boxes_beyond_the_picture_are_no_trouble():
    before = texture()
    beyond = np.array([[-50.0, -50, 2000, 2000], [500, 500, 600, 600]])
    np.testing.assert_array_equal(camera_motion(before, before, beyond), np.eye(2, 3))
    nobody = np.empty((0, 4))
    np.testing.assert_allclose(camera_motion(before, before, nobody), np.eye(2, 3), atol=1e-3)
