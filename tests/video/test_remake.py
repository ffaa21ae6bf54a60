"""Films made of films: pictures that keep their time, sound that stays in step."""

from __future__ import annotations

import logging
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.synthetic import DrawnShot, draw_film
from videoclusternet.errors import InputError, UsageError
from videoclusternet.records import Array
from videoclusternet.results.people import Appearance
from videoclusternet.video.frame import Frame
from videoclusternet.video.remake import redraw, string_out
from videoclusternet.video.stream import open_video

RATE = 48_000
TONES = (300, 700, 1300, 1900)  # hertz of each second's sound
LATE = 1.25  # seconds at which the container begins


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def as_it_is(frame: Frame) -> Array:
    return frame.rgb()


def tone(hertz: float, samples: int, first: int) -> Array:
    return np.sin(2 * np.pi * hertz * (first + np.arange(samples)) / RATE)


def with_sound(
    path: Path, times: list[float], codec: str = "aac", begin: float = 0.0, level: float = 40.0
) -> Path:
    """Write a film whose picture n is n + level bright, with another tone each second."""
    with av.open(str(path), "w") as film:
        pictures = film.add_stream("libx264", rate=25, options={"crf": "1", "bf": "0"})
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, 90_000)
        heard = film.add_stream(codec, rate=RATE, layout="stereo")
        for n, seconds in enumerate(times):
            image = np.full((48, 64, 3), round(n + level), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts, frame.time_base = round((begin + seconds) * 90_000), Fraction(1, 90_000)
            film.mux(pictures.encode(frame))
        for n, hertz in enumerate(TONES):
            wave = np.stack([0.5 * tone(hertz, RATE, n * RATE)] * 2).astype(np.float32)
            piece = av.AudioFrame.from_ndarray(wave, "fltp", "stereo")
            piece.sample_rate, piece.pts = RATE, n * RATE + round(begin * RATE)
            piece.time_base = Fraction(1, RATE)
            film.mux(heard.encode(piece))
        film.mux(pictures.encode(None))
        film.mux(heard.encode(None))
    return path


def pictures_of(path: Path) -> list[tuple[float, float]]:
    """Return when each picture is shown, after the first, and how bright it is."""
    with av.open(str(path)) as film:
        found = [(f.time, float(f.to_ndarray(format="rgb24").mean())) for f in film.decode(video=0)]
    return [(time - found[0][0], light) for time, light in found]


def heard_in(path: Path, first: float, last: float) -> int:
    """Return the loudest frequency of a time after the first picture, hertz."""
    with av.open(str(path)) as film:
        begin = next(film.decode(video=0)).time
    waves, start = [], None
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            start = frame.time - begin if start is None else start
            waves.append(frame.to_ndarray()[0])
    assert start is not None
    wave = np.concatenate(waves)
    part = wave[round((first - start) * RATE) : round((last - start) * RATE)]
    return round(float(np.fft.rfftfreq(len(part), 1 / RATE)[np.abs(np.fft.rfft(part)).argmax()]))


EVEN = [n / 25 for n in range(100)]
VARYING = [*(n / 25 for n in range(50)), *(2 + n / 12.5 for n in range(25))]


@pytest.mark.parametrize("begin", [0.0, LATE])
@pytest.mark.parametrize("times", [EVEN, VARYING], ids=["even", "varying"])
@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mkv", "flac")])
def test_every_picture_keeps_its_time_and_the_sound_its_bytes(
    tmp_path: Path, times: list[float], begin: float, suffix: str, codec: str
) -> None:
    film = with_sound(tmp_path / f"film{suffix}", times, codec, begin)
    made = tmp_path / f"made{suffix}"
    redraw(open_video(film), made, lambda frame: 255 - frame.rgb(), silent)
    (was, before), (now, after) = (zip(*pictures_of(path), strict=True) for path in (film, made))
    np.testing.assert_allclose(now, was, atol=0.0011)  # Matroska counts milliseconds
    np.testing.assert_allclose(after, 255 - np.array(before), atol=3)

    def packets(path: Path) -> list[tuple[float, bytes]]:
        with av.open(str(path)) as container:
            start = next(container.decode(video=0)).time
        with av.open(str(path)) as container:
            return [
                (float(p.pts * p.time_base) - start, bytes(p))
                for p in container.demux(audio=0)
                if p.pts is not None
            ]

    sound_was, sound_is = packets(film), packets(made)
    assert [data for _, data in sound_is] == [data for _, data in sound_was]
    np.testing.assert_allclose(
        [time for time, _ in sound_is], [time for time, _ in sound_was], atol=0.0025
    )


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [(320, 240), (321, 243)])
def test_a_turned_or_odd_film_stands_upright(
    tmp_path: Path, rotation: int, size: tuple[int, int]
) -> None:
    film, made = tmp_path / "film.mp4", tmp_path / "made.mp4"
    draw_film(film, [DrawnShot(4, seed=1)], size=size, rotation=rotation, pixels="yuv444p")
    redraw(open_video(film), made, as_it_is, silent)
    assert open_video(made).info.width == size[0] - size[0] % 2
    shown, drawn = (next(open_video(path).frames()).rgb().astype(int) for path in (made, film))
    assert (
        abs(shown - drawn[: shown.shape[0], : shown.shape[1]]).mean() < 5
    )  # another half of the colours


@pytest.mark.parametrize("begin", [0.0, LATE])
def test_a_string_out_is_its_moments_with_their_sound(tmp_path: Path, begin: float) -> None:
    film = with_sound(tmp_path / "film.mkv", EVEN, begin=begin)
    made = tmp_path / "made.mp4"
    moments = [Appearance(0.2, 0.8), Appearance(2.2, 2.8), Appearance(3.0, 3.04)]
    string_out(open_video(film), made, moments, silent)
    expected = [*range(5, 20), *range(55, 70), 75]
    lights = [light for _, light in pictures_of(film)]
    found = pictures_of(made)
    assert len(found) == len(expected)
    np.testing.assert_allclose([light for _, light in found], [lights[n] for n in expected], atol=2)
    np.testing.assert_allclose([time for time, _ in found], np.arange(31) / 25, atol=0.002)
    assert heard_in(made, 0.1, 0.5) == pytest.approx(TONES[0], abs=3)
    assert heard_in(made, 0.7, 1.1) == pytest.approx(TONES[2], abs=3)


def test_a_string_out_of_a_silent_film_is_silent(tmp_path: Path) -> None:
    film, made = tmp_path / "film.mp4", tmp_path / "made.mp4"
    draw_film(film, [DrawnShot(50, seed=1)])
    string_out(open_video(film), made, [Appearance(1.0, 1.4)], silent)
    with av.open(str(made)) as container:
        assert len(container.streams) == 1
    assert len(pictures_of(made)) == 10


def failing(frame: Frame) -> Array:
    raise InputError("on purpose")


def test_what_cannot_be_made_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    film = with_sound(tmp_path / "film.mkv", EVEN[:5], codec="pcm_s16le")
    video = open_video(film)
    tries: list[tuple[str, Callable[[Frame], Array], type[Exception], str]] = [
        ("made.avi", as_it_is, UsageError, "films end in .mp4"),
        ("film.mkv", as_it_is, UsageError, "the film itself"),
        ("made.mkv", failing, InputError, "on purpose"),
        ("no/made.mkv", as_it_is, InputError, "cannot be made"),
    ]
    for name, draw, kind, reason in tries:
        with pytest.raises(kind, match=reason):
            redraw(video, tmp_path / name, draw, silent)
        assert [path.name for path in tmp_path.iterdir()] == ["film.mkv"]
    assert len(pictures_of(film)) == 5


def test_a_file_that_cannot_hold_the_sound_says_which_can(tmp_path: Path) -> None:
    film = with_sound(tmp_path / "film.mkv", EVEN[:5], codec="wavpack")
    with pytest.raises(InputError, match=r"\.mp4 cannot hold the sound .*wavpack.*\.mkv"):
        redraw(open_video(film), tmp_path / "made.mp4", as_it_is, silent)
    redraw(open_video(film), tmp_path / "made.mkv", as_it_is, silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mkv", "made.mkv"]


def test_sound_that_breaks_off_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    film = with_sound(tmp_path / "film.mkv", EVEN)
    data = film.read_bytes()
    film.write_bytes(data[: 2 * len(data) // 3])
    with caplog.at_level(logging.WARNING):
        redraw(open_video(film), tmp_path / "made.mkv", as_it_is, silent)
    assert len(pictures_of(tmp_path / "made.mkv")) > 20
