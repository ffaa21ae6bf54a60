from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.faces import networks
from tests.faces.networks import (
    paint,
    retina,
    retinaface,
    same_faces,
    saved,
    scrfd,
    strongest_slowly,
)
from videoclusternet.errors import WeightsError
from videoclusternet.faces.retinaface import load

LARGE = {8: [16, 32], 16: [64, 128], 32: [256, 512]}
SMALL = {8: [10, 16, 24], 16: [32, 48], 32: [64, 96], 64: [128, 192, 256]}


def found_slowly(sides, picture, score):
    """Read an answer as the authors of the PyTorch edition do, number by number."""
    multiple = max(sides)
    high, wide = (-(-side // multiple) * multiple for side in picture.shape[:2])
    fed = np.zeros((3, high, wide))
    for plane, (colour, mean) in enumerate([(2, 104), (1, 117), (0, 123)]):
        colours = picture[:, :, colour].astype(float)
        fed[plane, : picture.shape[0], : picture.shape[1]] = colours - mean
    found = []
    for stride, squares in sides.items():
        numbers = retinaface(len(squares))
        for row in range(high // stride):
            for column in range(wide // stride):
                for which, side in enumerate(squares):
                    cell = (fed, stride, row, column)
                    sure = numbers["conf"].of(*cell, which)
                    if sure < score:
                        continue
                    x, y = (column + 0.5) * stride, (row + 0.5) * stride
                    loc = [numbers["loc"].of(*cell, 4 * which + i) for i in range(4)]
                    mid = x + 0.1 * side * loc[0], y + 0.1 * side * loc[1]
                    w, h = side * np.exp(0.2 * loc[2]), side * np.exp(0.2 * loc[3])
                    marks = [
                        (
                            x + 0.1 * side * numbers["landms"].of(*cell, 10 * which + 2 * i),
                            y + 0.1 * side * numbers["landms"].of(*cell, 10 * which + 2 * i + 1),
                        )
                        for i in range(5)
                    ]
                    box = [mid[0] - w / 2, mid[1] - h / 2, mid[0] + w / 2, mid[1] + h / 2]
                    box = np.clip(box, 0, [*picture.shape[1::-1]] * 2)
                    found.append((sure, box, marks))
    return strongest_slowly(found, 0.4)


@pytest.mark.parametrize("sides", [LARGE, SMALL], ids=["retinaface", "rfb"])
@pytest.mark.parametrize("seed", range(4))
def test_answers_are_read_as_a_plain_loop_would(tmp_path, sides, seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(100, 300, 2)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    (found,) = load(saved(retina(sides), tmp_path))([picture], 0.75)
    same_faces(found, found_slowly(sides, picture, 0.75))


def test_a_planted_face_is_where_it_was_planted(tmp_path):
    picture = np.zeros((100, 200, 3), np.uint8)
    # The second square, 16 pixels wide, of row 5, column 11 of the map with stride 8: its centre is
    # x = 92, y = 44. Blue is fed as itself less 104, green less 117, red less 123.
    paint(picture, 8, 5, 11, 1, [255], bgr=True)
    fed = {3 + 4: [40, -20, 0, 40], 15 + 10: [-40, -40, 40, -40, 0, 0, -40, 40, 40, 40]}
    for first, values in fed.items():
        planes = (first + np.arange(len(values))) % 3
        paint(picture, 8, 5, 11, first, values + np.array([104, 117, 123])[planes], bgr=True)
    (found,) = load(saved(retina(SMALL), tmp_path))([picture], 0.8)
    np.testing.assert_allclose(found.scores, [(255 - 117 - 24) / 127], atol=1e-6)
    high = 8 * np.exp(0.2)
    np.testing.assert_allclose(found.boxes, [[85.6, 43.2 - high, 101.6, 43.2 + high]], atol=1e-4)
    marks = 3.2 * np.array([[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]])
    np.testing.assert_allclose(found.landmarks, marks[None] + [92, 44], atol=1e-4)


@pytest.mark.parametrize("sides", [LARGE, SMALL], ids=["retinaface", "rfb"])
@pytest.mark.parametrize("order", [None, (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("size", [("h", "w"), (320, 640)])
def test_exports_of_any_order_and_size_are_one_network(tmp_path, sides, order, size):
    picture = np.random.default_rng(7).integers(0, 256, (75, 101, 3), np.uint8)
    (truth,) = load(saved(retina(sides), tmp_path))([picture], 0.6)
    (found,) = load(saved(retina(sides, size, order=order), tmp_path))([picture], 0.6)
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_face_of_endless_size_is_none(tmp_path, monkeypatch):
    meant = retinaface(2)
    boundless = meant | {"loc": dataclasses.replace(meant["loc"], gain=100.0)}
    monkeypatch.setattr(networks, "retinaface", lambda each: boundless)
    path = saved(retina(LARGE), tmp_path)
    (found,) = load(path)([np.full((64, 64, 3), 255, np.uint8)], 0.5)
    assert len(found.scores) == 0


def test_another_network_is_refused(tmp_path):
    path = saved(scrfd(kinds=("bbox",)), tmp_path)
    with pytest.raises(WeightsError) as refused:
        load(path)
    assert str(refused.value) == (
        f"{path} is not a RetinaFace network: for a picture of 128 x 64 pixels that has 3 outputs "
        "(336x4, 336x2, 336x10), or 3 outputs (470x4, 470x2, 470x10), and this file 3 outputs "
        "(1x256x4, 1x64x4, 1x16x4)."
    )


def test_scores_that_are_no_probabilities_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"scores outside 0 to 1: .* last step, the softmax"):
        load(saved(retina(LARGE, softmax=False), tmp_path))
