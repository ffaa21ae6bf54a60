"""The process that decodes for `video.apart`.

A request is a line of JSON, with the numbers of the wanted frames behind it, int64, where there are
any. Each answer is its length, int64, and JSON: with the `shapes` of the pictures that follow it as
uint8, and whether it is the `last` to this request.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from videoclusternet.errors import InputError
from videoclusternet.processors import leave_with_parent
from videoclusternet.records import Array
from videoclusternet.video.frame import Look
from videoclusternet.video.stream import MOST_PIXELS, Video, open_video

ALIVE = 1.0  # seconds between two signs of life
PROGRAM = 1 << 30  # bytes that decoding takes whatever the film, beside what is there already
THREAD = 160 << 20  # for each thread: its stack, and the addresses that its allocator sets aside
PICTURES = 32  # that a decoder holds, 16 to refer to and as many to hand out; ours
DEPTH = 6  # bytes of the deepest pixel that films have

Answer = Callable[..., None]


def main() -> None:
    """Answer requests until nobody is there to ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all; the one who asks decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold pictures of the film
    leave_with_parent()
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # no library writes between the answers
        answer = partial(_answer, out)
        for line in sys.stdin.buffer:
            request = json.loads(line)
            try:
                if "open" in request:
                    _open(request["open"], answer)
                else:
                    _walk(request, answer)
            except BrokenPipeError:
                os._exit(0)
            except InputError as error:
                answer(unusable=str(error), last=True)
            except MemoryError:
                answer(broken="asked for far more memory than such pictures need", last=True)
            except Exception as error:
                answer(fault=f"{type(error).__name__}: {error}", last=True)


def _open(path: str, answer: Answer) -> None:
    _limit_memory(MOST_PIXELS, threads=1)
    answer(video=open_video(path).told(), last=True)


def _walk(request: dict[str, Any], answer: Answer) -> None:
    video = Video.retold(request["walk"])
    _limit_memory(video.info.width * video.info.height, request["threads"])
    looks = [Look(*look) for look in request["looks"]]
    wanted = _wanted(request["numbers"], request["before"])
    number = next(wanted, None)
    said = time.monotonic()
    to_the_end = False
    for frame in video.frames(request["threads"]):
        if number is None:
            break
        if frame.index == number:
            answer(
                [frame.convert(*look) for look in looks],
                index=frame.index,
                seconds=frame.seconds,
                damaged=frame.damaged,
                resized=frame.resized,
                damaged_places=video.damaged,
            )
            number = next(wanted, None)
        elif time.monotonic() - said < ALIVE:
            continue
        else:
            answer()
        said = time.monotonic()
    else:
        to_the_end = True
    answer(damaged_places=video.damaged, to_the_end=to_the_end, last=True)


def _wanted(count: int | None, before: int) -> Iterator[int]:
    """Return the numbers of the wanted frames: those that follow the request, or all the rest."""
    if count is None:
        return iter(range(before + 1, sys.maxsize))
    return iter(np.frombuffer(sys.stdin.buffer.read(8 * count), np.int64).tolist())


def _answer(out: BinaryIO, pictures: Sequence[Array] = (), last: bool = False, **head: Any) -> None:
    shapes = [picture.shape for picture in pictures]
    text = json.dumps(head | {"shapes": shapes, "last": last}).encode()
    out.write(np.int64(len(text)).tobytes() + text)
    for picture in pictures:
        out.write(picture.data)
    out.flush()


def _limit_memory(pixels: int, threads: int) -> None:
    """Let a decoder that asks for too much be told that there is no more."""
    there = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    wanted = there + PROGRAM + threads * THREAD + (PICTURES + threads) * DEPTH * pixels
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    soft = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_AS, (soft, most))


if __name__ == "__main__":
    main()
