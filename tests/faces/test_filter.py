from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.config import FilterConfig
from videoclusternet.faces.filter import filter_faces
from videoclusternet.records import Faces


def drawn_faces(seed, count=60, frames=12):
    """Faces around every limit; sides and measures repeat, so that there are ties."""
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 300, (count, 2))
    side = rng.integers(1, 12, (count, 2)) * 6
    frame = np.sort(rng.integers(0, frames, count)) * 3
    return replace(
        Faces.empty(),
        frame=frame,
        box=np.hstack([corner, corner + side]).astype(np.float32),
        landmarks=rng.random((count, 5, 2), np.float32),
        score=(rng.integers(0, 11, count) / 10).astype(np.float32),
        sharpness=rng.integers(0, 8, count).astype(np.float32) * 10,
        frontal=(rng.integers(0, 6, count) / 20).astype(np.float32),
        exposure=(rng.integers(5, 11, count) / 10).astype(np.float32),
        usable=rng.random(count) < 0.9,
        looked=np.unique(frame),
        motion=rng.random((len(np.unique(frame)), 2, 3), np.float32),
    )


def usable_slowly(faces, config):
    usable = []
    for i in range(len(faces)):
        x1, y1, x2, y2 = faces.box[i].tolist()
        larger = 0
        for j in range(len(faces)):
            u1, v1, u2, v2 = faces.box[j].tolist()
            difference = (u2 - u1) * (v2 - v1) - (x2 - x1) * (y2 - y1)
            ahead = difference > 0 or (difference == 0 and j < i)
            larger += bool(faces.frame[j] == faces.frame[i] and ahead)
        usable.append(
            bool(faces.usable[i])
            and ((x2 - x1) * (y2 - y1)) ** 0.5 >= config.side
            and larger < config.most
            and faces.score[i] >= np.float32(config.score)
            and faces.sharpness[i] >= config.sharpness
            and faces.frontal[i] >= np.float32(0.05)
            and faces.exposure[i] >= np.float32(0.7)
        )
    return usable


@given(st.integers(0, 10**6), st.integers(0, 60), st.integers(1, 6))
def test_the_same_as_a_plain_loop(seed, count, most):
    faces = drawn_faces(seed, count)
    config = FilterConfig(side=18, most=most, score=0.3, sharpness=20)
    assert filter_faces(faces, config).usable.tolist() == usable_slowly(faces, config)


def test_nothing_but_the_decision_changes():
    faces = drawn_faces(1)
    kept = filter_faces(faces, FilterConfig())
    for name, values in faces.columns().items():
        if name != "usable":
            np.testing.assert_array_equal(getattr(kept, name), values)
    assert 0 < kept.usable.sum() < len(kept)
    again = filter_faces(kept, FilterConfig())
    np.testing.assert_array_equal(again.usable, kept.usable)


@pytest.mark.parametrize(
    "change", [{"side": 50.0}, {"most": 1}, {"score": 0.8}, {"sharpness": 50.0}]
)
def test_every_limit_rejects_something_and_a_tighter_one_more(change):
    loose = FilterConfig(side=0, most=100, score=0, sharpness=0)
    faces = replace(drawn_faces(2), usable=np.ones(60, bool))
    before, after = (
        filter_faces(faces, c).usable for c in (loose, loose.model_copy(update=change))
    )
    assert np.all(after <= before)
    assert after.sum() < before.sum()


def test_limits_themselves_are_within():
    box = np.float32([[0, 0, 24, 24], [0, 0, 23.99, 24]])
    two = replace(
        Faces.empty(),
        frame=np.array([0, 3]),
        box=box,
        landmarks=np.zeros((2, 5, 2), np.float32),
        score=np.float32([0.5, 0.5]),
        sharpness=np.float32([20, 20]),
        frontal=np.float32([0.05, 0.05]),
        exposure=np.float32([0.7, 0.7]),
        usable=np.ones(2, bool),
        looked=np.array([0, 3]),
        motion=np.zeros((2, 2, 3), np.float32),
    )
    config = FilterConfig(side=24, score=0.5, sharpness=20)
    assert filter_faces(two, config).usable.tolist() == [True, False]


def test_no_faces_are_valid():
    assert len(filter_faces(Faces.empty(), FilterConfig())) == 0
