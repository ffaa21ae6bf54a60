"""The film: its size, its pictures, and the true time of each; nothing else touches the decoder.

A run walks through it by way of `video.apart`. What decodes is used: a truncated film ends early, a
damaged packet is skipped and counted. Every picture is handed out, few are ever converted: decoding
is cheap, colour conversion is not.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any, Self

import av
from av.error import FFmpegError
from av.stream import Disposition

from videoclusternet.errors import InputError
from videoclusternet.processors import usable_threads
from videoclusternet.records import Array
from videoclusternet.video.clock import Clock
from videoclusternet.video.file import FilmPath, no_film, no_picture, ordinary_file, quoted
from videoclusternet.video.frame import (
    Frame,
    Look,
    convert,
    only,
    quarter_turns,
)
from videoclusternet.video.screen import is_hdr, layout, of_one_moment, with_known_colours

MOST_PIXELS = 8192 * 8192  # of one picture; 8K has half of it, forged headers claim more
PEEK = 256  # packets that tell a cover picture from a film

# Formats that read other files, or make a picture of any text at all.
NO_FILM = frozenset({"concat", "dash", "hls", "imf", "rtsp", "sdp", "tty", "webm_dash_manifest"})


@dataclass(frozen=True)
class VideoInfo:
    """What a film says about itself; its first picture has been seen, the others have not."""

    width: int  # pixels, upright and square, as on the screen
    height: int
    fps: float  # nominal; the true times come with the frames
    seconds: float | None  # estimate; None where the film does not say
    frames: int | None  # estimate
    codec: str
    hdr: bool = False  # its brightness is that of PQ or HLG; pictures come with that of SDR
    interlaced: bool = False  # its first picture holds two moments; pictures come with one


@dataclass(eq=False)
class Video:
    """A film that can be walked through again and again; made by `open_video`."""

    path: str
    info: VideoInfo
    _stream: int = field(repr=False)
    _time_base: Fraction = field(repr=False)
    begin: float = 0.0
    """Seconds at which the container shows the first picture."""
    damaged: int = field(default=0, init=False)
    """In the latest walk: packets that were skipped, and pictures that the decoder flagged."""
    _sound: bool = field(default=False, init=False, repr=False)

    @property
    def threads(self) -> int:
        """How many threads the next walk takes.

        What several make of damage differs from run to run, and they lose the last pictures of a
        truncated film. So the first walk takes one thread; after a sound one, all.
        """
        return usable_threads() if self._sound else 1

    def walked(self, damaged: int, *, to_the_end: bool) -> None:
        """Note how many places were damaged in a walk that has ended."""
        self.damaged = damaged
        if to_the_end:
            self._sound = damaged == 0

    def told(self) -> dict[str, Any]:
        """Return in plain values what another process makes the same film of, by `retold`."""
        base = [self._time_base.numerator, self._time_base.denominator]
        return {
            "path": self.path,
            "info": asdict(self.info),
            "stream": self._stream,
            "time_base": base,
            "begin": self.begin,
        }

    @classmethod
    def retold(cls, told: dict[str, Any]) -> Self:
        """Make the film again of what `told` returned."""
        info, base = VideoInfo(**told["info"]), Fraction(*told["time_base"])
        return cls(told["path"], info, told["stream"], base, told["begin"])

    def frames(self, threads: int | None = None) -> Generator[Frame]:
        """Decode the film from its start and yield every frame in the order of display.

        Raises InputError where the file cannot be opened any more.
        """
        self.damaged = 0
        clock = Clock(1 / self.info.fps)
        stored, scalers, index = None, dict[Any, Any](), 0
        with open_container(self.path) as container:
            if self._stream >= len(container.streams):
                raise InputError(
                    f"{quoted(self.path)} was changed during the run: start the run again."
                )
            stream = container.streams[self._stream]
            for picture in _shown(container, stream, threads or self.threads):
                self.damaged += picture is None or picture.is_corrupt
                if picture is None:
                    continue
                before, stored = stored, layout(picture)
                yield Frame(
                    index=index,
                    seconds=clock.tell(
                        self._seconds(picture.pts),
                        self._seconds(picture.dts),
                        self._seconds(picture.duration),
                    ),
                    damaged=picture.is_corrupt,
                    resized=before not in (None, stored),
                    convert=self._converter(index, picture, scalers),
                )
                index += 1
        self.walked(self.damaged, to_the_end=True)

    def walk(self, looks: Sequence[Look], numbers: Array | None = None) -> Generator[Frame]:
        """Yield the frames with these ascending numbers, or all; decoding ends with the last.

        No other pictures of them are asked for than `looks`. Raises as `frames` does.
        """
        return only(self.frames(), numbers)

    def moment(self, start: float, end: float) -> Generator[Frame]:
        """Decode from the key picture in front of `start` and yield the frames up to `end`.

        Both are in seconds after the first frame, by the film's own time stamps: where these jump
        it is another moment than `frames` would tell. Only to look at. Raises as `frames` does.
        """
        scalers: dict[Any, Any] = {}
        with open_container(self.path) as container:
            stream = container.streams[self._stream]
            with contextlib.suppress(FFmpegError):  # what cannot be sought in is gone through
                container.seek(round((self.begin + start) / self._time_base), stream=stream)
            for picture in _shown(container, stream, usable_threads()):
                if picture is None or picture.pts is None:
                    continue
                seconds = (self._seconds(picture.pts) or 0.0) - self.begin
                if seconds >= end:
                    return
                if seconds >= start:
                    pixels = self._converter(-1, picture, scalers)
                    yield Frame(-1, seconds, picture.is_corrupt, False, pixels)

    def _converter(self, index: int, picture: Any, scalers: dict[str, Any]) -> Any:
        return partial(convert, index, picture, (self.info.width, self.info.height), scalers)

    def _seconds(self, ticks: int | None) -> float | None:
        return None if ticks is None else float(ticks * self._time_base)


def open_video(path: FilmPath) -> Video:
    """Open a film: its longest stream of moving pictures, never a cover picture.

    Raises InputError where the path is no ordinary file, or holds no film that can be decoded.
    """
    path = os.path.abspath(ordinary_file(path))
    with open_container(path) as container:
        index = _film_stream(container, path)
    with open_container(path) as container:
        stream = container.streams[index]
        _check_pixels(path, stream.codec_context.width, stream.codec_context.height)
        first = next((picture for picture in _decoded(container, stream, 1) if picture), None)
        if first is None:
            raise no_picture(path)
        width, height = _display_size(first, stream.sample_aspect_ratio)
        _check_pixels(path, width, height)
        fps = float(stream.average_rate or stream.guessed_rate or 25)
        seconds = _duration(stream) or (container.duration or 0) / 1e6 or None
        frames = stream.frames or (round(seconds * fps) if seconds else None)
        info = VideoInfo(
            width, height, fps, seconds, frames, stream.codec_context.name,
            hdr=is_hdr(first), interlaced=bool(first.interlaced_frame),
        )  # fmt: skip
        return Video(
            path, info, index, stream.time_base, float((first.pts or 0) * stream.time_base)
        )


def open_container(path: str) -> Any:
    """Open the container. Raises InputError, saying what the file seems to be instead."""
    try:
        with open(path, "rb") as file:
            head = file.read(8)
        container = av.open(
            path,
            metadata_errors="replace",
            options={"protocol_whitelist": "file", "max_pixels": str(MOST_PIXELS)},
        )
    except OSError as error:
        raise InputError(f"{quoted(path)} cannot be opened: {error.strerror}.") from None
    except (FFmpegError, ValueError):
        raise no_film(path, head) from None
    if NO_FILM.intersection(container.format.name.split(",")):
        container.close()
        raise InputError(
            f"{quoted(path)} is a text or a list of other files, not a film: name the film."
        )
    return container


def _film_stream(container: Any, path: str) -> int:
    """Return the index of the longest stream of moving pictures, or else of a single picture."""
    streams = [
        stream
        for stream in container.streams.video
        if stream.codec_context and not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise InputError(f"{quoted(path)} holds no moving picture: name another file.")
    packets: Counter[int] = Counter()
    if len(streams) > 1:
        with contextlib.suppress(FFmpegError):  # it breaks off early: go by what was seen
            packets.update(p.stream_index for p in islice(container.demux(streams), PEEK) if p.size)
    best = max(streams, key=lambda s: (packets[s.index] > 1, _duration(s) or 0.0, -s.index))
    return int(best.index)


def _shown(container: Any, stream: Any, threads: int) -> Iterator[Any]:
    """Yield every picture in the order of display, and None for each packet that is lost."""
    return of_one_moment(_decoded(container, stream, threads))


def _decoded(container: Any, stream: Any, threads: int) -> Iterator[Any]:
    """Yield the same as it is stored."""
    decoder = stream.codec_context
    decoder.thread_type = "AUTO"
    decoder.thread_count = threads
    decoder.options = {"max_pixels": str(MOST_PIXELS)}
    for packet in _packets(container, stream):
        try:
            pictures = decoder.decode(packet)
        except FFmpegError:
            yield None
        else:
            yield from map(with_known_colours, pictures)


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield every packet; the last is empty or None and makes the decoder give what it holds."""
    try:
        yield from container.demux(stream)
    except (FFmpegError, IndexError):  # the file breaks off, or (PyAV) grew a stream on the way
        yield None


def _duration(stream: Any) -> float | None:
    return float(stream.duration * stream.time_base) if stream.duration else None


def _check_pixels(path: str, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise InputError(
            f"The pictures of {quoted(path)} have {width} x {height} pixels, "
            f"and at most {MOST_PIXELS:,} are taken: make a smaller copy."
        )


def _display_size(picture: Any, aspect: Fraction | None) -> tuple[int, int]:
    """Return width and height on the screen: pixels made square by enlarging, then turned."""
    width, height = picture.width, picture.height
    if aspect and aspect > 1:
        width = round(width * aspect)
    elif aspect and aspect > 0:
        height = round(height / aspect)
    return (height, width) if quarter_turns(picture) % 2 else (width, height)
