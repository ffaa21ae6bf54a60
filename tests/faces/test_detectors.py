"""What every detector of the table must hold to."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest

from tests.faces.films import marked, matches
from videoclusternet.errors import UsageError
from videoclusternet.faces.detect import frontalness
from videoclusternet.faces.detectors import DETECTORS, choose_detector, load_detector
from videoclusternet.weights.assets import ASSETS


@pytest.fixture(scope="module", params=list(DETECTORS))
def detector(request):
    return load_detector(*choose_detector(request.param))


@pytest.mark.parametrize("name", list(DETECTORS))
def test_a_row_says_all(name):
    spec = DETECTORS[name]
    assert spec.name == name
    assert spec.asset in ASSETS
    assert spec.weights_licence == ASSETS[spec.asset].licence
    assert spec.code_licence
    assert callable(importlib.import_module(spec.module).load)


def test_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match="no detector 'retina': use one of centerface"):
        choose_detector("retina")


def test_the_table_loads_no_runtime():
    code = "import sys, videoclusternet.faces.detectors; print('onnxruntime' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_faces_are_told_in_the_promised_form(detector, cards):
    (found,) = detector([cards], 0.2)
    height, width = cards.shape[:2]
    assert found.boxes.dtype == found.landmarks.dtype == found.scores.dtype == np.float32
    assert found.boxes.shape == (len(found.scores), 4)
    assert found.landmarks.shape == (len(found.scores), 5, 2)
    assert np.all(found.scores >= 0.2)
    assert np.all(found.scores <= 1)
    assert np.all(np.diff(found.scores) <= 0)
    assert np.all(found.boxes >= 0)
    assert np.all(found.boxes <= [width, height, width, height])
    assert np.all(found.boxes[:, :2] < found.boxes[:, 2:])
    certain = found.scores >= 0.5
    matches(found.boxes[certain], marked("demo_cards"))
    left, right, nose, left_mouth, right_mouth = np.moveaxis(found.landmarks[certain], 1, 0)
    assert np.all(left[:, 0] < right[:, 0])
    assert np.all(left_mouth[:, 0] < right_mouth[:, 0])
    assert np.all((left + right)[:, 1] / 2 < nose[:, 1])
    assert np.all(nose[:, 1] < (left_mouth + right_mouth)[:, 1] / 2)
    assert np.all(frontalness(found.landmarks[certain]) > 0.3)


def test_a_batch_finds_what_its_pictures_do(detector, cards):
    small = cards[::2, ::2].copy()
    pictures = [small, np.zeros_like(small), small[:, ::-1].copy()]
    together = detector(pictures, 0.3)
    for picture, batched in zip(pictures, together, strict=True):
        (alone,) = detector([picture], 0.3)
        for one, other in zip(alone, batched, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-2)


def test_the_same_picture_gives_the_same_bytes(detector, cards):
    (one,), (other,) = detector([cards], 0.2), detector([cards], 0.2)
    assert [column.tobytes() for column in one] == [column.tobytes() for column in other]


def test_a_higher_score_leaves_out_and_changes_nothing(detector, cards):
    (all_of_them,), (some,) = detector([cards], 0.2), detector([cards], 0.91)
    strong = all_of_them.scores >= 0.91
    assert 0 < strong.sum() < len(strong)
    for one, other in zip(all_of_them, some, strict=True):
        np.testing.assert_array_equal(one[strong], other)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (47, 33), (240, 320)])
def test_pictures_without_faces_are_no_trouble(detector, size):
    grey = np.full((*size, 3), 128, np.uint8)
    (found,) = detector([grey], 0.2)
    assert found.boxes.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)
    assert found.scores.shape == (0,)


def test_no_picture_is_no_trouble(detector):
    assert detector([], 0.5) == []


def test_at_no_score_at_all_the_form_still_holds(detector):
    noise = np.random.default_rng(0).integers(0, 256, (70, 50, 3), np.uint8)
    (found,) = detector([noise], 0.0)
    assert np.all(np.isfinite(found.landmarks))
    assert np.all(found.boxes[:, :2] < found.boxes[:, 2:])
    assert np.all(found.boxes >= 0)
    assert np.all(found.boxes <= [50, 70, 50, 70])
