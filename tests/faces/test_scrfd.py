from __future__ import annotations

import numpy as np
import pytest

from tests.faces.networks import SCRFD, paint, same_faces, saved, scrfd, strongest_slowly, yunet
from videoclusternet.errors import WeightsError
from videoclusternet.faces.scrfd import load


def found_slowly(picture, score):
    """Read an answer as the authors describe it, number by number."""
    high, wide = (-(-side // 32) * 32 for side in picture.shape[:2])
    padded = np.zeros((high, wide, 3))
    padded[: picture.shape[0], : picture.shape[1]] = picture
    fed = ((padded - 127.5) / 128).transpose(2, 0, 1)
    found = []
    for stride in (8, 16, 32):
        for row in range(high // stride):
            for column in range(wide // stride):
                for anchor in range(2):
                    cell = (fed, stride, row, column)
                    sure = SCRFD["score"].of(*cell, anchor)
                    if sure < score:
                        continue
                    x, y = column * stride, row * stride
                    left, up, right, down = (
                        stride * SCRFD["bbox"].of(*cell, 4 * anchor + i) for i in range(4)
                    )
                    marks = [
                        (
                            x + stride * SCRFD["kps"].of(*cell, 10 * anchor + 2 * i),
                            y + stride * SCRFD["kps"].of(*cell, 10 * anchor + 2 * i + 1),
                        )
                        for i in range(5)
                    ]
                    box = np.clip(
                        [x - left, y - up, x + right, y + down], 0, [*picture.shape[1::-1]] * 2
                    )
                    found.append((sure, box, marks))
    return strongest_slowly(found, 0.4)


@pytest.mark.parametrize("seed", range(4))
def test_answers_are_read_as_a_plain_loop_would(tmp_path, seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(40, 130, 2)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    (found,) = load(saved(scrfd(), tmp_path))([picture], 0.8)
    same_faces(found, found_slowly(picture, 0.8))


def test_a_planted_face_is_where_it_was_planted(tmp_path):
    picture = np.zeros((70, 150, 3), np.uint8)
    # The second proposal of row 5, column 11 of the map with stride 8, at x = 88, y = 40.
    paint(picture, 8, 5, 11, 1, [255])
    paint(picture, 8, 5, 11, 6, [191, 159, 223, 95])  # 63.5, 31.5, 95.5 and -32.5 / 128
    paint(picture, 8, 5, 11, 20, [95, 95, 159, 95, 127, 127, 95, 159, 159, 159])
    (found,) = load(saved(scrfd(), tmp_path))([picture], 0.9)
    assert found.scores.tolist() == [127.5 / 128]
    box = [88 - 13.56875, 40 - 11.56875, 88 + 15.56875, 40 + 7.56875]
    np.testing.assert_allclose(found.boxes, [box], atol=1e-4)
    near, mid, far = -0.0625, 3.9375, 7.9375
    marks = np.array([[near, near], [far, near], [mid, mid], [near, far], [far, far]])
    np.testing.assert_allclose(found.landmarks, marks[None] + [88, 40], atol=1e-4)


ORDERS = [None, (8, 7, 6, 5, 4, 3, 2, 1, 0), (0, 3, 6, 1, 4, 7, 2, 5, 8)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("size", [("h", "w"), (640, 640), (320, 640)])
def test_exports_of_any_order_names_and_size_are_one_network(tmp_path, order, batched, size):
    picture = np.random.default_rng(7).integers(0, 256, (75, 101, 3), np.uint8)
    (truth,) = load(saved(scrfd(), tmp_path))([picture], 0.6)
    names = [str(443 + 3 * i) for i in range(9)]
    path = saved(scrfd(size, batched, names=names, order=order), tmp_path)
    (found,) = load(path)([picture], 0.6)
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_without_landmarks_is_refused(tmp_path):
    path = saved(scrfd(kinds=("score", "bbox")), tmp_path, "scrfd_10g.onnx")
    with pytest.raises(WeightsError) as refused:
        load(path)
    assert str(refused.value) == (
        f"{path} is not an SCRFD network with landmarks (their files have kps in their names): for "
        "a picture of 128 x 64 pixels that has 9 outputs (256x1, 64x1, 16x1, 256x4, 64x4, 16x4, "
        "256x10, 64x10, 16x10), and this file 6 outputs (1x256x1, 1x64x1, 1x16x1, 1x256x4, 1x64x4, "
        "1x16x4)."
    )


def test_another_network_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"is not an SCRFD network .* this file 12 outputs"):
        load(saved(yunet(), tmp_path))


def test_scores_that_are_no_probabilities_are_refused(tmp_path):
    model = scrfd()
    for node in model.graph.node:
        if node.op_type == "Relu":
            node.op_type = "Exp"
    with pytest.raises(WeightsError, match=r"scores outside 0 to 1: .* last step, the sigmoid"):
        load(saved(model, tmp_path))
