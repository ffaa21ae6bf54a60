from __future__ import annotations

import numpy as np
import pytest

from videoclusternet.tracks import kalman


def oracle(boxes, motion):
    """One box, one matrix after the other, as in a textbook; yields the predicted means."""
    transition = np.eye(8)
    for i in range(4):
        transition[i, i + 4] = 1
    observe = np.eye(4, 8)
    mean = covariance = None
    for box in boxes:
        w, h = box[2] - box[0], box[3] - box[1]
        seen = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, w, h])
        if mean is None:
            mean = np.concatenate([seen, np.zeros(4)])
            size = np.array([w, h, w, h])
            covariance = np.diag(np.concatenate([size / 10, size / 3]) ** 2)
            continue
        size = np.array([mean[2], mean[3]] * 2)
        noise = np.diag(np.concatenate([size / 20, size / 30]) ** 2)
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + noise
        turn = np.zeros((8, 8))
        zoom = np.hypot(motion[0, 0], motion[1, 0])
        for at in (0, 4):
            turn[at : at + 2, at : at + 2] = motion[:, :2]
            turn[at + 2, at + 2] = turn[at + 3, at + 3] = zoom
        mean = turn @ mean
        mean[:2] += motion[:, 2]
        covariance = turn @ covariance @ turn.T
        yield mean
        size = np.array([mean[2], mean[3]] * 2)
        innovation = observe @ covariance @ observe.T + np.diag((size / 20) ** 2)
        gain = covariance @ observe.T @ np.linalg.inv(innovation)
        mean = mean + gain @ (seen - observe @ mean)
        covariance = (np.eye(8) - gain @ observe) @ covariance


def test_many_boxes_at_once_are_filtered_as_one_by_one():
    rng = np.random.default_rng(3)
    corner = rng.uniform(0, 300, (6, 1, 2)) + np.arange(12)[:, None] * rng.uniform(-9, 9, (6, 1, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(40, 60, (6, 12, 2))], axis=2)
    angle, zoom = 0.05, 1.02
    motion = np.array(
        [
            [zoom * np.cos(angle), -zoom * np.sin(angle), 3.0],
            [zoom * np.sin(angle), zoom * np.cos(angle), -2.0],
        ]
    )
    state = kalman.start(boxes[:, 0])
    oracles = [oracle(track, motion) for track in boxes]
    for look in range(1, boxes.shape[1]):
        state = kalman.compensate(kalman.predict(state), motion)
        np.testing.assert_allclose(state.mean, [next(one) for one in oracles], rtol=1e-9, atol=1e-9)
        state = kalman.update(state, boxes[:, look])


def test_a_steady_walk_is_foreseen():
    boxes = np.array([[10.0 * t, 50, 10.0 * t + 40, 100] for t in range(10)])
    state = kalman.start(boxes[:1])
    for box in boxes[1:-1]:
        state = kalman.update(kalman.predict(state), box[None])
    np.testing.assert_allclose(kalman.predict(state).boxes[0], boxes[-1], atol=1.5)


def test_the_camera_alone_moves_a_resting_box():
    motion = np.array([[1.1, 0, 7], [0, 1.1, -4]])
    state = kalman.compensate(kalman.start(np.array([[10.0, 20, 30, 60]])), motion)
    np.testing.assert_allclose(state.boxes, [[18, 18, 40, 62]])


def test_no_boxes_stay_no_boxes():
    none = np.empty((0, 4))
    state = kalman.update(kalman.predict(kalman.start(none)), none)
    assert state.boxes.shape == (0, 4)


@pytest.mark.parametrize("box", [[5.0, 5, 5, 5], [5.0, 5, 5.2, 9]])
def test_a_box_of_no_area_does_no_harm(box):
    boxes = np.array([box])
    state = kalman.update(kalman.predict(kalman.start(boxes)), boxes)
    assert np.all(np.isfinite(state.mean))
    assert np.all(np.isfinite(state.covariance))
