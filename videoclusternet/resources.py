"""Room on the disk and in memory, asked for before the work and not in the middle of it.

The figures are estimates from films that were measured (`docs/performance.md`), on the safe side.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from videoclusternet.config import Config
from videoclusternet.errors import ResourceError
from videoclusternet.models.registry import BackboneSpec
from videoclusternet.video.stream import VideoInfo

HOUR = 3600.0  # seconds that a film is taken to last where it does not say
CROPS = 12.0  # a second of film, where many are on the screen; measured: 3 to 10
TRACKS = 1.5  # a second of film, likewise
REST = 60e6  # bytes of all other files of an hour, and to spare
STATES = 4  # of the network on the disk while it is tuned: student, teacher and two moments
COPIES = 9  # in memory: these, the gradients, and what to go back to
PROGRAM = 900e6  # bytes of the libraries and their buffers
PICTURES = 24  # decoded ones in memory at once, at 3 bytes a pixel


def as_one(infos: Sequence[VideoInfo]) -> VideoInfo:
    """Return what the films of a season, one at least, take as one: all their time, and the
    largest of their pictures.
    """
    return replace(
        infos[0],
        width=max(info.width for info in infos),
        height=max(info.height for info in infos),
        seconds=sum(info.seconds or HOUR for info in infos),
    )


def disk_needed(info: VideoInfo, spec: BackboneSpec, config: Config, copies: int = 1) -> float:
    """Return how many bytes a run of this film will take in its folder at most.

    A season holds two copies of the crops: each episode's, and all of them in one file.
    """
    seconds = info.seconds or HOUR
    crops = copies * seconds * CROPS * 3 * spec.feed.size**2
    network = 4 * spec.parameters * (1 + 2 * STATES)  # the result, and two states to go on from
    signatures = seconds * TRACKS * 4 * 4 * config.finetune.heads * config.finetune.outputs
    return crops + network + signatures + REST * max(1.0, seconds / HOUR)


def memory_needed(info: VideoInfo, spec: BackboneSpec, config: Config) -> float:
    """Return how many bytes of memory a run of this film will take at most."""
    seconds = info.seconds or HOUR
    pictures = PICTURES * 3 * info.width * info.height
    network = 4 * spec.parameters * COPIES
    signatures = seconds * TRACKS * 4 * 4 * config.finetune.heads * config.finetune.outputs
    return PROGRAM + max(pictures, network + signatures)


def check_resources(
    folder: Path,
    info: VideoInfo,
    spec: BackboneSpec,
    config: Config,
    copies: int = 1,
    what: str = "this film",
) -> None:
    """Raise ResourceError, with the numbers, where disk or memory will not be enough.

    What the run's folder holds already is taken as a part of what is needed.
    """
    try:
        free = free_disk(folder)
        held = sum(path.stat().st_size for path in folder.rglob("*")) if folder.is_dir() else 0
    except OSError:
        return  # who cannot be asked will say so when it is written to
    needed = disk_needed(info, spec, config, copies)
    if free + held < needed:
        raise ResourceError(
            f"A run of {what} takes up to {spelt(needed)} in {folder}, and "
            f"{spelt(free)} are free there: make room, or name another folder."
        )
    needed, available = memory_needed(info, spec, config), free_memory()
    if available < needed:
        raise ResourceError(
            f"A run of {what} takes up to {spelt(needed)} of memory, and {spelt(available)} "
            "are free: end other programs, or use a smaller network ('vcn models' lists them)."
        )


def free_disk(folder: Path) -> int:
    """Return how many bytes are free where a folder is, or would be made. Raises OSError."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def free_memory() -> int:
    """Return how many bytes of memory are free."""
    return psutil.virtual_memory().available


def spelt(size: float) -> str:
    """Return a number of bytes as people say it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
