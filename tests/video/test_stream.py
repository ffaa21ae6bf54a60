from __future__ import annotations

import os
import struct
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from tests.synthetic import DrawnShot, draw_film, texture
from videoclusternet.errors import InputError
from videoclusternet.video import stream as stream_module
from videoclusternet.video.file import fingerprint
from videoclusternet.video.stream import open_video

TWO_SHOTS = [DrawnShot(24, seed=1, pan=(3, 0)), DrawnShot(24, seed=2, pan=(0, 2))]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A sound film with its index in front; its path, bytes and truth."""
    path = tmp_path_factory.mktemp("film") / "sound.mp4"
    truth = draw_film(path, TWO_SHOTS, options={"movflags": "faststart"})
    return path, path.read_bytes(), truth


def walk(video, convert=lambda frame: frame.luma()):
    return [(frame.index, frame.seconds, convert(frame)) for frame in video.frames()]


def same(one, other):
    return len(one) == len(other) and all(
        a[:2] == b[:2] and np.array_equal(a[2], b[2]) for a, b in zip(one, other, strict=True)
    )


def distance(one, other):
    return np.abs(one.astype(float) - other).mean()


def test_a_sound_film(film):
    path, _, truth = film
    video = open_video(path)
    info = video.info
    assert (info.width, info.height, info.codec) == (320, 240, "h264")
    assert (info.fps, info.seconds, info.frames) == (25.0, pytest.approx(1.92), 48)
    frames = list(video.frames())
    assert [frame.index for frame in frames] == list(range(48))
    assert [frame.seconds for frame in frames] == pytest.approx(truth.times)
    assert not any(frame.damaged or frame.resized for frame in frames)
    assert video.damaged == 0


def test_pictures_are_what_was_drawn(film):
    first = next(open_video(film[0]).frames())
    drawn = texture(1, (320, 240))
    assert first.rgb().dtype == first.luma().dtype == np.uint8
    assert distance(first.rgb(), drawn) < 4
    assert distance(first.luma(), cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY)) < 2


@pytest.mark.parametrize(
    ("long_side", "shape"),
    [(None, (240, 320)), (320, (240, 320)), (999, (240, 320)), (160, (120, 160)), (1, (1, 1))],
)
def test_long_side_only_shrinks(film, long_side, shape):
    frame = next(open_video(film[0]).frames())
    assert frame.luma(long_side).shape == shape
    assert frame.rgb(long_side).shape == (*shape, 3)
    small = cv2.resize(texture(1, (320, 240)), shape[::-1], interpolation=cv2.INTER_AREA)
    assert distance(frame.rgb(long_side), small) < (4 if long_side != 1 else 12)


def test_every_walk_is_the_same_with_one_thread_and_with_all(film):
    video = open_video(film[0])
    one, all_threads = walk(video), walk(video)
    assert same(one, all_threads)
    assert same(one, walk(open_video(film[0])))


def test_a_walk_that_was_left_does_not_disturb_the_next(film):
    video = open_video(film[0])
    for frame in video.frames():
        if frame.index == 5:
            break
    assert len(walk(video)) == 48


@pytest.mark.parametrize("rotation", [90, 180, 270, -90])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3), Fraction(1, 2)])
def test_pictures_are_upright_and_square(tmp_path, rotation, aspect):
    draw_film(tmp_path / "turned.mp4", TWO_SHOTS[:1], rotation=rotation, aspect=aspect)
    video = open_video(tmp_path / "turned.mp4")
    assert (video.info.width, video.info.height) == (320, 240)
    frame = next(video.frames())
    assert distance(frame.rgb(), texture(1, (320, 240))) < 6
    assert frame.luma(160).shape == (120, 160)


def test_a_turned_film_stands_as_opencv_shows_it(tmp_path):
    path = tmp_path / "turned.mp4"
    draw_film(path, TWO_SHOTS[:1], size=(240, 320), rotation=90)
    _, shown = cv2.VideoCapture(str(path)).read()
    assert distance(next(open_video(path).frames()).rgb(), shown[:, :, ::-1]) < 3


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_times_of_a_variable_rate_are_those_of_the_stamps(tmp_path, suffix):
    gaps = np.random.default_rng(0).choice([0.02, 0.04, 0.1, 0.7], 23)
    times = 1.5 + np.concatenate([[0], np.cumsum(gaps)])
    truth = draw_film(tmp_path / f"vfr.{suffix}", TWO_SHOTS[:1], times=times)
    seconds = [frame.seconds for frame in open_video(tmp_path / f"vfr.{suffix}").frames()]
    assert seconds == pytest.approx(truth.times, abs=1.1e-3)  # Matroska counts milliseconds


@pytest.mark.parametrize("suffix", ["avi", "h264"])
def test_a_container_without_presentation_stamps_still_has_a_clock(tmp_path, suffix):
    path = tmp_path / f"film.{suffix}"
    with av.open(os.fspath(path), "w") as container:
        encode(container, [texture(i, (64, 64)) for i in range(30)])
    seconds = [frame.seconds for frame in open_video(path).frames()]
    assert np.all(np.diff(seconds) > 0)
    assert seconds == pytest.approx([i / 25 for i in range(30)], abs=3 / 25)
    assert seconds[-1] - seconds[10] == pytest.approx(19 / 25, abs=1e-3)


def encode(container, pictures, codec="libx264", pixels="yuv420p"):
    stream = container.add_stream(codec, rate=25)
    stream.pix_fmt = pixels
    stream.height, stream.width = pictures[0].shape[:2]
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, 25)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
    return stream


@pytest.mark.parametrize(
    ("size", "codec", "pixels"),
    [
        ((321, 243), "libx264", "yuv444p"),
        ((16, 16), "libx264", "yuv420p"),
        ((2, 2), "ffv1", "yuv420p"),
        ((1, 1), "ffv1", "bgr0"),
        ((64, 48), "libx264", "yuv420p10le"),
        ((64, 48), "ffv1", "yuva444p10le"),
        ((64, 48), "ffv1", "gray"),
        ((64, 48), "mjpeg", "yuvj422p"),
    ],
)
def test_odd_sizes_and_pixel_formats(tmp_path, size, codec, pixels):
    with av.open(os.fspath(tmp_path / "film.mkv"), "w") as container:
        encode(container, [texture(1, size), texture(2, size)], codec, pixels)
    frames = list(open_video(tmp_path / "film.mkv").frames())
    assert len(frames) == 2
    assert frames[1].rgb().shape == (size[1], size[0], 3)
    drawn = cv2.cvtColor(texture(2, size), cv2.COLOR_RGB2GRAY)
    assert distance(frames[1].luma(), drawn) < 12


@pytest.mark.parametrize("space", [1, 8, 14])
def test_a_colour_tag_that_nobody_knows_is_no_fault(tmp_path, space):
    with av.open(os.fspath(tmp_path / "film.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.pix_fmt, stream.width, stream.height = "yuv420p", 64, 48
        stream.codec_context.colorspace = space
        container.mux(stream.encode(av.VideoFrame.from_ndarray(texture(2, (64, 48)))))
        container.mux(stream.encode())
    with av.open(os.fspath(tmp_path / "film.mkv")) as container:
        assert next(container.decode(video=0)).colorspace == space
    assert (
        distance(next(open_video(tmp_path / "film.mkv").frames()).rgb(), texture(2, (64, 48))) < 16
    )


def test_a_film_of_one_frame(tmp_path):
    draw_film(tmp_path / "one.mp4", [DrawnShot(1, seed=1)])
    video = open_video(tmp_path / "one.mp4")
    assert [(frame.index, frame.seconds) for frame in video.frames()] == [(0, 0.0)]


def write_with_cover(path, attached, frames=24):
    with av.open(os.fspath(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.pix_fmt, cover.width, cover.height = "yuvj420p", 512, 512
        if attached:
            cover.disposition = Disposition.attached_pic
        film = container.add_stream("libx264", rate=25)
        film.pix_fmt, film.width, film.height = "yuv420p", 320, 240
        container.mux(cover.encode(av.VideoFrame.from_ndarray(texture(9, (512, 512)))))
        container.mux(cover.encode())
        for _ in range(frames):
            container.mux(film.encode(av.VideoFrame.from_ndarray(texture(1, (320, 240)))))
        container.mux(film.encode())


@pytest.mark.parametrize(("suffix", "attached"), [("mp4", True), ("mkv", False), ("mp4", False)])
def test_a_cover_picture_in_front_is_not_the_film(tmp_path, suffix, attached):
    path = tmp_path / f"cover.{suffix}"
    write_with_cover(path, attached)
    video = open_video(path)
    assert (video.info.codec, video.info.width) == ("h264", 320)
    assert len(list(video.frames())) == 24


def test_a_song_with_a_cover_picture_is_not_a_film(tmp_path):
    with av.open(os.fspath(tmp_path / "song.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.pix_fmt, cover.width, cover.height = "yuvj420p", 64, 64
        cover.disposition = Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(texture(9, (64, 64)))))
        container.mux(cover.encode())
    with pytest.raises(InputError, match="no moving picture"):
        open_video(tmp_path / "song.mp4")


def test_the_longest_of_several_streams_is_the_film(tmp_path):
    with av.open(os.fspath(tmp_path / "two.mp4"), "w") as container:
        streams = []
        for width in (64, 96):
            stream = container.add_stream("libx264", rate=25)
            stream.pix_fmt, stream.width, stream.height = "yuv420p", width, 64
            streams.append((stream, width))
        for stream, width in streams:
            for _ in range(5 if width == 64 else 20):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(texture(1, (width, 64)))))
            container.mux(stream.encode())
    video = open_video(tmp_path / "two.mp4")
    assert (video.info.width, len(list(video.frames()))) == (96, 20)


def test_of_a_truncated_film_what_decodes_is_used(film, tmp_path):
    _, data, _ = film
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    video, whole = open_video(tmp_path / "half.mp4"), walk(open_video(film[0]))
    half = walk(video)
    assert 5 < len(half) < 40
    assert video.info.seconds == pytest.approx(1.92)  # what it says, not what it has
    assert video.damaged > 0
    assert same(half[:-4], whole[: len(half) - 4])  # those that need nothing that is lost
    assert same(half, walk(video))


@pytest.mark.parametrize("seed", range(3))
def test_damage_is_skipped_and_counted_and_every_walk_agrees(film, tmp_path, seed):
    _, data, _ = film
    rng = np.random.default_rng(seed)
    bytes_ = np.frombuffer(data, np.uint8).copy()
    bytes_[rng.integers(8000, len(data), 100)] = rng.integers(0, 256, 100)
    (tmp_path / "holes.mp4").write_bytes(bytes_.tobytes())
    video = open_video(tmp_path / "holes.mp4")
    flagged = [frame.damaged for frame in video.frames()]
    lost = 48 - len(flagged)
    assert len(flagged) > 24
    assert video.damaged >= max(1, lost, sum(flagged))
    first = walk(video)
    assert np.all(np.diff([seconds for _, seconds, _ in first]) > 0)
    assert same(first, walk(video))
    assert same(first, walk(open_video(tmp_path / "holes.mp4")))


@pytest.fixture
def growing(tmp_path):
    """A transport stream whose pictures grow from 64 to 96 pixels after 20 frames."""
    data = b""
    for width in (64, 96):
        path = tmp_path / f"{width}.ts"
        draw_film(path, [DrawnShot(20, seed=1)], size=(width, 48))
        data += path.read_bytes()
    (tmp_path / "growing.ts").write_bytes(data)
    return tmp_path / "growing.ts"


def test_a_change_of_size_is_flagged_and_scaled_to_the_first(growing):
    frames = list(open_video(growing).frames())
    assert [frame.index for frame in frames if frame.resized] == [20]
    assert len(frames) == 40
    assert {frame.luma().shape for frame in frames} == {(48, 64)}
    assert distance(frames[25].rgb(), texture(1, (64, 48))) < 12
    assert np.diff([frame.seconds for frame in frames]) == pytest.approx(0.04)


def test_pictures_past_the_limit_are_refused(film, growing, monkeypatch):
    monkeypatch.setattr(stream_module, "MOST_PIXELS", 80 * 48)
    video = open_video(growing)
    assert len(list(video.frames())) == 20
    assert video.damaged > 0
    with pytest.raises(InputError, match="320 x 240"):
        open_video(film[0])


def test_a_forged_size_is_refused(tmp_path):
    path = tmp_path / "huge.avi"
    with av.open(os.fspath(path), "w") as container:
        encode(container, [texture(1, (64, 48))] * 2, "mjpeg", "yuvj420p")
    size = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 48, 64)
    assert path.read_bytes().count(size) == 2
    forged = size[:5] + struct.pack(">HH", 30_000, 30_000)
    path.write_bytes(path.read_bytes().replace(size, forged))
    with pytest.raises(InputError):
        open_video(path)


def test_pixels_that_would_be_stretched_past_the_limit_are_refused(tmp_path, monkeypatch):
    draw_film(tmp_path / "wide.mp4", TWO_SHOTS[:1], size=(192, 48), aspect=Fraction(3))
    monkeypatch.setattr(stream_module, "MOST_PIXELS", 100 * 48)
    with pytest.raises(InputError, match="192 x 48"):
        open_video(tmp_path / "wide.mp4")


def write_sound(path):
    with av.open(os.fspath(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.float32), "fltp", "mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("none.mp4", lambda path: None, "no file"),
        ("folder.mp4", os.mkdir, "folder"),
        ("pipe.mp4", os.mkfifo, "pipe"),
        ("empty.mp4", lambda path: path.write_bytes(b""), "is empty"),
        ("noise.mp4", lambda path: path.write_bytes(bytes(range(256)) * 99), "known kind"),
        ("text.mp4", lambda path: path.write_text("hello world\n" * 100), "known kind"),
        ("text.txt", lambda path: path.write_text("hello world\n" * 100), "text"),
        ("sound.mp4", write_sound, "no moving picture"),
    ],
)
def test_what_is_no_film_is_refused_in_one_sentence(tmp_path, name, make, reason):
    make(tmp_path / name)
    with pytest.raises(InputError, match=reason) as caught:
        open_video(tmp_path / name)
    assert str(caught.value).isprintable()
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("path", ["/dev/zero", "a\0b.mp4", "/dev/null/a.mp4", "x" * 300])
def test_a_path_that_is_no_ordinary_file_is_refused(path):
    with pytest.raises(InputError) as caught:
        open_video(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nf.mp4\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "ffconcat version 1.0\nfile f.mp4\n"),
    ],
)
def test_a_list_of_films_is_refused(film, tmp_path, name, text):
    (tmp_path / "f.mp4").write_bytes(film[1])
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="list"):
        open_video(tmp_path / name)


def test_a_film_that_was_never_finished_is_named_so(film, tmp_path):
    (tmp_path / "cut.mp4").write_bytes(film[1][:600])
    with pytest.raises(InputError, match="never finished"):
        open_video(tmp_path / "cut.mp4")


def test_a_name_of_any_kind_opens_and_prints_as_one_line(film, tmp_path):
    for name in ("a\nb.mp4", "a%03d.mp4", "-x.mp4", "concat:a.mp4", "\udcff.mp4", "<é>.mp4"):
        path = tmp_path / name
        with pytest.raises(InputError) as caught:
            open_video(path)
        assert str(caught.value).isprintable()
        path.write_bytes(film[1])
        assert open_video(path).info.frames == 48


def test_a_title_that_is_not_utf8_does_no_harm(tmp_path):
    path = tmp_path / "title.mp4"
    with av.open(os.fspath(path), "w") as container:
        container.metadata["title"] = "cafe-au-lait"
        encode(container, [texture(1, (64, 64))])
    path.write_bytes(path.read_bytes().replace(b"cafe-au", b"caf\xe9-au"))
    assert len(list(open_video(path).frames())) == 1


def test_a_film_that_vanishes_or_changes_is_an_input_error(film, tmp_path):
    path = tmp_path / "gone.mp4"
    path.write_bytes(film[1])
    video = open_video(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be opened"):
        list(video.frames())
    path.write_text("another file")
    with pytest.raises(InputError, match="known kind"):
        list(video.frames())


@pytest.mark.parametrize("size", [0, 10, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_the_fingerprint_tells_films_apart(tmp_path, size):
    data = bytes(np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8))
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(data)
    mark = fingerprint(tmp_path / "a")
    assert len(mark) == 64
    assert fingerprint(tmp_path / "b") == mark
    changes = [data + b"\0"]
    if data:
        changes += [bytes([data[0] ^ 1]) + data[1:], data[:-1] + bytes([data[-1] ^ 1]), data[1:]]
    for change in changes:
        (tmp_path / "b").write_bytes(change)
        assert fingerprint(tmp_path / "b") != mark


def test_a_fingerprint_needs_an_ordinary_file(tmp_path):
    for path in (tmp_path, tmp_path / "none", "/dev/zero"):
        with pytest.raises(InputError):
            fingerprint(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_flipped_bytes_never_raise_anything_but_input_errors(tmp_path, suffix):
    with av.open(os.fspath(tmp_path / f"sound.{suffix}"), "w") as container:
        encode(container, [texture(i, (64, 48)) for i in range(6)])
    data = np.frombuffer((tmp_path / f"sound.{suffix}").read_bytes(), np.uint8)
    outcomes = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        broken = data.copy()
        at = rng.integers(0, len(data), rng.choice([1, 8, 64]))
        broken[at] ^= rng.integers(1, 256, len(at), dtype=np.uint8)
        path = tmp_path / f"broken.{suffix}"
        path.write_bytes(broken.tobytes()[: rng.choice([len(data), len(data) // 2])])
        try:
            shapes = {frame.rgb(32).shape[2] for frame in open_video(path).frames()}
            outcomes.add(bool(shapes))
        except InputError as error:
            assert str(error).isprintable()  # noqa: PT017
            outcomes.add("refused")
    assert True in outcomes
