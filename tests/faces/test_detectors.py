"""What every detector of the table must hold to."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest

from tests.faces.films import marked, matches
from tests.faces.networks import retina, saved, scrfd, yunet
from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.faces.detect import frontalness
from videoclusternet.faces.detectors import DETECTORS, choose_detector, identify, load_detector
from videoclusternet.weights.assets import ASSETS, OPTIONAL

DRAWN = {
    "scrfd": scrfd,
    "retinaface": lambda: retina({8: (16, 32), 16: (64, 128), 32: (256, 512)}),
    "yunet": yunet,
}
"""For each detector whose file the user brings, a network that reads faces out of the pixels."""
REAL = [name for name, spec in DETECTORS.items() if spec.asset is not None]


@pytest.fixture(scope="module", params=list(DETECTORS))
def named(request):
    return request.param


@pytest.fixture(scope="module")
def detector(named, tmp_path_factory):
    if named in REAL:
        return load_detector(*choose_detector(named))
    path = saved(DRAWN[named](), tmp_path_factory.mktemp(named))
    return importlib.import_module(DETECTORS[named].module).load(path)


@pytest.fixture
def picture(named, cards):
    """A picture in which the detector finds faces, certain ones and others."""
    return (
        cards if named in REAL else np.random.default_rng(1).integers(0, 256, (190, 270, 3), "u1")
    )


@pytest.mark.parametrize("name", list(DETECTORS))
def test_a_row_says_all(name):
    spec = DETECTORS[name]
    assert spec.name == name
    if spec.asset is not None:
        assert spec.weights_licence == (ASSETS | OPTIONAL)[spec.asset].licence
    assert spec.code_licence
    assert spec.weights_licence
    assert spec.source
    assert callable(importlib.import_module(spec.module).load)


def test_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match="no detector 'retina': use one of centerface"):
        choose_detector("retina")


def test_the_table_loads_no_runtime():
    code = "import sys, videoclusternet.faces.detectors; print('onnxruntime' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_faces_are_told_in_the_promised_form(detector, picture):
    (found,) = detector([picture], 0.2)
    height, width = picture.shape[:2]
    assert len(found.scores) > 1
    assert found.boxes.dtype == found.landmarks.dtype == found.scores.dtype == np.float32
    assert found.boxes.shape == (len(found.scores), 4)
    assert found.landmarks.shape == (len(found.scores), 5, 2)
    assert np.all(found.scores >= 0.2)
    assert np.all(found.scores <= 1)
    assert np.all(np.diff(found.scores) <= 0)
    assert np.all(found.boxes >= 0)
    assert np.all(found.boxes <= [width, height, width, height])
    assert np.all(found.boxes[:, :2] < found.boxes[:, 2:])


@pytest.mark.parametrize("name", REAL)
def test_the_faces_of_a_photograph_are_found(name, cards):
    (found,) = load_detector(*choose_detector(name))([cards], 0.5)
    matches(found.boxes, marked("demo_cards"))
    left, right, nose, left_mouth, right_mouth = np.moveaxis(found.landmarks, 1, 0)
    assert np.all(left[:, 0] < right[:, 0])
    assert np.all(left_mouth[:, 0] < right_mouth[:, 0])
    assert np.all((left + right)[:, 1] / 2 < nose[:, 1])
    assert np.all(nose[:, 1] < (left_mouth + right_mouth)[:, 1] / 2)
    assert np.all(frontalness(found.landmarks) > 0.3)


def test_a_batch_finds_what_its_pictures_do(detector, picture):
    small = picture[::2, ::2].copy()
    pictures = [small, np.zeros_like(small), small[:, ::-1].copy()]
    together = detector(pictures, 0.3)
    for picture, batched in zip(pictures, together, strict=True):
        (alone,) = detector([picture], 0.3)
        for one, other in zip(alone, batched, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-2)


def test_the_same_picture_gives_the_same_bytes(detector, picture):
    (one,), (other,) = detector([picture], 0.2), detector([picture], 0.2)
    assert [column.tobytes() for column in one] == [column.tobytes() for column in other]


def test_a_higher_score_leaves_out_and_changes_nothing(detector, picture):
    (all_of_them,), (some,) = detector([picture], 0.2), detector([picture], 0.91)
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


@pytest.mark.parametrize("name", list(DETECTORS))
def test_a_file_is_told_by_what_it_answers(name, tmp_path):
    real = name in REAL
    known = choose_detector(name)[1].path if real else saved(DRAWN[name](), tmp_path)
    path = tmp_path / "some.bin"
    path.write_bytes(known.read_bytes())
    assert identify(path) == name


@pytest.mark.parametrize(
    ("name", "other"), [(name, other) for name in DETECTORS for other in DRAWN if name != other]
)
def test_a_file_of_another_detector_is_refused(name, other, tmp_path):
    path = saved(DRAWN[other](), tmp_path)
    with pytest.raises(WeightsError, match=r"network\.onnx is not .* and this file \d+ outputs"):
        importlib.import_module(DETECTORS[name].module).load(path)


def test_files_of_no_detector_are_told_too(tmp_path):
    assert identify(saved(scrfd(kinds=("score", "bbox")), tmp_path)) is None
    four_planes = scrfd()
    four_planes.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    assert identify(saved(four_planes, tmp_path)) is None
    path = tmp_path / "notes.txt"
    path.write_text("no network")
    with pytest.raises(WeightsError, match="is not an ONNX file"):
        identify(path)
