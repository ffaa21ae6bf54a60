from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.faces.films import PictureFilm, shots_of
from tests.tracks.test_camera import HEIGHT, WIDTH, moved, similarity
from videoclusternet.config import DetectConfig
from videoclusternet.faces.detect import detect_faces
from videoclusternet.faces.detectors import Detections
from videoclusternet.scenes import setups
from videoclusternet.scenes.setups import BACK, SetupFinder

NOBODY = np.empty((0, 4))


def room(seed=0, height=HEIGHT, width=WIDTH):
    """A room full of things with corners, in front of a wall that is not evenly lit."""
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.integers(40, 215, (3, 4)).astype(np.uint8), (width, height))
    for _ in range(80):
        x, y = rng.integers(0, (width, height)).tolist()
        w, h = rng.integers(width // 40, width // 8, 2).tolist()
        cv2.rectangle(picture, (x, y), (x + w, y + h), int(rng.integers(256)), -1)
    return cv2.GaussianBlur(picture, (0, 0), width / 400)


def with_head(picture, seed, x):
    """Return the picture with a head of many corners in it, and its box."""
    picture = picture.copy()
    picture[40:140, x : x + 80] = room(seed, 100, 80)
    return picture, np.array([[x, 40, x + 80, 140]], float)


def found_in(*pictures, shots=None):
    """What is found in pictures of shots two apart, each with or without boxes of faces."""
    finder = SetupFinder()
    for i, picture in enumerate(pictures):
        luma, faces = picture if isinstance(picture, tuple) else (picture, NOBODY)
        finder.look(i * 10, 2 * i if shots is None else shots[i], luma, faces)
    return finder.found()


@pytest.mark.parametrize(
    "motion",
    [
        similarity(),
        similarity(shift=(25, -12.5)),
        similarity(zoom=1.2),
        similarity(zoom=0.8, degrees=4, shift=(-20, 6)),
    ],
    ids=["stands", "shifted", "nearer", "farther and turned"],
)
def test_a_view_that_returns_is_found_with_its_map(motion):
    view = room()
    left, right, maps = found_in(view, room(1), moved(view, motion))
    assert (left.tolist(), right.tolist()) == ([0], [20])
    assert (left.dtype, right.dtype, maps.dtype) == (np.int64, np.int64, np.float32)
    corners = np.array([[0, 0, 1], [WIDTH, 0, 1], [0, HEIGHT, 1], [WIDTH, HEIGHT, 1.0]])
    np.testing.assert_allclose(corners @ maps[0].T, corners @ motion.T, atol=1.5)


def test_every_return_is_found_in_the_order_of_the_film():
    views = [room(), room(1), room(), room(1), room()]
    left, right, _ = found_in(*views)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [
        (0, 20), (10, 30), (0, 40), (20, 40),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (room(), room(1)),
        (room(), room()[:, ::-1].copy()),
        (room(), room()[::-1, ::-1].copy()),
        (room(), moved(room(), similarity(zoom=2.5))),
        (np.full((HEIGHT, WIDTH), 90, np.uint8), np.full((HEIGHT, WIDTH), 90, np.uint8)),
        (np.zeros((HEIGHT, WIDTH), np.uint8), room()),
        (np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8)),
        (room(0, 62), room(0, 62)),
    ],
    ids=["another", "mirrored", "upside down", "a close-up", "flat", "black", "a point", "low"],
)
def test_another_view_is_none(before, after):
    left, right, maps = found_in(before, after)
    assert (len(left), len(right), maps.shape) == (0, 0, (0, 2, 3))


def test_no_picture_is_no_setup():
    left, right, maps = SetupFinder().found()
    assert (left.shape, right.shape, maps.shape) == ((0,), (0,), (0, 2, 3))


def test_another_head_in_front_does_not_move_the_view():
    view = room()
    left, _, maps = found_in(with_head(view, 5, 60), with_head(view, 6, 150))
    assert left.tolist() == [0]
    np.testing.assert_allclose(maps[0], np.eye(2, 3), atol=0.5)


def test_one_head_in_two_rooms_is_no_view():
    one, two = with_head(room(), 5, 100), with_head(room(1), 5, 100)
    assert found_in(one, two)[0].tolist() == []


def test_a_caption_is_no_view():
    """Its corners agree on a map, as those of a logo do in every shot of a film."""
    bare, captioned = [], []
    for seed in (1, 2):
        picture = cv2.resize(room(seed)[::20, ::20], (WIDTH, HEIGHT))
        bare.append(picture.copy())
        cv2.putText(picture, "WHO IS WHO?", (20, 160), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 255, 3)
        captioned.append(picture)
    assert found_in(*captioned)[0].tolist() == []
    assert found_in(bare[0], bare[0])[0].tolist() == [0]


def test_pictures_of_one_shot_are_not_compared():
    assert found_in(room(), room(), shots=[3, 3])[0].tolist() == []


def test_it_looks_back_so_far_and_no_farther():
    assert found_in(room(), room(), shots=[1, 1 + BACK])[0].tolist() == [0]
    assert found_in(room(), room(), shots=[1, 2 + BACK])[0].tolist() == []


def test_shots_that_follow_each_other_must_agree_more(monkeypatch):
    monkeypatch.setattr(setups, "FEWEST", 120)
    assert found_in(room(), room(), shots=[0, 2])[0].tolist() == [0]
    monkeypatch.setattr(setups, "NEXT", 1000)
    assert found_in(room(), room(), shots=[0, 1])[0].tolist() == []
    assert found_in(room(), room(), shots=[0, 2])[0].tolist() == [0]


def test_the_same_pictures_give_the_same_maps():
    pictures = room(), room(1), moved(room(), similarity(zoom=1.1))
    first = found_in(*pictures)
    cv2.setRNGSeed(99)
    for once, again in zip(first, found_in(*pictures), strict=True):
        np.testing.assert_array_equal(once, again)


class OneHead:
    """Finds one face in every picture, in its upper left."""

    def __call__(self, pictures, score):
        box = np.float32([[4, 4, 20, 24]])
        return [Detections(box, np.zeros((1, 5, 2), np.float32), np.float32([0.9]))]


def test_detection_tells_which_views_return_in_full_pixels():
    view, other = room(), room(1)
    returned = moved(view, similarity(shift=(20, 10)))
    large = [
        cv2.cvtColor(cv2.resize(luma, (2 * WIDTH, 2 * HEIGHT)), cv2.COLOR_GRAY2RGB)
        for luma in (view, other, returned)
    ]
    film = PictureFilm([large[0]] * 5 + [large[1]] * 4 + [large[2]] * 1)
    config = DetectConfig(every=3, long_side=160, score=0.35)
    faces = detect_faces(film, shots_of(5, 4, 1), OneHead(), config)
    assert faces.looked.tolist() == [0, 3, 5, 8, 9]
    assert faces.setup_left.tolist() == [0, 3]
    assert faces.setup_right.tolist() == [9, 9]
    for found in faces.setup_map:
        np.testing.assert_allclose(found, [[1, 0, 40], [0, 1, 20]], atol=1)
