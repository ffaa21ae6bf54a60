from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces.films import PictureFilm, drawn_through, mirrored, through
from tests.hdr import HLG, PQ, write_hdr
from tests.synthetic import texture
from videoclusternet.config import CropsConfig, FilterConfig
from videoclusternet.errors import InputError
from videoclusternet.faces.crops import choose_rows, cut_crops, similarities, warp
from videoclusternet.models.registry import BACKBONES, DLIB
from videoclusternet.records import Tracks
from videoclusternet.video.stream import open_video

TEMPLATE = np.array(DLIB.template)
SMALL = dataclasses.replace(DLIB, size=30, template=tuple(map(tuple, TEMPLATE / 5)))


def tracks_of(*frames, usable=None, filled=None, landmarks=None):
    """Return tracks that are seen in these frames."""
    count = sum(map(len, frames))
    one = np.tile(np.float32(TEMPLATE / 5), (count, 1, 1))
    return Tracks(
        track=np.repeat(np.arange(len(frames)), [len(f) for f in frames]),
        frame=np.array([frame for track in frames for frame in track], np.int64),
        box=np.zeros((count, 4), np.float32),
        landmarks=one if landmarks is None else np.asarray(landmarks, np.float32),
        score=np.ones(count, np.float32),
        sharpness=np.arange(count, dtype=np.float32),
        frontal=np.linspace(0, 1, count, dtype=np.float32),
        exposure=np.ones(count, np.float32),
        usable=np.ones(count, bool) if usable is None else np.array(usable, bool),
        filled=np.zeros(count, bool) if filled is None else np.array(filled, bool),
    )


def drawn_tracks(seed):
    rng = np.random.default_rng(seed)
    frames = [
        np.cumsum(rng.integers(1, 5, rng.integers(1, 40))) + rng.integers(0, 50)
        for _ in range(rng.integers(0, 6))
    ]
    count = sum(map(len, frames))
    return tracks_of(*frames, usable=rng.random(count) < 0.6, filled=rng.random(count) < 0.2)


def nearest_slowly(tracks, every):
    """Return the rows of each track that the rule asks for, before there are too many."""
    chosen = []
    for track in range(tracks.count):
        rows = [i for i in range(len(tracks)) if tracks.track[i] == track]
        good = [i for i in rows if tracks.usable[i] and not tracks.filled[i]]
        wanted, time = set(), tracks.frame[rows[0]]
        while good and time <= tracks.frame[rows[-1]]:
            wanted.add(min(good, key=lambda i: (abs(tracks.frame[i] - time), i)))
            time += every
        chosen.append(sorted(wanted))
    return chosen


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_rows_are_those_of_a_plain_loop(seed, every):
    tracks = drawn_tracks(seed)
    rows = choose_rows(tracks, CropsConfig(every=every, most=1000), FilterConfig())
    assert rows.tolist() == [row for track in nearest_slowly(tracks, every) for row in track]


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_what_is_too_much_is_thinned_evenly(seed, most):
    tracks = drawn_tracks(seed)
    rows = choose_rows(tracks, CropsConfig(every=2, most=most), FilterConfig())
    for track, wanted in enumerate(nearest_slowly(tracks, 2)):
        kept = [wanted.index(row) for row in rows[tracks.track[rows] == track]]
        assert len(kept) == min(most, len(wanted))
        assert kept == sorted(set(kept))
        if kept:
            gaps = np.diff([-0.5, *kept, len(wanted) - 0.5])
            assert gaps[1:-1].max(initial=1) - gaps[1:-1].min(initial=10**6) <= 1 or len(kept) < 3
            assert abs(gaps[0] - gaps[-1]) <= 1


def test_faint_faces_are_taken_where_a_track_has_nothing_better():
    tracks = tracks_of(range(3), range(3), range(3), usable=[0] * 3 + [0, 1, 0] + [0] * 3)
    large = np.array([0, 0, 20.0, 20.0])
    tracks = dataclasses.replace(
        tracks,
        box=np.array([large] * 6 + [large / 2] * 3, np.float32),  # the last ones are too small
        frontal=np.ones(9, np.float32),
        sharpness=np.array([40, 0, 40] * 3, np.float32),  # and the middle ones blurred
    )
    rows = choose_rows(tracks, CropsConfig(every=1), FilterConfig(side=24))
    assert rows.tolist() == [0, 2, 4]


def test_one_crop_in_twelve_frames():
    rows = choose_rows(tracks_of(range(30, 70)), CropsConfig(every=12, most=48), FilterConfig())
    assert (30 + rows).tolist() == [30, 42, 54, 66]


def test_every_track_with_a_usable_row_has_a_crop():
    frames = list(range(0, 100, 3))
    usable = [frame == 51 for frame in frames]
    tracks = tracks_of(frames, frames, usable=usable + [False] * len(frames))
    crops = cut_crops(
        PictureFilm([texture(1, (64, 48))] * 100), tracks, SMALL, CropsConfig(), FilterConfig()
    )
    assert crops.frame.tolist() == [51]
    assert crops.counts.tolist() == [1, 0]


@given(st.integers(0, 10**6))
def test_similarities_are_the_least_squares(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 30, (4, 5, 2)) + rng.normal(0, 200, (4, 1, 2))
    for motion, face in zip(similarities(points, TEMPLATE), points, strict=True):
        rows = []
        for x, y in face:
            rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        (a, b, c, d), *_ = np.linalg.lstsq(np.array(rows), TEMPLATE.ravel(), rcond=None)
        np.testing.assert_allclose(motion, [[a, -b, c], [b, a, d]], atol=1e-8)


def test_a_similarity_undoes_what_was_done_to_the_template():
    angle, zoom = np.radians(130), 3.7
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    done = TEMPLATE @ turn.T + [400, -30]
    (motion,) = similarities(done[None], TEMPLATE)
    np.testing.assert_allclose(through(motion, done), TEMPLATE, atol=1e-9)
    assert np.linalg.det(motion[:, :2]) == pytest.approx(1 / zoom**2)


def test_points_that_coincide_and_no_points_at_all():
    (motion,) = similarities(np.full((1, 5, 2), 7.0), TEMPLATE)
    np.testing.assert_allclose(motion, np.column_stack([np.zeros((2, 2)), TEMPLATE.mean(axis=0)]))
    assert similarities(np.empty((0, 5, 2)), TEMPLATE).shape == (0, 2, 3)


def test_a_warp_that_moves_nothing_changes_nothing():
    picture = texture(5, (40, 40))
    np.testing.assert_array_equal(warp(picture, np.eye(2, 3), 40), picture)


@pytest.mark.parametrize("times", [2, 3, 8])
def test_a_large_face_is_averaged_not_sampled(times):
    picture = np.random.default_rng(times).integers(0, 256, (40 * times, 40 * times, 3), np.uint8)
    shrunk = warp(picture, np.eye(2, 3) / times, 40)
    blocks = picture.reshape(40, times, 40, times, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(shrunk, blocks, atol=0.51)


def test_beyond_the_picture_is_black():
    picture = np.full((20, 20, 3), 200, np.uint8)
    moved = warp(picture, np.array([[1.0, 0, 10], [0, 1, 0]]), 20)
    assert not moved[:, :10].any()
    assert np.all(moved[:, 10:] == 200)


@pytest.fixture(scope="module")
def posed(centerface, cards):
    (found,) = centerface([cards], 0.5)
    return found.landmarks.astype(np.float64)


def crops_of(picture, landmarks):
    return [warp(picture, m, DLIB.size) for m in similarities(landmarks, TEMPLATE)]


def difference(one, other):
    """Return the mean difference between crops in grey levels."""
    pairs = zip(one, other, strict=True)
    return max(np.abs(a.astype(float) - b).mean() for a, b in pairs)


def test_a_crop_shows_the_face_and_not_its_neighbours(posed, cards):
    one, *others = crops_of(cards, posed)
    assert all(difference([one], [other]) > 20 for other in others)


@pytest.mark.parametrize("degrees", [-20, 90, 180])
@pytest.mark.parametrize("zoom", [0.8, 1.0, 2.5])
def test_crops_do_not_depend_on_how_the_picture_lies(posed, cards, degrees, zoom):
    angle = np.radians(degrees)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    size = (round(1800 * zoom), round(1800 * zoom))
    motion = np.column_stack([turn, np.array(size) / 2 - turn @ [640, 443]])
    turned = drawn_through(cards, motion, size)
    there = crops_of(turned, through(motion, posed))
    assert difference(there, crops_of(cards, posed)) < 3


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_face_in_hdr_gives_nearly_the_same_crop(tmp_path, centerface, posed, cards, transfer):
    path = write_hdr(tmp_path / "film.mkv", cards, transfer)
    seen = next(iter(open_video(path).frames())).rgb()
    (found,) = centerface([seen], 0.5)
    assert np.abs(found.landmarks - posed).max() < 1
    assert difference(crops_of(seen, found.landmarks), crops_of(cards, posed)) < 2


def test_the_crop_of_a_mirrored_picture_is_mirrored(posed, cards):
    flat = tuple((150 - x, y) for x, y in TEMPLATE[[1, 0, 2, 4, 3]])
    even = (TEMPLATE + flat) / 2  # a template that is its own mirror image
    back = cards[:, ::-1].copy()
    there = [
        warp(back, m, 150)[:, ::-1] for m in similarities(mirrored(posed, cards.shape[1]), even)
    ]
    here = [warp(cards, m, 150) for m in similarities(posed, even)]
    assert difference(there, here) < 0.5


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.3])
def test_a_face_found_anew_gives_nearly_the_same_crop(centerface, posed, cards, factor):
    resized = cv2.resize(cards, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    (found,) = centerface([resized], 0.5)
    there = found.landmarks.astype(np.float64) / factor
    near = np.abs(posed[:, None] - there).sum((2, 3)).argmin(axis=1)
    assert sorted(near) == list(range(6))
    corners = np.array([[0, 0], [DLIB.size, 0], [0, DLIB.size], [DLIB.size, DLIB.size]])
    for one, other in zip(
        similarities(posed, TEMPLATE), similarities(there[near], TEMPLATE), strict=True
    ):
        in_picture = (corners - one[:, 2]) @ np.linalg.inv(one[:, :2]).T
        assert np.abs(through(other, in_picture) - corners).max() < DLIB.size / 10


def two_tracks():
    """Two tracks at once, whose crops come in another order than their frames."""
    landmarks = [TEMPLATE / 5 + [shift, 0] for shift in [*range(0, 12, 3), *range(20, 35, 3)]]
    return tracks_of(range(2, 14, 3), range(0, 15, 3), landmarks=landmarks)


def cut(out=None, **how):
    film = PictureFilm([texture(seed, (80, 40)) for seed in range(20)])
    return film, cut_crops(
        film, two_tracks(), SMALL, CropsConfig(every=3), FilterConfig(), out, **how
    )


def test_crops_are_sorted_and_taken_from_their_own_frame_and_place():
    told = []
    film, crops = cut(progress=lambda *now: told.append(now))
    tracks = two_tracks()
    assert crops.track.tolist() == tracks.track.tolist()
    assert crops.frame.tolist() == tracks.frame.tolist()
    assert crops.sharpness.tolist() == tracks.sharpness.tolist()
    assert crops.frontal.tolist() == tracks.frontal.tolist()
    assert crops.counts.tolist() == [4, 5]
    for image, frame, marks in zip(crops.images, tracks.frame, tracks.landmarks, strict=True):
        left = round(float(marks[0, 0] - TEMPLATE[0, 0] / 5))
        truth = film.pictures[frame][:30, left : left + 30]
        assert np.abs(image.astype(int) - truth).max() <= 1
    wanted = np.unique(tracks.frame).tolist()
    assert film.asked == [(frame, "rgb", None) for frame in wanted]
    assert film.decoded == max(wanted) + 1
    assert told == [(i + 1, len(wanted)) for i in range(len(wanted))]


def test_a_file_holds_the_same_images_read_only(tmp_path):
    _, memory = cut()
    _, mapped = cut(tmp_path / "crops.part")
    assert isinstance(mapped.images, np.memmap)
    assert not mapped.images.flags.writeable
    np.testing.assert_array_equal(mapped.images, memory.images)
    np.testing.assert_array_equal(np.load(tmp_path / "crops.part"), memory.images)


@pytest.mark.parametrize("tracks", [Tracks.empty(), tracks_of([3], [5], usable=[False, False])])
def test_no_crops_are_valid(tracks, tmp_path):
    film = PictureFilm([texture(1, (64, 48))] * 9)
    for out in (None, tmp_path / "crops.npy"):
        crops = cut_crops(film, tracks, DLIB, CropsConfig(), FilterConfig(), out)
        assert crops.images.shape == (0, 150, 150, 3)
        assert crops.counts.tolist() == [0] * tracks.count
    assert np.load(tmp_path / "crops.npy", mmap_mode="r").shape == (0, 150, 150, 3)
    assert film.decoded == 0


def test_a_film_that_has_become_shorter_is_refused():
    with pytest.raises(InputError, match="before frame 12"):
        cut_crops(
            PictureFilm([texture(1, (64, 48))] * 5), tracks_of(range(20)), SMALL,
            CropsConfig(every=12), FilterConfig(),
        )  # fmt: skip


def test_every_backbone_can_be_fed():
    landmarks = [TEMPLATE + 20]
    for spec in BACKBONES.values():
        crops = cut_crops(
            PictureFilm([texture(1, (240, 200))]), tracks_of([0], landmarks=landmarks),
            spec.feed, CropsConfig(), FilterConfig(),
        )  # fmt: skip
        assert crops.images.shape == (1, spec.feed.size, spec.feed.size, 3)
        assert crops.images.any()
