from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoclusternet.demo.cuts import SHOTS, Part, Shot
from videoclusternet.demo.pictures import DEMO_ASSETS, MARKS, boxes_of
from videoclusternet.demo.take import Take, View, _covers, _shrink, _through

PANEL = (320, 180)
AS_IT_IS = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)


@settings(max_examples=40, deadline=None)
@given(
    scale=st.floats(0.25, 1.6),
    zoom=st.floats(-0.12, 0.12),
    degrees=st.floats(-20, 20),
    mirrored=st.booleans(),
    pan=st.floats(-10, 10),
)
def test_boxes_go_where_the_pixels_go(
    scale: float, zoom: float, degrees: float, mirrored: bool, pan: float
) -> None:
    face = np.array([300.0, 200.0, 380.0, 310.0])
    picture = np.zeros((500, 700, 3), np.uint8)
    centre, axes = (face[:2] + face[2:]) / 2, (face[2:] - face[:2]) / 2
    y, x = np.mgrid[:500, :700] + 0.5
    picture[((x - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 <= 1] = 255
    view = View(
        focus=centre + 5, target=np.array([160.0, 90.0]), scale=scale, zoom=zoom,
        pan=np.array([pan, -pan / 2]), angle=np.radians(degrees), mirrored=mirrored,
    )  # fmt: skip
    maps = view.maps(3)
    boxes = _through(maps, np.tile(face, (3, 1)))
    images, shrunk = _shrink([picture], maps)
    take = Take(Part("drawn", panel=(0, 0, *PANEL)), images, shrunk, AS_IT_IS, {})
    for frame in range(3):
        rows, columns = np.nonzero(take.pixels(frame)[:, :, 0] > 127)
        seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        expected = np.clip(boxes[frame], 0, [*PANEL, *PANEL])
        assert np.abs(seen - expected).max() < 2.5


def test_a_panel_is_covered_to_its_corners() -> None:
    still = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    assert _covers(still, (320, 180), (320, 180))
    assert not _covers(still, (320, 180), (319, 180))
    shifted = still + np.array([[0, 0, 1], [0, 0, 0]])
    assert not _covers(shifted, (320, 180), (320, 180))
    assert not _covers(np.concatenate([still, shifted]), (320, 180), (320, 180))


def test_marks_move_evenly_between_frames() -> None:
    marks = MARKS["demo_door"]["door man"]
    box = boxes_of("demo_door", np.array([0, 6, 12, 99]))["door man"]
    assert box[0].tolist() == list(marks[0])
    assert box[1].tolist() == ((np.array(marks[0]) + marks[12]) / 2).tolist()
    assert box[3].tolist() == list(marks[70])
    assert boxes_of("demo_sky", np.arange(5)) == {}


def test_the_tables_fit_each_other() -> None:
    assert set(MARKS) < set(DEMO_ASSETS)
    parts = [part for shot in SHOTS for part in shot.parts]
    assert {part.picture for part in parts} == set(DEMO_ASSETS)
    for part in parts:
        assert set(part.people) <= set(MARKS.get(part.picture, {}))
    for shot in SHOTS:
        people = [name for part in shot.parts for name in part.people]
        assert len(people) == len(set(people))  # nobody stands beside himself


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.parts[0].picture)
def test_clips_are_marked_where_they_are_shown(shot: Shot) -> None:
    """A mark lies near the first and the last frame of every clip that is shown."""
    for part in shot.parts:
        for name in part.people:
            frames = np.array(list(MARKS[part.picture][name]))
            if len(frames) > 1:
                last = part.start + shot.frames - 1
                assert np.abs(frames - part.start).min() <= 12
                assert np.abs(frames - last).min() <= 12
