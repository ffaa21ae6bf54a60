"""Decoding in one thread while another looks at what is decoded."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from videoclusternet.video.stream import Frame


def ahead(frames: Generator[Frame]) -> Generator[Frame]:
    """Yield the frames; while one is looked at, another thread already makes the next."""
    with closing(frames), ThreadPoolExecutor(1) as decoder:
        coming = decoder.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = decoder.submit(next, frames, None)
            yield frame
