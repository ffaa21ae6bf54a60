"""Pictures come as a screen shows them: one moment each, and as bright as others."""

from __future__ import annotations

import contextlib

import av
import cv2
import numpy as np
import pytest

from tests.faces.films import photograph
from tests.hdr import HLG, PQ, as_hdr, write, write_hdr
from tests.synthetic import texture
from tests.video.test_stream import distance
from videoclusternet.video import stream as stream_module
from videoclusternet.video.stream import open_video

SIZE = 192, 128


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_looks_as_its_twin_does(tmp_path, transfer):
    picture = texture(3, SIZE)
    video = open_video(write_hdr(tmp_path / "film.mkv", picture, transfer))
    assert video.info.hdr
    usual = av.VideoFrame.from_ndarray(picture).reformat(format="yuv444p", dst_colorspace=1)
    told = {"color_trc": 1, "color_primaries": 1, "colorspace": 1, "color_range": 1}
    sdr = open_video(write(tmp_path / "twin.mkv", [usual], "ffv1", **told))
    assert not sdr.info.hdr
    (twin,) = sdr.frames()
    assert distance(twin.rgb(), picture) < 1
    frames = list(video.frames())
    assert len(frames) == 3
    for frame in frames:
        for long_side in (None, 96):
            assert distance(frame.rgb(long_side), twin.rgb(long_side)) < 2
            assert distance(frame.luma(long_side), twin.luma(long_side)) < 2


def test_what_is_brighter_than_white_is_white(tmp_path):
    grey = np.full((64, 96, 3), 255, np.uint8)
    frame = as_hdr(grey, PQ)
    luma = np.frombuffer(frame.planes[0], np.uint16)
    luma[:] = 940  # 10,000 nits
    path = write(
        tmp_path / "film.mkv", [frame], "ffv1", color_trc=PQ, color_primaries=9, colorspace=9
    )
    assert next(iter(open_video(path).frames())).rgb().min() > 250


@pytest.mark.parametrize(("space", "primaries"), [(2, 2), (9, 200), (0, 1), (10, 9)])
def test_hdr_with_any_tags_is_seen(tmp_path, space, primaries):
    tags = {"colorspace": space, "color_primaries": primaries}
    path = write_hdr(tmp_path / "film.mkv", texture(3, SIZE), PQ, **tags)
    assert next(iter(open_video(path).frames())).rgb(96).shape == (64, 96, 3)


@pytest.mark.parametrize("pixels", ["bgra", "gray10le", "yuva420p10le"])
def test_hdr_in_any_form_is_seen(tmp_path, pixels):
    frame = as_hdr(texture(3, SIZE), HLG).reformat(format=pixels)
    path = write(tmp_path / "film.mkv", [frame], "ffv1", color_trc=HLG)
    frame = next(iter(open_video(path).frames()))
    assert open_video(path).info.hdr
    assert frame.rgb(64).shape == (43, 64, 3)


def moment(step, size=SIZE):
    """The picture at this step of half a frame: it moves by 4 pixels in each, and is grey.

    Colours have half the lines, which encoders share out among both moments in ways of their own.
    """
    return np.roll(cv2.merge([texture(5, size)[..., 1]] * 3), 4 * step, 1)


def woven(number, size=SIZE):
    """Frame `number` of an interlaced film: its odd lines are seen first, as x264 tells of it."""
    lines = moment(2 * number, size)
    lines[::2] = moment(2 * number + 1, size)[::2]
    return lines


def frames_of(pictures):
    return [av.VideoFrame.from_ndarray(picture) for picture in pictures]


INTERLACED = {"x264-params": "interlaced=1", "crf": "4"}


@pytest.fixture
def interlaced(tmp_path):
    return write(tmp_path / "film.mkv", frames_of(map(woven, range(12))), options=INTERLACED)


def seen(path):
    return [(frame.index, frame.seconds, frame.rgb()) for frame in open_video(path).frames()]


@contextlib.contextmanager
def untouched(monkeypatch):
    """Do nothing about two moments in a picture."""
    with monkeypatch.context() as patch:
        patch.setattr(stream_module, "of_one_moment", iter)
        yield


def as_stored(path, monkeypatch):
    with untouched(monkeypatch):
        return seen(path)


def test_an_interlaced_picture_shows_its_first_moment(interlaced, monkeypatch):
    assert open_video(interlaced).info.interlaced
    pictures, combed = seen(interlaced), as_stored(interlaced, monkeypatch)
    assert [one[:2] for one in pictures] == [one[:2] for one in combed]
    assert len(pictures) == 12
    for (number, _, picture), (_, _, stored) in zip(pictures, combed, strict=True):
        truth = moment(2 * number)
        assert distance(picture, truth) < 0.25 * distance(stored, truth)


def test_what_stands_still_keeps_lines_of_both_moments(tmp_path, monkeypatch):
    people = cv2.resize(photograph("demo_cards"), SIZE, None, 0, 0, cv2.INTER_AREA)
    path = write(tmp_path / "film.mkv", frames_of([people] * 6), options=INTERLACED)
    pairs = list(zip(seen(path), as_stored(path, monkeypatch), strict=True))
    for (*_, picture), (*_, stored) in pairs[1:]:  # of the first, nothing is known before it
        half = cv2.resize(stored[1::2], SIZE, None, 0, 0, cv2.INTER_CUBIC)
        assert distance(picture, stored) < 0.5 * distance(half, stored)


def test_pictures_of_one_moment_are_left_as_they_are(tmp_path, monkeypatch):
    path = write(tmp_path / "film.mkv", frames_of(map(woven, range(6))))
    assert not open_video(path).info.interlaced
    for (*_, picture), (*_, stored) in zip(seen(path), as_stored(path, monkeypatch), strict=True):
        assert np.array_equal(picture, stored)


@pytest.mark.parametrize("first", ["plain", "interlaced"])
@pytest.mark.parametrize("second", [SIZE, (96, 64)])
def test_nothing_is_lost_where_the_film_changes(tmp_path, monkeypatch, first, second):
    parts = []
    for part, size in enumerate((SIZE, second)):
        options = INTERLACED if (first == "interlaced") == (part == 0) else {"crf": "4"}
        frames = frames_of(woven(number, size) for number in range(5))
        parts.append(write(tmp_path / f"{part}.ts", frames, options=options).read_bytes())
    path = tmp_path / "film.ts"
    path.write_bytes(b"".join(parts))
    pictures, combed = seen(path), as_stored(path, monkeypatch)
    assert len(pictures) == 10
    assert [one[:2] for one in pictures] == [one[:2] for one in combed]
    assert [f.resized for f in open_video(path).frames()] == [
        second != SIZE and number == 5 for number in range(10)
    ]


def test_damage_is_counted_in_interlaced_films_too(interlaced, monkeypatch):
    data = bytearray(interlaced.read_bytes())
    for place in range(len(data) // 3, len(data), 997):
        data[place] ^= 255
    interlaced.write_bytes(data)
    told = []
    for change in (contextlib.nullcontext, lambda: untouched(monkeypatch)):
        with change():
            video = open_video(interlaced)
            told.append([(f.index, f.seconds, f.damaged) for f in video.frames()] + [video.damaged])
    assert told[0] == told[1]
    assert told[0][-1] > 0


@pytest.mark.parametrize("size", [(2, 2), (6, 8), (16, 3)])
def test_the_smallest_interlaced_pictures(tmp_path, size):
    pictures = [np.full((size[1], size[0], 3), 90, np.uint8)] * 3
    frames = [frame.reformat(format="yuv420p") for frame in frames_of(pictures)]
    path = write(tmp_path / "film.mkv", frames, "mpeg2video", {"flags": "+ildct+ilme"})
    assert open_video(path).info.interlaced
    assert [picture.shape for *_, picture in seen(path)] == [pictures[0].shape] * 3


@pytest.mark.parametrize("count", [1, 2])
def test_the_shortest_interlaced_films(tmp_path, count):
    path = write(tmp_path / "film.mkv", frames_of(map(woven, range(count))), options=INTERLACED)
    assert len(seen(path)) == count


def test_a_moment_of_an_interlaced_film(interlaced):
    frames = list(open_video(interlaced).moment(0.2, 0.4))
    assert [frame.seconds for frame in frames] == pytest.approx([0.2, 0.24, 0.28, 0.32, 0.36])
    for number, frame in enumerate(frames, 5):
        assert distance(frame.rgb(), moment(2 * number)) < 12
