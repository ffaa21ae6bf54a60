from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces.films import PictureFilm, marked, matches, shots_of
from tests.synthetic import texture
from videoclusternet.config import DetectConfig
from videoclusternet.errors import InputError
from videoclusternet.faces.detect import detect_faces, exposure, frontalness, sharpness
from videoclusternet.faces.detectors import Detections
from videoclusternet.faces.filter import EXPOSED
from videoclusternet.records import Faces


class CornerDetector:
    """Finds one face in every picture: its left upper quarter, with landmarks in a cross."""

    def __init__(self):
        self.sizes = []

    def __call__(self, pictures, score):
        assert score == 0.35
        self.sizes += [picture.shape for picture in pictures]
        height, width = pictures[0].shape[:2]
        cross = np.float32([[0.3, 0.3], [0.7, 0.3], [0.5, 0.5], [0.3, 0.7], [0.7, 0.7]])
        one = Detections(
            np.float32([[0, 0, width / 2, height / 2]]),
            cross[None] * np.float32([width, height]) / 2,
            np.float32([0.9]),
        )
        return [one for _ in pictures]


class BlindDetector:
    def __call__(self, pictures, score):
        nothing = np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32)
        return [Detections(*nothing, np.empty(0, np.float32)) for _ in pictures]


def film(count, size=(320, 240), **how):
    return PictureFilm([texture(7, size)] * count, **how)


def config(every=3, long_side=160):
    return DetectConfig(every=every, long_side=long_side, score=0.35)


@given(st.lists(st.integers(1, 9), max_size=5), st.integers(1, 10))
def test_each_shot_is_looked_at_from_its_first_frame_on(lengths, every):
    shots = shots_of(*lengths)
    seen = PictureFilm([np.zeros((8, 8, 3), np.uint8)] * (sum(lengths) + 4))
    told = []
    faces = detect_faces(seen, shots, BlindDetector(), config(every), lambda *now: told.append(now))
    truth = [
        frame
        for first, stop in zip(shots.first, shots.stop, strict=True)
        for frame in range(first, stop)
        if (frame - first) % every == 0
    ]
    assert faces.looked.tolist() == truth
    assert len(faces) == 0
    assert told == [(i + 1, len(truth)) for i in range(len(truth))]
    assert seen.decoded == (max(truth) + 1 if truth else 0)
    assert {index for index, kind, _ in seen.asked if kind == "rgb"} == set(truth)


def test_finds_are_told_in_full_pixels():
    detector = CornerDetector()
    faces = detect_faces(film(5, size=(320, 238)), shots_of(3, 2), detector, config(every=2))
    assert detector.sizes == [(119, 160, 3)] * 3
    assert faces.frame.tolist() == [0, 2, 3]
    np.testing.assert_allclose(faces.box, [[0, 0, 160, 119]] * 3)
    np.testing.assert_allclose(faces.landmarks[:, 2], [[80, 59.5]] * 3)
    assert faces.score.tolist() == pytest.approx([0.9] * 3)
    assert faces.frontal.tolist() == [1.0] * 3


def test_sharpness_is_measured_on_the_full_picture():
    shot, detector = shots_of(1), CornerDetector()
    picture = np.random.default_rng(0).integers(0, 256, (640, 640, 3), np.uint8)
    coarse = detect_faces(PictureFilm([picture]), shot, detector, config(long_side=64))
    fine = detect_faces(PictureFilm([picture]), shot, detector, config(long_side=640))
    assert coarse.sharpness.tolist() == fine.sharpness.tolist()
    assert coarse.sharpness[0] > 0


def test_faces_of_damaged_frames_are_not_usable():
    faces = detect_faces(
        film(6, damaged=frozenset({2})), shots_of(6), CornerDetector(), config(every=2)
    )
    assert faces.frame.tolist() == [0, 2, 4]
    assert faces.usable.tolist() == [True, False, True]


def test_the_camera_is_followed_inside_a_shot_and_in_full_pixels():
    size, pan = (640, 478), (6, -4)
    still = texture(3, (size[0] // 8, size[1] // 8))
    rng = np.random.default_rng(1)
    detail = rng.integers(-60, 60, (size[1] // 8, size[0] // 8, 1))
    still = cv2.resize((still + detail).clip(0, 255).astype(np.uint8), size)
    moving = [np.roll(still, (-pan[1] * i, -pan[0] * i), (0, 1)) for i in range(8)]
    faces = detect_faces(PictureFilm(moving), shots_of(5, 3), BlindDetector(), config(every=2))
    assert faces.looked.tolist() == [0, 2, 4, 5, 7]
    identity = np.eye(2, 3)
    np.testing.assert_array_equal(faces.motion[[0, 3]], [identity, identity])
    for motion in faces.motion[[1, 2, 4]]:
        np.testing.assert_allclose(motion[:, :2], np.eye(2), atol=0.01)
        middle = np.array(size) / 2
        shift = motion[:, :2] @ middle + motion[:, 2] - middle
        np.testing.assert_allclose(shift, np.array(pan) * -2, atol=1.5)


class PosterDetector(BlindDetector):
    """Finds the large square that moves over the picture, in the order of the calls."""

    def __init__(self, boxes):
        self.boxes = iter(boxes)

    def __call__(self, pictures, score):
        ((_, landmarks, _),) = super().__call__(pictures, score)
        scale = pictures[0].shape[1] / 640
        box = np.float32([next(self.boxes)]) * scale
        return [Detections(box, np.zeros_like(landmarks, shape=(1, 5, 2)), np.ones(1, np.float32))]


def test_faces_that_move_do_not_move_the_camera():
    rng = np.random.default_rng(2)
    ground = cv2.resize(rng.integers(70, 180, (60, 80, 3), np.uint8), (640, 480))
    poster = cv2.resize(rng.integers(0, 256, (44, 52, 3), np.uint8), (416, 352))
    boxes = [(60 + 12 * i, 60, 476 + 12 * i, 412) for i in range(3)]
    pictures = []
    for x1, y1, x2, y2 in boxes:
        pictures.append(ground.copy())
        pictures[-1][y1:y2, x1:x2] = poster
    seen = PictureFilm(pictures)
    faces = detect_faces(seen, shots_of(3), PosterDetector(boxes), config(every=1))
    np.testing.assert_allclose(faces.motion, [np.eye(2, 3)] * 3, atol=0.5)
    fooled = detect_faces(seen, shots_of(3), BlindDetector(), config(every=1))
    assert np.all(fooled.motion[1:, 0, 2] > 6)


def test_a_film_that_has_become_shorter_is_refused():
    with pytest.raises(InputError, match="before frame 6"):
        detect_faces(film(5), shots_of(9), BlindDetector(), config())


def test_a_film_of_no_frames_is_valid():
    faces = detect_faces(film(1), shots_of(), BlindDetector(), config())
    for name, values in Faces.empty().columns().items():
        assert getattr(faces, name).shape == values.shape
        assert getattr(faces, name).dtype == values.dtype


def test_real_faces_are_found_and_measured(centerface, cards):
    blurred = cv2.GaussianBlur(cards, (0, 0), 6)
    seen = PictureFilm([cards, blurred])
    settings = DetectConfig(every=1, long_side=960, score=0.5)
    faces = detect_faces(seen, shots_of(2), centerface, settings)
    clear = faces.select(faces.frame == 0)
    matches(clear.box, marked("demo_cards"))
    assert np.all(clear.frontal > 0.3)
    assert np.all(clear.exposure > 0.8)
    assert clear.sharpness.min() > 2 * faces.sharpness[faces.frame == 1].max()
    again = detect_faces(seen, shots_of(2), centerface, settings)
    for name, values in faces.columns().items():
        np.testing.assert_array_equal(getattr(again, name), values)


@pytest.fixture(scope="module")
def portraits(cards, seaside):
    """The luma of real faces in focus, 90 to 150 pixels wide."""
    photographs = (("demo_cards", cards), ("demo_seaside", seaside))
    return [
        cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_RGB2GRAY)
        for name, picture in photographs
        for x1, y1, x2, y2 in marked(name).astype(int)
    ]


def blurred(face, share):
    return cv2.GaussianBlur(face, (0, 0), share * face.shape[1])


def test_sharpness_falls_with_blur_on_every_face(portraits):
    for face in portraits:
        values = [sharpness(face)] + [sharpness(blurred(face, s)) for s in (0.02, 0.04, 0.08)]
        assert values == sorted(values, reverse=True)
        assert values[0] > 2 * values[2]


def test_the_default_parts_faces_in_focus_from_hopeless_ones(portraits):
    from videoclusternet.config import FilterConfig

    least = FilterConfig().sharpness
    assert all(sharpness(face) > 2 * least for face in portraits)
    assert all(sharpness(blurred(face, 0.02)) > least for face in portraits)
    assert all(sharpness(blurred(face, 0.08)) < least for face in portraits)


def test_neither_size_nor_light_counts_for_sharpness(portraits):
    for face in portraits:
        full = sharpness(face)
        small = cv2.resize(face, (40, 50), interpolation=cv2.INTER_AREA)
        large = cv2.resize(face, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        assert sharpness(small) == pytest.approx(full, rel=0.3)
        assert sharpness(large) == pytest.approx(full, rel=0.1)
        assert sharpness(face // 2 + 20) == pytest.approx(full, rel=0.05)
        assert sharpness(face[:, ::-1]) == pytest.approx(full, rel=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2, 2), (31, 33), (400, 500)])
def test_what_is_flat_has_no_sharpness(size):
    assert sharpness(np.full(size, 77, np.uint8)) == pytest.approx(0, abs=1e-3)


def test_faces_in_usual_light_are_well_exposed(portraits):
    for face in portraits:
        assert exposure(face) > 0.8
        assert exposure(face // 3 + 16) > 0.8
        assert exposure(face[:, ::-1]) == exposure(face)


@pytest.mark.parametrize("share", [0, 0.25, 0.5])
def test_half_a_face_may_lie_in_the_dark(portraits, share):
    for face in portraits:
        shaded = np.clip(face, 17, 239)
        shaded[:, : int(share * face.shape[1])] = 0
        assert exposure(shaded) == 1


def test_flashes_and_black_are_told_from_faces_that_are_lit(portraits):
    for face in portraits:
        light = face.astype(int)
        flash, black = np.clip(3 * light + 60, 0, 255), light // 16
        assert exposure(flash) < EXPOSED > exposure(black)
        assert exposure(face) > EXPOSED


@pytest.mark.parametrize(
    ("crushed", "clipped", "value"),
    [(0, 0, 1), (0, 25, 0.75), (0, 100, 0), (50, 0, 1), (75, 0, 0.5), (100, 0, 0), (60, 40, 0.4)],
)
def test_exposure_counts_what_is_clipped_and_crushed(crushed, clipped, value):
    face = np.full((10, 10), 239, np.uint8)
    face.flat[:crushed] = 16
    face.flat[100 - clipped :] = 240
    assert exposure(face) == pytest.approx(value)


# Millimetres: eyes, nose, mouth corners of an average head; z points out of the face.
HEAD = np.array([[-31, 0, 0], [31, 0, 0], [0, 36, 26], [-26, 68, 2], [26, 68, 2]], float)


def seen(yaw=0.0, nod=0.0, tilt=0.0, size=1.0, place=(0.0, 0.0)):
    """Project the head, turned by these degrees, nodded and then tilted in the picture."""
    y, n, t = np.radians([yaw, nod, tilt])
    turn = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    nodded = [[1, 0, 0], [0, np.cos(n), -np.sin(n)], [0, np.sin(n), np.cos(n)]]
    flat = (HEAD @ np.transpose(turn) @ np.transpose(nodded))[:, :2]
    tilted = flat @ [[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]
    return size * tilted + place


angles = st.floats(-180, 180)


@pytest.mark.parametrize("yaw", range(-90, 91, 15))
def test_a_head_of_the_assumed_proportions_is_told_exactly(yaw):
    points = np.float64([[-1, 0, 0], [1, 0, 0], [0, 1, 0.8], [-0.85, 2, 0], [0.85, 2, 0]])
    angle = np.radians(yaw)
    x = points[:, 0] * np.cos(angle) + points[:, 2] * np.sin(angle)
    (value,) = frontalness(np.stack([x, points[:, 1]], 1)[None])
    assert value == pytest.approx(np.cos(angle), abs=1e-6)


@given(st.floats(-85, 85), st.floats(-15, 15), angles, st.floats(0.1, 20))
def test_frontalness_is_the_cosine_of_the_turn(yaw, nod, tilt, size):
    (value,) = frontalness(seen(yaw, nod, tilt, size, (300, -40))[None])
    assert value == pytest.approx(np.cos(np.radians(yaw)), abs=0.08)


@given(st.floats(-80, 80), angles)
def test_a_mirrored_face_is_as_frontal(yaw, tilt):
    one, other = frontalness(np.stack([seen(yaw, 5, tilt), seen(-yaw, 5, -tilt)]))
    assert one == pytest.approx(other, abs=1e-5)


def test_frontalness_falls_all_the_way_to_the_profile():
    values = frontalness(np.stack([seen(yaw, 8, 25) for yaw in range(0, 91, 10)]))
    assert values[0] == pytest.approx(1, abs=0.01)
    assert np.all(np.diff(values) < 0)
    assert values[-1] < 0.06


def test_what_is_no_face_is_not_frontal():
    swapped = seen()[[1, 0, 2, 4, 3]]
    behind = seen(150)
    one_point = np.full((5, 2), 3.0)
    eyes_on_mouth = np.array([[0, 0], [2, 0], [1, 1], [0, 0], [2, 0]], float)
    values = frontalness(np.stack([swapped, behind, one_point, eyes_on_mouth]).astype(np.float32))
    assert values.dtype == np.float32
    assert values.tolist() == [0, 0, 0, 0]
    assert frontalness(np.empty((0, 5, 2), np.float32)).shape == (0,)
