"""One film of a library, from the film to its people and what the base network sees in them.

The same function serves every engine: it takes plain values and returns them, whatever happens.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.config import Device, load_config
from videoclusternet.errors import VideoClusterNetError
from videoclusternet.faces.crops import evenly
from videoclusternet.models.registry import choose_backbone
from videoclusternet.processors import leave_with_parent, usable_threads
from videoclusternet.records import Array, Crops
from videoclusternet.results.people import Appearance
from videoclusternet.review.log import Log
from videoclusternet.run_view import RunView, load_run
from videoclusternet.workspace import StageProgress, unwatched

CROPS = 32  # of a person, spread evenly, that the base network looks at; ours
FRAMES = 12  # of which one gives a crop; ours
INTERNAL = 6  # the code of our own faults, as of the command line


@dataclass(frozen=True)
class Job:
    """What to do with one film."""

    film: str
    folder: str
    preset: str
    settings: tuple[str, ...]
    device: Device = "auto"
    threads: int = 1
    until: str | None = None  # a stage: then no people are looked at
    review: bool = False  # only the people, of a run that was gone over since


@dataclass(frozen=True, eq=False)
class Part:
    """One person of a film, as a library wants to know them."""

    number: int
    name: str  # "" where nobody gave one
    seconds: float
    appearances: tuple[Appearance, ...]
    faces: tuple[int, ...]  # rows of the run's crops, the best first
    count: int
    total: Array  # (d,) of embeddings of length 1, float32


@dataclass(frozen=True)
class Outcome:
    """What came of a job: its exit code with a sentence, and people where the code is 0."""

    code: int
    sentence: str = ""
    seconds: float = 0.0
    version: str = ""
    threads: int = 1
    parts: tuple[Part, ...] = ()


def do(job: Job, progress: StageProgress = unwatched) -> Outcome:
    """Do a job. What goes wrong is an outcome, too."""
    begin = time.monotonic()
    try:
        outcome = _done(job, progress)
    except VideoClusterNetError as error:
        outcome = Outcome(error.exit_code, str(error))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        outcome = Outcome(INTERNAL, f"This is a fault of the program ({what}): report it.")
    return replace(outcome, seconds=time.monotonic() - begin, threads=job.threads)


def _done(job: Job, progress: StageProgress) -> Outcome:
    if job.review:
        view = load_run(job.folder)
    else:
        from videoclusternet.pipeline import process_film  # all the libraries, for who runs films

        view = process_film(
            job.film, job.folder, job.preset, job.settings, device=job.device, until=job.until,
            progress=progress,
        )  # fmt: skip
    if job.until is not None:
        return Outcome(0)
    return Outcome(0, version=version_of(view), parts=parts_of(view, job))


def version_of(view: RunView) -> str:
    """Return what changes when a run has other people or other names."""
    return f"{view.manifest.stages['clusters'].digest}-{Log(view.folder).current()[0]}"


def parts_of(view: RunView, job: Job) -> tuple[Part, ...]:
    """Return the people of a run who have a crop and do not count as ignored."""
    people = [one for one in view.people if not one.ignored]
    rows = [_rows(view.crops, one.tracks) for one in people]
    known = [(one, mine) for one, mine in zip(people, rows, strict=True) if len(mine)]
    seen = _embedded(view, [mine for _, mine in known], job)
    return tuple(
        Part(
            number=one.number,
            name=one.given,
            seconds=one.seconds,
            appearances=one.appearances,
            faces=one.faces,
            count=len(mine),
            total=vectors.sum(0),
        )
        for (one, mine), vectors in zip(known, seen, strict=True)
    )


def _rows(crops: Crops, tracks: tuple[int, ...]) -> Array:
    """Return some crops of these tracks, no two of a track nearly the same picture: how far apart
    a person's crops lie is what people of other films are measured by.
    """
    rows = np.flatnonzero(np.isin(crops.track, tracks))
    first = np.searchsorted(crops.track, crops.track[rows])  # the first crop of each one's track
    since = crops.frame[rows] - crops.frame[first]
    slots = np.stack([crops.track[rows], (since + FRAMES // 2) // FRAMES])
    rows = rows[np.unique(slots, axis=1, return_index=True)[1]]
    return rows[evenly(len(rows), CROPS)]


def _embedded(view: RunView, rows: list[Array], job: Job) -> list[Array]:
    """Return what the backbone as it came makes of crops, each (n, d) of length 1."""
    if not rows:
        return []
    from videoclusternet.models.base import base_embeddings
    from videoclusternet.models.device import enough_memory, resolve_device, threads

    config = load_config(job.preset, job.settings)
    images = (view.crops.images[mine] for mine in rows)
    with threads(usable_threads()), enough_memory():
        place = resolve_device(job.device)
        return list(base_embeddings(*choose_backbone(config.backbone), images, place))


def main() -> None:
    """Do the job on the standard input; tell how far it is, and in the end the outcome, in lines.

    The engine that runs this in a process of its own reads them.
    """
    values = json.loads(sys.stdin.readline())
    leave_with_parent()
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**line: Any) -> None:
        told.write(json.dumps(line) + "\n")
        told.flush()

    def progress(stage: str, done: int, total: int) -> None:
        say(stage=stage, done=done, total=total)

    job = Job(**values | {"settings": tuple(values["settings"])})
    say(outcome=to_plain(do(job, progress)))


def to_plain(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome in plain values."""
    parts = [
        vars(part) | {
            "total": part.total.tolist(),
            "appearances": [(one.start, one.end) for one in part.appearances],
        }
        for part in outcome.parts
    ]  # fmt: skip
    return vars(outcome) | {"parts": parts}


def from_plain(values: dict[str, Any]) -> Outcome:
    """Return what `to_plain` was given."""
    parts = [
        Part(
            **part | {
                "total": np.array(part["total"], np.float32),
                "faces": tuple(part["faces"]),
                "appearances": tuple(Appearance(*one) for one in part["appearances"]),
            }
        )
        for part in values["parts"]
    ]  # fmt: skip
    return Outcome(**values | {"parts": tuple(parts)})


if __name__ == "__main__":
    main()
