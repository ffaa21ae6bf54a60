"""Whether the same film and seed make the same files, and a run that is done is left alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import videoclusternet as vcn
from benchmarks.results_file import Goal, Row
from benchmarks.runs import redone, stages_of

UNPROMISED = {"facts.json", "report.html"}  # they say when the run was made, and how long it took


def measure_repeat(name: str, run: Callable[[Path], object], work: Path) -> list[Row]:
    """Run a film twice in fresh folders below `work`, and once more in the first of them.

    `run` is called with the folder. The folders are left, so that what differs can be looked at.
    """
    work.mkdir(parents=True, exist_ok=True)
    first, second = (Path(mkdtemp(prefix=f"{name}-repeat-", dir=work)) for _ in range(2))
    run(first)
    run(second)
    left, right = digests(first), digests(second)
    rows = [
        Row.of(f"{name}.same.{file}", left.get(file) == right.get(file), "1 = same", Goal(1, 1))
        for file in sorted(left | right)
    ]
    before = stages_of(first)
    run(first)
    again = redone(before, stages_of(first))
    kept = digests(first) == left
    return [
        *rows,
        Row.of(f"{name}.stages", len(before), "stages"),
        Row.of(f"{name}.redone", len(again), "stages", Goal(0, 0)),
        Row.of(f"{name}.kept", kept, "1 = files as before", Goal(1, 1)),
    ]


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each promised file of a run, taken from the file itself."""
    stages = vcn.load_run(folder).manifest.stages.values()
    names = {file for stage in stages for file in stage.files} - UNPROMISED
    return {name: _sha256(folder / name) for name in names}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
