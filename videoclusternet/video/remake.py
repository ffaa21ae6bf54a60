"""Films made of a film: with things drawn into every picture, or moments of it cut together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from videoclusternet.durable import aside, settle, writing
from videoclusternet.errors import InputError, UsageError
from videoclusternet.processors import usable_threads
from videoclusternet.records import Array, Progress
from videoclusternet.video.frame import Frame
from videoclusternet.video.stream import Video, open_container

log = logging.getLogger(__name__)

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
ENCODER = {
    "crf": "20", "preset": "veryfast",  # hardly to be told from the film
    "x264-params": "colormatrix=smpte170m",  # what the converter makes, whatever the size
}  # fmt: skip
TICKS = 90_000  # a second: what a film of any rate is exact in
RATE = 48_000  # samples a second of the sound of a string-out
JITTER = 0.03  # seconds by which the stamps of sound that goes on may be off without a gap
SLACK = 0.0005  # seconds by which times that were written down may be off


class Span(Protocol):
    """A time of the film."""

    @property
    def start(self) -> float: ...  # seconds after the first frame
    @property
    def end(self) -> float: ...  # exclusive


def redraw(video: Video, path: Path, draw: Callable[[Frame], Array], progress: Progress) -> None:
    """Make the film anew of what `draw` returns for each frame, its sound copied as it is.

    `draw` returns RGB, uint8 (height, width, 3); an odd row or column is left out. Every picture
    keeps its time. Raises UsageError for a kind of file that cannot be made, InputError where it
    cannot hold the sound, ResourceError where it cannot be written.
    """
    with _film(video, path) as film, open_container(video.path) as container:
        sound = _copying(film.out, container, video.begin, path)
        for frame in video.frames():
            for now in sound:
                if now > frame.seconds:
                    break
            film.add(draw(frame), frame.seconds)
            done = frame.index + 1
            progress(done, max(done + 1, video.info.frames or 0))
        for _ in sound:
            pass
    progress(1, 1)


def string_out(video: Video, path: Path, moments: Sequence[Span], progress: Progress) -> None:
    """Cut moments of a film together, in their order, with the sound that is heard in them.

    Raises as `redraw` does.
    """
    with _film(video, path) as film:
        sound = _Sound(video, film.out)
        at = 0.0
        for done, one in enumerate(moments):
            progress(done, len(moments))
            for frame in video.moment(one.start - SLACK, one.end - SLACK):
                film.add(frame.rgb(), at + max(0.0, frame.seconds - one.start))
            sound.add(one, at)
            at += one.end - one.start
        sound.finish()
    progress(1, 1)


class _Film:
    """The pictures of a film that is being made."""

    def __init__(self, out: Any, fps: float) -> None:
        self.out = out
        self._rate = Fraction(fps).limit_denominator(1001)
        self._stream: Any = None

    def prepare(self, width: int, height: int) -> None:
        self._stream = self.out.add_stream("libx264", rate=self._rate, options=ENCODER)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.codec_context.thread_count = usable_threads()

    def add(self, image: Array, seconds: float) -> None:
        stream = self._stream
        image = np.ascontiguousarray(image[: stream.height, : stream.width])
        picture = av.VideoFrame.from_ndarray(image, "rgb24")
        picture.pts, picture.time_base = round(seconds * TICKS), Fraction(1, TICKS)
        self.out.mux(stream.encode(picture))

    def finish(self) -> None:
        self.out.mux(self._stream.encode(None))


@contextmanager
def _film(video: Video, path: Path) -> Iterator[_Film]:
    """Open a film that is there as a whole when this ends, or not at all."""
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(FORMATS)
        raise UsageError(f"'{path.name}' cannot be made: films end in {known}.")
    if path.exists() and path.samefile(video.path):
        raise UsageError(f"{path} is the film itself: name another file.")
    part = aside(path)
    try:
        with writing(part), av.open(str(part), "w", format=kind) as out:
            film = _Film(out, video.info.fps)
            film.prepare(
                *(max(2, side - side % 2) for side in (video.info.width, video.info.height))
            )
            yield film
            film.finish()
        settle([part])
    finally:
        part.unlink(missing_ok=True)


def _copying(out: Any, container: Any, begin: float, path: Path) -> Iterator[float]:
    """Prepare to copy every sound; each step yields the time of a packet and then copies it.

    Times are in seconds after the first picture, whose own is `begin`.
    """
    heard = [stream for stream in container.streams.audio if stream.codec_context]
    copies = {}
    for stream in heard:
        codec = stream.codec_context.name
        try:
            copies[stream.index] = out.add_stream_from_template(stream)
        except (FFmpegError, ValueError):
            raise InputError(
                f"{path.suffix} cannot hold the sound of this film ({codec}): name it .mkv."
            ) from None
    return _packets(out, container, heard, copies, begin) if heard else iter(())


def _packets(
    out: Any, container: Any, heard: list[Any], copies: dict[int, Any], begin: float
) -> Iterator[float]:
    try:
        for packet in container.demux(heard):
            if packet.dts is None:
                continue
            base = packet.time_base
            shift = round(Fraction(begin) / base)
            yield float(packet.dts * base) - begin
            packet.dts -= shift
            if packet.pts is not None:
                packet.pts -= shift
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
    except FFmpegError as error:
        log.warning("The sound breaks off: %s.", error)


class _Sound:
    """The sound of a string-out: stereo, encoded anew because it is cut between its packets."""

    def __init__(self, video: Video, out: Any) -> None:
        self._video, self._out = video, out
        self._stream: Any = None
        with open_container(video.path) as container:
            heard = container.streams.best("audio")
            self._index = None if heard is None else heard.index
        if self._index is not None:
            self._stream = out.add_stream("aac", rate=RATE, layout="stereo")

    def add(self, one: Span, at: float) -> None:
        """Add what is heard in a time of the film at a time of the string-out."""
        if self._stream is None:
            return
        first, last = round(at * RATE), round((at + one.end - one.start) * RATE)
        frame = av.AudioFrame.from_ndarray(self._heard(one, last - first), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        self._out.mux(self._stream.encode(frame))

    def _heard(self, one: Span, samples: int) -> Array:
        """Return the samples of a time, float32 (2, samples); silence where there are none."""
        heard = np.zeros((2, samples), np.float32)
        with (
            open_container(self._video.path) as container,
            suppress(FFmpegError),
        ):
            stream = container.streams[self._index]
            begin = self._video.begin + one.start
            container.seek(round(max(0.0, begin - 0.5) / stream.time_base), stream=stream)
            resampler, first = AudioResampler("fltp", "stereo", RATE), None
            for frame in container.decode(stream):
                if frame.pts is not None:
                    stamp = round((frame.time - begin) * RATE)
                    if first is None or abs(stamp - first) > JITTER * RATE:
                        first = stamp
                if first is None:
                    continue
                if first >= samples:
                    break
                for part in resampler.resample(frame):
                    _place(heard, part.to_ndarray(), first)
                    first += part.samples
        return heard

    def finish(self) -> None:
        if self._stream is not None:
            self._out.mux(self._stream.encode(None))


def _place(into: Array, part: Array, first: int) -> None:
    """Write samples from `first` on, as far as they lie inside."""
    begin, end = max(0, first), min(into.shape[1], first + part.shape[1])
    if begin < end:
        into[:, begin:end] = part[:, begin - first : end - first]
