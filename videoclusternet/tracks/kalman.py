"""A Kalman filter for many boxes at once: where each face will be at the next look.

The state of a box is its centre, width and height and how fast each of them changes, in pixels and
pixels per look. The filter and the size of its noise, relative to the box, are those of BoT-SORT
(Aharon et al., arXiv 2206.14651).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.records import Array

PLACE_NOISE = 1 / 20
"""Standard deviation of a measured or predicted coordinate, in box sizes (BoT-SORT)."""

SPEED_NOISE = 1 / 30
"""And of a speed, in box sizes per look. Ours: BoT-SORT's 1/160 is for a look at each frame; over
three frames a speed, counted per look, is three times as large and drifts sqrt(3) times as far."""


@dataclass(frozen=True)
class State:
    """What is believed of n boxes: mean (n, 8) and covariance (n, 8, 8)."""

    mean: Array
    covariance: Array

    @property
    def boxes(self) -> Array:
        """The boxes as x1, y1, x2, y2: shape (n, 4)."""
        centre, half = self.mean[:, :2], self.mean[:, 2:4] / 2
        return np.concatenate([centre - half, centre + half], axis=1)

    def select(self, rows: Array) -> State:
        """Return only these boxes (a mask or indices)."""
        return State(self.mean[rows], self.covariance[rows])

    def join(self, other: State) -> State:
        """Return these boxes, then those."""
        return State(
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.covariance, other.covariance]),
        )


def start(boxes: Array) -> State:
    """Believe in boxes (n, 4) that were seen once: at rest, and unsure about it."""
    measured = _measure(boxes)
    mean = np.concatenate([measured, np.zeros_like(measured)], axis=1)
    size = _sizes(mean)
    deviation = np.concatenate([2 * PLACE_NOISE * size, 10 * SPEED_NOISE * size], axis=1)
    return State(mean, _diagonal(deviation**2))


def predict(state: State) -> State:
    """Move each box on by one look at its own speed."""
    step = np.eye(8) + np.eye(8, k=4)
    size = _sizes(state.mean)
    deviation = np.concatenate([PLACE_NOISE * size, SPEED_NOISE * size], axis=1)
    return State(state.mean @ step.T, step @ state.covariance @ step.T + _diagonal(deviation**2))


def compensate(state: State, motion: Array) -> State:
    """Carry each box along with the camera.

    `motion` (2, 3) maps pixels of the look before into this look. Centres and their speeds turn
    with the picture; widths and heights, which stay upright, only take its scale.
    """
    scale = np.sqrt(abs(np.linalg.det(motion[:, :2])))
    turn = np.zeros((8, 8))
    turn[0:2, 0:2] = turn[4:6, 4:6] = motion[:, :2]
    turn[2:4, 2:4] = turn[6:8, 6:8] = scale * np.eye(2)
    mean = state.mean @ turn.T
    mean[:, :2] += motion[:, 2]
    return State(mean, turn @ state.covariance @ turn.T)


def update(state: State, boxes: Array) -> State:
    """Correct each prediction by the box (n, 4) that was seen for it."""
    noise = _diagonal((PLACE_NOISE * _sizes(state.mean)) ** 2)
    innovation = state.covariance[:, :4, :4] + noise
    gain = np.linalg.solve(innovation, state.covariance[:, :4, :]).transpose(0, 2, 1)
    surprise = _measure(boxes) - state.mean[:, :4]
    return State(
        state.mean + (gain @ surprise[:, :, None])[:, :, 0],
        state.covariance - gain @ innovation @ gain.transpose(0, 2, 1),
    )


def _measure(boxes: Array) -> Array:
    boxes = boxes.astype(np.float64)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def _sizes(mean: Array) -> Array:
    """Width, height, width, height of each box; a pixel at least, so that there is some noise."""
    return np.tile(np.maximum(mean[:, 2:4], 1.0), 2)


def _diagonal(values: Array) -> Array:
    return values[:, :, None] * np.eye(values.shape[1])
