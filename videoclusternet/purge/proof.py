"""The proof that something is gone: its traces, looked for in every file that is left."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SHORTEST = 6  # bytes of a trace; shorter ones are found anywhere


@dataclass(frozen=True)
class Removed:
    """A file that is gone, or is another one now."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Proof:
    """What was removed, and what a search for it found."""

    files: tuple[Removed, ...]
    counts: dict[str, int] = field(default_factory=dict)  # of things inside files
    traces: int = 0  # looked for
    searched: int = 0  # files
    found: tuple[str, ...] = ()  # files in which a trace was found
    foreign: tuple[str, ...] = ()  # files in the folder that the program did not make


def search(folder: Path, traces: Sequence[bytes]) -> tuple[int, list[str]]:
    """Look for traces in every file below a folder; return how many files, and those with one."""
    traces = [trace for trace in traces if len(trace) >= SHORTEST]
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return len(files), [str(path) for path in files if _holds(path, traces)]


def _holds(path: Path, traces: Iterable[bytes]) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return any(mapped.find(trace) >= 0 for trace in traces)
