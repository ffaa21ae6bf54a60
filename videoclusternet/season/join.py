"""The records of episodes, one after the other, as the records of one film.

Frames, times and tracks are counted on: an episode begins where the one before ends. A new one
begins a new shot, so no track and no camera motion goes from one into the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from videoclusternet.durable import let_go
from videoclusternet.faces.crops import allocate
from videoclusternet.records import Array, Crops, Faces, Progress, Record, Shots, Tracks, silent

CHUNK = 256  # crops copied at a time

Rows = TypeVar("Rows", bound=Record)


def join_shots(parts: Sequence[Shots]) -> Shots:
    """Return the shots of all episodes; what has no frame has no part in it."""
    parts = [part for part in parts if part.frames]
    if not parts:
        return Shots.empty()
    times = parts[0].times
    for part in parts[1:]:
        times = np.concatenate([times[:-1], times[-1] + part.times - part.times[0]])
    first = np.cumsum([0, *(part.frames for part in parts[:-1])])
    return Shots(
        first=np.concatenate([part.first + n for part, n in zip(parts, first, strict=True)]),
        stop=np.concatenate([part.stop + n for part, n in zip(parts, first, strict=True)]),
        times=times,
    )


def join_faces(parts: Sequence[Faces], frames: Sequence[int]) -> Faces:
    """Return the faces of all episodes, whose first frames are given."""
    counted = "frame", "looked", "setup_left", "setup_right"
    return Faces(**_columns(parts, dict.fromkeys(counted, frames)))


def join_tracks(parts: Sequence[Tracks], frames: Sequence[int], tracks: Sequence[int]) -> Tracks:
    """Return the tracks of all episodes, whose first frames and tracks are given."""
    return Tracks(**_columns(parts, {"frame": frames, "track": tracks}))


def join_crops(
    parts: Sequence[Crops],
    frames: Sequence[int],
    tracks: Sequence[int],
    out: Path | None = None,
    progress: Progress = silent,
) -> Crops:
    """Return the crops of all episodes, one at least, whose first frames and tracks are given.

    With `out` the images go into a .npy file there, a few at a time, and are returned as a
    read-only memory map. Raises OSError where the file cannot be written.
    """
    count = sum(map(len, parts))
    images = allocate((count, *parts[0].images.shape[1:]), out)
    done = 0
    for part in parts:
        for begin in range(0, len(part), CHUNK):
            some = part.images[begin : begin + CHUNK]
            images[done : done + len(some)] = some
            done += len(some)
            let_go(part.images)
            let_go(images)
            progress(done, count)
    columns = _columns(parts, {"frame": frames, "track": tracks}, leave="images")
    return Crops(images=images if out is None else np.load(out, mmap_mode="r"), **columns)


def _columns(
    parts: Sequence[Rows], first: Mapping[str, Sequence[int]], leave: str = ""
) -> dict[str, Array]:
    """Return the columns of all parts one after the other, some of them counted on.

    `first` is what is added to such a column, a number for each part.
    """
    columns = {}
    for name in parts[0].columns():
        if name != leave:
            shifts = first.get(name)
            values = [getattr(part, name) for part in parts]
            if shifts is not None:
                values = [value + n for value, n in zip(values, shifts, strict=True)]
            columns[name] = np.concatenate(values)
    return columns
