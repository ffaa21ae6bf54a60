from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from tests.faces.networks import YUNET, paint, same_faces, saved, scrfd, strongest_slowly, yunet
from videoclusternet.errors import WeightsError
from videoclusternet.faces.yunet import load


def found_slowly(picture, score):
    """Read an answer as OpenCV does, number by number."""
    high, wide = (-(-side // 32) * 32 for side in picture.shape[:2])
    fed = np.zeros((3, high, wide))
    for plane, colour in enumerate((2, 1, 0)):
        fed[plane, : picture.shape[0], : picture.shape[1]] = picture[:, :, colour]
    found = []
    for stride in (8, 16, 32):
        for row in range(high // stride):
            for column in range(wide // stride):
                cell = (fed, stride, row, column)
                face, thing = (min(1, YUNET[kind].of(*cell, 0)) for kind in ("cls", "obj"))
                sure = (face * thing) ** 0.5
                if sure < score:
                    continue
                right, down, wider, higher = (YUNET["bbox"].of(*cell, i) for i in range(4))
                x, y = (column + right) * stride, (row + down) * stride
                w, h = stride * np.exp(wider), stride * np.exp(higher)
                marks = [
                    (
                        stride * (column + YUNET["kps"].of(*cell, 2 * i)),
                        stride * (row + YUNET["kps"].of(*cell, 2 * i + 1)),
                    )
                    for i in range(5)
                ]
                box = np.clip(
                    [x - w / 2, y - h / 2, x + w / 2, y + h / 2], 0, [*picture.shape[1::-1]] * 2
                )
                found.append((sure, box, marks))
    return strongest_slowly(found, 0.3)


@pytest.mark.parametrize("seed", range(4))
def test_answers_are_read_as_a_plain_loop_would(tmp_path, seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(40, 130, 2)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    (found,) = load(saved(yunet(), tmp_path))([picture], 0.7)
    same_faces(found, found_slowly(picture, 0.7))


def test_a_planted_face_is_where_it_was_planted(tmp_path):
    picture = np.zeros((90, 150, 3), np.uint8)
    # In row 5, column 11 of the map with stride 8, whose corner is x = 88, y = 40. Its box reads 32
    # as 0, 96 as 0.5 and 160 as 1; its landmarks 80 as 0.25, 96 as 0.5 and 112 as 0.75.
    paint(picture, 8, 5, 11, 0, [255, 255], bgr=True)
    paint(picture, 8, 5, 11, 2, [96, 96, 32, 160], bgr=True)
    paint(picture, 8, 5, 11, 6, [80, 80, 112, 80, 96, 96, 80, 112, 112, 112], bgr=True)
    (found,) = load(saved(yunet(), tmp_path))([picture], 0.9)
    assert found.scores.tolist() == [1.0]
    box = [92 - 4, 44 - 4 * np.e, 92 + 4, 44 + 4 * np.e]
    np.testing.assert_allclose(found.boxes, [box], atol=1e-4)
    marks = [[90, 42], [94, 42], [92, 44], [90, 46], [94, 46]]
    np.testing.assert_allclose(found.landmarks, [marks], atol=1e-4)


def test_opencv_finds_the_same(tmp_path, monkeypatch):
    picture = np.random.default_rng(3).integers(0, 256, (96, 160, 3), np.uint8)
    names = [f"{kind}_{stride}" for kind in YUNET for stride in (8, 16, 32)]
    model = yunet((96, 160), names)
    for value in (model.graph.input[0], *(node for node in model.graph.node)):
        swap_name(value, "picture", "input")  # OpenCV looks for it by its name
    path = saved(model, tmp_path)
    theirs = cv2.FaceDetectorYN.create(str(path), "", (160, 96), 0.75, 0.3, 5000)
    _, faces = theirs.detect(np.ascontiguousarray(picture[:, :, ::-1]))
    (ours,) = load(path)([picture], 0.75)
    # It suppresses by boxes of whole pixels that it does not clip: what few it keeps more differ.
    matched = [np.abs(faces[:, 4:14] - marks.ravel()).max(1).argmin() for marks in ours.landmarks]
    near = np.abs(faces[matched, 4:14] - ours.landmarks.reshape(-1, 10)).max(axis=1) < 1e-3
    assert near.mean() > 0.9
    corners = np.concatenate([faces[:, :2], faces[:, :2] + faces[:, 2:4]], 1)[matched][near]
    np.testing.assert_allclose(corners.clip(0, [160, 96, 160, 96]), ours.boxes[near], atol=1e-3)
    np.testing.assert_allclose(faces[matched, 14][near], ours.scores[near], atol=1e-5)


def swap_name(part, before, after):
    if hasattr(part, "input"):
        part.input[:] = [after if name == before else name for name in part.input]
    else:
        part.name = after


@pytest.mark.parametrize("size", [(640, 640), (320, 320)])
@pytest.mark.parametrize(
    "order", [None, tuple(range(11, -1, -1)), (3, 4, 5, 0, 1, 2, *range(6, 12))]
)
def test_exports_of_any_order_and_size_are_one_network(tmp_path, order, size):
    picture = np.random.default_rng(7).integers(0, 256, (75, 101, 3), np.uint8)
    (truth,) = load(saved(yunet(), tmp_path))([picture], 0.6)
    (found,) = load(saved(yunet(size, order=order), tmp_path))([picture], 0.6)
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_face_of_endless_size_is_none(tmp_path, monkeypatch):
    boundless = dataclasses.replace(YUNET["bbox"], gain=10.0)
    monkeypatch.setitem(YUNET, "bbox", boundless)
    path = saved(yunet(), tmp_path)
    (found,) = load(path)([np.full((64, 64, 3), 255, np.uint8)], 0.5)
    assert len(found.scores) == 0


def test_another_network_is_refused(tmp_path):
    path = saved(scrfd(), tmp_path)
    with pytest.raises(WeightsError) as refused:
        load(path)
    assert str(refused.value) == (
        f"{path} is not YuNet of 2023 or later: for a picture of 128 x 64 pixels that has 12 "
        "outputs (128x1, 32x1, 8x1, 128x1, 32x1, 8x1, 128x4, 32x4, 8x4, 128x10, 32x10, 8x10), and "
        "this file 9 outputs (1x256x1, 1x64x1, 1x16x1, 1x256x4, 1x64x4, 1x16x4, 1x256x10, 1x64x10, "
        "1x16x10)."
    )
