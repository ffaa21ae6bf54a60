"""Decoding in a process of its own: a film that breaks the decoder breaks nothing else.

While a frame is looked at here, the next one is made there. A decoder that crashes or hangs costs
one more walk, by one thread, to where it was; if it breaks again, that is an error of the film.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import IO, Any, cast

import numpy as np

from videoclusternet.errors import InputError
from videoclusternet.processors import environment
from videoclusternet.records import Array
from videoclusternet.video.file import FilmPath, ordinary_file, quoted
from videoclusternet.video.frame import Frame, Look, Pixels
from videoclusternet.video.stream import Video

CHILD = ("-P", "-m", "videoclusternet.video.child")
PATIENCE = 60.0  # seconds without a sign of life, due every second, after which it hangs; ours
PIPE = 1 << 20  # bytes; as large as a pipe of an ordinary user may be

_idle: list[_Child] = []  # starting one takes a quarter of a second, so the last is kept


class VideoApart(Video):
    """A film that another process decodes where it is walked through; made by `open_apart`."""

    def walk(self, looks: Sequence[Look], numbers: Array | None = None) -> Generator[Frame]:
        """Do as `Video.walk` does; the frames have no other pictures than `looks`.

        Raises InputError as that does, and where the film breaks the decoder twice.
        """
        before, seconds, broken = -1, 0.0, None
        for threads in (self.threads, 1):
            left = None if numbers is None else numbers[numbers > before].astype(np.int64)
            request = {"walk": self.told(), "threads": threads, "looks": looks, "before": before}
            try:
                for head, pictures in _ask(request, left):
                    if head["last"]:
                        self.walked(head["damaged_places"], to_the_end=head["to_the_end"])
                        return
                    self.damaged = head["damaged_places"]
                    before, seconds = head["index"], head["seconds"]
                    convert = partial(_made, dict(zip(looks, pictures, strict=True)))
                    yield Frame(before, seconds, head["damaged"], head["resized"], convert)
            except _BrokenError as error:
                broken = error
        raise InputError(
            f"The decoder {broken} at {seconds:.1f} s of {quoted(self.path)}, twice: the film is "
            "damaged there, or of a kind that FFmpeg cannot read; make a copy in another format."
        )


def open_apart(path: FilmPath) -> VideoApart:
    """Open a film as `open_video` does, which has the errors, and InputError where that crashes."""
    path = os.path.abspath(ordinary_file(path))
    broken = None
    for _ in range(2):
        try:
            ((head, _),) = _ask({"open": path})
        except _BrokenError as error:
            broken = error
        else:
            return VideoApart.retold(head["video"])
    raise InputError(
        f"The decoder {broken} on opening {quoted(path)}, twice: make a copy in another format."
    )


def _made(pictures: Mapping[Look, Array], pixels: Pixels, long_side: int | None) -> Array:
    return pictures[Look(pixels, long_side)]


class _BrokenError(Exception):
    """The decoder's process has crashed, or hangs."""


def _ask(
    request: dict[str, Any], numbers: Array | None = None
) -> Generator[tuple[dict[str, Any], list[Array]]]:
    """Yield what a decoder answers, each a head with its pictures; the last is marked as such."""
    try:
        child = _idle.pop()
    except IndexError:
        child = _Child()
    at_ease = False
    try:
        child.ask(request | {"numbers": None if numbers is None else len(numbers)}, numbers)
        for head, pictures in child.answers():
            at_ease = head["last"]
            if "unusable" in head:
                raise InputError(head["unusable"])
            if "broken" in head:
                raise _BrokenError(head["broken"])
            if "fault" in head:
                raise RuntimeError(f"the decoder's process: {head['fault']}")
            yield head, pictures
    finally:
        if at_ease:
            _idle.append(child)
        else:
            child.end()


class _Child:
    """A process that decodes: see `video.child` for what is said."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what it has to say comes in its answers
            env=environment(OPENBLAS_NUM_THREADS="1"),
        )
        self._in = cast(IO[bytes], self._process.stdin)
        self._out = cast(IO[bytes], self._process.stdout)
        with suppress(OSError):  # the fewer turns two processes take, the better
            fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, PIPE)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)

    def ask(self, request: dict[str, Any], numbers: Array | None) -> None:
        try:
            self._in.write(json.dumps(request).encode() + b"\n")
            if numbers is not None:
                self._in.write(numbers.tobytes())
            self._in.flush()
        except BrokenPipeError:
            raise self._broken() from None

    def answers(self) -> Iterator[tuple[dict[str, Any], list[Array]]]:
        """Yield each answer but the mere signs of life, up to the one that is marked as the last.

        Raises _BrokenError where none comes.
        """
        last = False
        while not last:
            length = self._read(np.empty(1, np.int64)).item()
            head = json.loads(self._read(np.empty(length, np.uint8)).tobytes())
            pictures = [self._read(np.empty(shape, np.uint8)) for shape in head["shapes"]]
            last = head["last"]
            if last or "index" in head:
                yield head, pictures

    def end(self) -> None:
        """End the process, which may hang."""
        self._process.kill()
        self._process.wait()
        self._in.close()
        self._out.close()

    def _read(self, into: Array) -> Array:
        """Fill an array with what comes next."""
        rest = into.reshape(-1).view(np.uint8).data
        while rest:
            if not self._poll.poll(1000 * PATIENCE):
                raise _BrokenError(f"gave no sign of life for {PATIENCE:.0f} s")
            count = os.readv(self._out.fileno(), [rest])
            if not count:
                raise self._broken()
            rest = rest[count:]
        return into

    def _broken(self) -> _BrokenError:
        self._process.wait()
        code = self._process.returncode
        reason = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _BrokenError(f"crashed ({reason})")


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's
