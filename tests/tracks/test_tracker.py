from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthetic import texture
from tests.tracks.drawn import (
    FRONTAL,
    PROFILE,
    SCENES,
    clip,
    faces_of,
    merge_and_part,
    pan,
    people_of,
    walk,
)
from videoclusternet.config import TracksConfig
from videoclusternet.records import Faces, Shots
from videoclusternet.tracks.camera import camera_motion
from videoclusternet.tracks.tracker import track_faces

CONFIG = TracksConfig()


def test_nobody():
    tracks = track_faces(Faces.empty(), clip(), CONFIG)
    assert len(tracks) == tracks.count == 0
    assert len(track_faces(faces_of([]), clip([10]), CONFIG)) == 0
    weak = faces_of(walk(0, 200, 0), score=dict.fromkeys(range(30), 0.1))
    assert len(track_faces(weak, clip([1, 2]), CONFIG)) == 0
    no_film = Shots(np.empty(0, int), np.empty(0, int), np.zeros(1))
    assert len(track_faces(Faces.empty(), no_film, CONFIG)) == 0


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_no_track_of_a_drawn_scene_holds_two_people(scene):
    tracks = track_faces(scene.faces, scene.shots, CONFIG)
    assert all(len(people) == 1 for people in people_of(tracks))
    assert tracks.count == scene.tracks
    np.testing.assert_array_equal(*scene.shots.of(tracks.spans.T))


def test_one_face_keeps_all_that_was_measured():
    faces = faces_of(walk(7, 100, 4))
    tracks = track_faces(faces, clip(), CONFIG)
    assert tracks.count == 1
    assert not np.any(tracks.filled)
    for name, values in faces.columns().items():
        if name not in ("looked", "motion", "setup_left", "setup_right", "setup_map"):
            np.testing.assert_array_equal(getattr(tracks, name), values, err_msg=name)


@pytest.mark.parametrize("hidden", [range(0), range(14, 17), range(13, 18)])
@pytest.mark.parametrize("shape", [FRONTAL, PROFILE])
@pytest.mark.parametrize("speed", [6, 12, 20])
def test_crossing_faces_never_swap(hidden, shape, speed):
    front = walk(0, 200, speed)
    back = walk(1, 200, -speed, [t for t in range(30) if t not in hidden], y=215, size=56)
    tracks = track_faces(faces_of(front + back, shapes={1: shape}), clip(), CONFIG)
    assert all(len(people) == 1 for people in people_of(tracks))
    assert tracks.count <= 5


def test_a_face_that_passes_behind_another_does_not_unsettle_it():
    front = walk(0, 200, 0)
    back = walk(1, 200, 12, [t for t in range(30) if not 12 <= t <= 18])
    tracks = track_faces(faces_of(front + back), clip(), CONFIG)
    assert people_of(tracks) == [{1}, {0}]


@pytest.mark.parametrize("to_the_left", [0, 1])
def test_faces_that_merge_and_part_are_cut_rather_than_guessed(to_the_left):
    tracks = track_faces(faces_of(merge_and_part(to_the_left)), clip(), CONFIG)
    assert all(len(people) == 1 for people in people_of(tracks))


def between(person, x):
    """Two faces at rest, of which one look finds only one, at `x` between both."""
    rest = [t for t in range(20) if t != 10]
    return [*walk(0, 200, 0, rest), *walk(1, 236, 0, rest), (10, x, 200, 60, person)]


@pytest.mark.parametrize(("person", "x"), [(1, 217), (0, 219)])
def test_a_face_that_could_be_either_of_two_is_neither(person, x):
    tracks = track_faces(faces_of(between(person, x), range(20)), clip(), CONFIG)
    assert people_of(tracks) == [{0}, {1}, {0}, {1}]
    assert 10 not in tracks.frame


def test_where_its_landmarks_lie_tells_whose_face_it_is():
    shapes = {1: PROFILE}
    tracks = track_faces(faces_of(between(1, 217), range(20), shapes=shapes), clip(), CONFIG)
    assert people_of(tracks) == [{0}, {1}]
    assert tracks.frame[tracks.filled & (tracks.track == 0)].tolist() == [10]
    assert not np.any(tracks.filled[tracks.track == 1])


def test_a_fast_pan_is_followed_by_the_motion_of_the_camera():
    drawn, motion = pan(50.0)
    followed = track_faces(faces_of(drawn, motion=motion), clip(), CONFIG)
    assert followed.spans.tolist() == [[0, 29]]
    without = track_faces(faces_of(drawn), clip(), CONFIG)
    assert without.spans.tolist() == [[0, 9]]


def test_a_fast_pan_is_followed_by_what_is_seen_of_the_camera():
    stage = texture(3, (1200, 180))[:, :, 1]
    drawn, motion = [], [np.eye(2, 3)]
    across = [40 * max(0, t - 9) for t in range(30)]
    views = [np.ascontiguousarray(stage[:, x % 880 : x % 880 + 320]) for x in across]
    for t, x in enumerate(across[:16]):
        drawn.append((t, 290.0 - x, 90, 36, 0))
        face = np.array([[272.0 - x, 72, 308 - x, 108]])
        motion.append(camera_motion(views[t], views[t + 1], face))
    looks = range(16)
    seen = faces_of(drawn, looks, motion=np.array(motion[:-1], np.float32))
    assert track_faces(seen, clip(), CONFIG).spans.tolist() == [[0, 15]]
    blind = faces_of(drawn, looks)
    assert track_faces(blind, clip(), CONFIG).spans.tolist() != [[0, 15]]


@pytest.mark.parametrize("speed", [8, 25])
def test_an_occlusion_is_bridged_and_filled(speed):
    drawn = walk(0, 400, speed, [t for t in range(30) if t not in (14, 15, 16)])
    tracks = track_faces(faces_of(drawn), clip(), CONFIG)
    whole = track_faces(faces_of(walk(0, 400, speed)), clip(), CONFIG)
    assert tracks.count == 1
    assert tracks.frame[tracks.filled].tolist() == [14, 15, 16]
    np.testing.assert_allclose(tracks.box, whole.box, atol=1e-3)
    np.testing.assert_allclose(tracks.landmarks, whole.landmarks, atol=1e-3)
    for name in ("score", "sharpness", "frontal", "exposure", "usable"):
        assert not np.any(getattr(tracks, name)[tracks.filled]), name


def test_filling_goes_by_the_clock_and_only_where_the_film_was_looked_at():
    times = np.array([0, 0.1, 0.2, 0.3, 0.9, 1.0])
    shots = Shots(np.array([0]), np.array([5]), times)
    drawn = [(0, 100, 100, 60, 0), (4, 118, 100, 60, 0)]
    tracks = track_faces(faces_of(drawn, [0, 2, 4]), shots, TracksConfig(gap=1.0))
    assert tracks.frame.tolist() == [0, 2, 4]
    assert tracks.box[:, 0].tolist() == pytest.approx([70, 74, 88])


def test_a_track_unseen_for_longer_than_the_gap_ends():
    drawn = walk(0, 200, 0, [*range(10), *range(18, 30)])
    shots = clip()  # unseen from 0.9 s to 1.8 s
    assert track_faces(faces_of(drawn), shots, TracksConfig(gap=0.9)).count == 1
    assert track_faces(faces_of(drawn), shots, TracksConfig(gap=0.8)).count == 2


def test_two_people_who_swap_places_at_a_cut_are_four_tracks():
    before = walk(0, 100, 0, range(15)) + walk(1, 300, 0, range(15))
    after = walk(1, 100, 0, range(15, 30)) + walk(0, 300, 0, range(15, 30))
    tracks = track_faces(faces_of(before + after), clip([15]), CONFIG)
    assert people_of(tracks) == [{0}, {1}, {1}, {0}]
    assert tracks.spans.tolist() == [[0, 14], [0, 14], [15, 29], [15, 29]]


def test_a_weak_stretch_is_held_by_the_second_pass():
    weak = dict.fromkeys(range(12, 20), 0.3)
    drawn = walk(0, 200, 8)
    tracks = track_faces(faces_of(drawn, score=weak), clip(), TracksConfig(gap=0.2))
    assert (tracks.count, len(tracks)) == (1, 30)
    assert not np.any(tracks.filled)


def test_weak_detections_start_nothing():
    drawn = walk(0, 200, 8)
    assert (
        track_faces(faces_of(drawn, score=dict.fromkeys(range(30), 0.4)), clip(), CONFIG).count == 0
    )


def test_duplicates_and_nested_boxes_start_no_second_track():
    face = walk(0, 200, 4)
    again = [(t, x + 6, y + 4, 64, 1) for t, x, y, _, _ in face]
    inside = [(t, x + 8, y + 8, 24, 2) for t, x, y, _, _ in face]
    faces = faces_of(face + again + inside)
    faces.score[faces.sharpness > 0] = 0.7
    tracks = track_faces(faces, clip(), CONFIG)
    assert people_of(tracks) == [{0}]


def test_a_face_seen_too_few_times_is_noise_but_not_in_a_shot_of_one_look():
    drawn = [(3, 100, 100, 60, 0), (21, 100, 100, 60, 1), (27, 400, 100, 60, 2)]
    looked = [*range(0, 20, 3), 21, *range(24, 30, 3)]
    tracks = track_faces(faces_of(drawn, looked), clip([20, 24]), TracksConfig(shortest=2))
    assert people_of(tracks) == [{1}]
    tracks = track_faces(faces_of(drawn, looked), clip([20, 24]), TracksConfig(shortest=1))
    assert people_of(tracks) == [{0}, {1}, {2}]


def test_a_shot_without_looks_or_faces_is_passed_over():
    drawn = [(0, 100, 100, 60, 0), (3, 100, 100, 60, 0), (9, 100, 100, 60, 1), (12, 99, 100, 60, 1)]
    tracks = track_faces(faces_of(drawn, range(0, 30, 3)), clip([4, 5, 7, 8]), CONFIG)
    assert people_of(tracks) == [{0}, {1}]


def test_tracks_are_numbered_by_first_frame_then_from_left_to_right():
    drawn = walk(0, 500, 0, range(5, 30)) + walk(1, 300, 0) + walk(2, 100, 0)
    tracks = track_faces(faces_of(drawn, score={0: 0.6}), clip(), CONFIG)
    assert people_of(tracks) == [{2}, {1}, {0}]


def test_a_face_in_a_frame_that_was_not_looked_at_is_refused():
    with pytest.raises(ValueError, match="not looked at"):
        track_faces(faces_of([(4, 100, 100, 60, 0)], [0, 3, 6]), clip(), CONFIG)


@st.composite
def scenes(draw):
    """Anything a detector may say, in a film of one to four shots."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, 60))
    cuts = sorted(draw(st.sets(st.integers(1, 29), max_size=3)))
    corner = rng.uniform(0, draw(st.sampled_from([60, 150, 400])), (n, 2))
    faces = replace(
        Faces.empty(),
        frame=np.sort(rng.choice(np.arange(0, 30, 2), n)),
        box=np.concatenate([corner, corner + rng.uniform(20, 80, (n, 2))], axis=1).astype("f4"),
        landmarks=(corner[:, None] + rng.uniform(0, 20, (n, 5, 2))).astype("f4"),
        score=rng.choice(np.array([0.3, 0.6, 0.9], "f4"), n),
        sharpness=np.arange(n, dtype="f4"),
        frontal=np.ones(n, "f4"),
        exposure=np.ones(n, "f4"),
        usable=rng.random(n) < 0.7,
        looked=np.arange(0, 30, 2),
        motion=np.eye(2, 3, dtype="f4") + rng.normal(0, 0.01, (15, 2, 3)).astype("f4"),
    )
    return faces, clip(cuts), rng.permutation(n)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_what_holds_for_any_scene(scene):
    faces, shots, _ = scene
    tracks = track_faces(faces, shots, TracksConfig(gap=1.0))
    seen = ~tracks.filled
    rows = tracks.sharpness[seen].astype(int)
    assert len(set(rows)) == len(rows), "a detection was used twice"
    for name in ("frame", "box", "landmarks", "score", "usable"):
        np.testing.assert_array_equal(getattr(tracks, name)[seen], getattr(faces, name)[rows])
    spans = tracks.spans
    np.testing.assert_array_equal(shots.of(spans[:, 0]), shots.of(spans[:, 1]))
    for track in range(tracks.count):
        mine = tracks.track == track
        looked = faces.looked[(faces.looked >= spans[track, 0]) & (faces.looked <= spans[track, 1])]
        np.testing.assert_array_equal(tracks.frame[mine], looked)
        assert seen[mine][0]
        assert seen[mine][-1]
    first = [(tracks.frame[s], tracks.box[s, 0]) for s in tracks.starts[:-1]]
    assert first == sorted(first)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_the_order_of_the_faces_in_a_frame_makes_no_difference(scene):
    faces, shots, order = scene
    shuffled = faces.select(order[np.argsort(faces.frame[order], kind="stable")])
    expected = track_faces(faces, shots, CONFIG).columns()
    for name, values in track_faces(shuffled, shots, CONFIG).columns().items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)
