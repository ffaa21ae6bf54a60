"""Films of our own: frames in, an H.264 file out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av

from videoclusternet.durable import aside, settle, writing
from videoclusternet.records import Array

# With several threads, or with "mbtree", x264 writes the same frames in other bytes each time.
ENCODER = {"crf": "20", "preset": "veryfast", "threads": "1", "x264-params": "mbtree=0"}


def write_video(path: Path, frames: Iterable[Array], fps: int, size: tuple[int, int]) -> None:
    """Write frames, each RGB uint8 (height, width, 3), as an MP4 file of even width and height.

    The file is there as a whole or not at all. The same frames make the same bytes wherever the
    same encoder is. Raises ResourceError where the file cannot be written.
    """
    part = aside(path)
    with writing(part), av.open(str(part), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=fps, options=ENCODER)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode(None))
    settle([part])
