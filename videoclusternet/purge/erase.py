"""Erasing all that runs found out about people; `purge.person` erases one of them.

What is removed is listed, and copies of it are looked for in every file that is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from videoclusternet.durable import LOCK, locked, sweep, writing
from videoclusternet.errors import InputError
from videoclusternet.manifest import EPISODES, MANIFEST, FileNote, Manifest
from videoclusternet.purge.proof import Proof, Removed
from videoclusternet.review.log import FILE
from videoclusternet.stages import STAGES

JOURNALS = ("-journal", "-wal", "-shm")  # that SQLite keeps beside a database


def erase_run(folder: Path) -> Proof:
    """Remove all that a run left in its folder, and the folder where nothing else lies in it.

    Of a season the episodes go, too. What the program did not make is left alone and named. Raises
    InputError where the folder holds no run, UsageError where it is an episode of a season, and
    BusyError while a run works in it.
    """
    if not _is_run(folder):
        raise InputError(f"{folder} holds no run: name a run folder.")
    manifest = _manifest_of(folder)
    if manifest is not None:
        manifest.refuse_episode(folder, "purge")
    return _erase(folder)


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (MANIFEST, LOCK))


def _manifest_of(folder: Path) -> Manifest | None:
    """Return a folder's manifest; None where it is not there, damaged or of a later version."""
    try:
        return Manifest.load(folder)
    except (InputError, ValueError):
        return None


def episodes_in(folder: Path) -> list[Path]:
    """Return the folders of all episodes that a season has or had; none for a film."""
    manifest = _manifest_of(folder)
    if manifest is None or not manifest.episodes:
        return []
    return sorted(path for path in (folder / EPISODES).glob("*") if _is_run(path))


def _erase(folder: Path) -> Proof:
    """Do what `erase_run` does; episodes first, so that a season can be erased again until all is
    gone.
    """
    with locked(folder):
        sweep(folder)
        inside = episodes_in(folder)
        removed, foreign = [], []
        for path in inside:
            proof, place = _erase(path), path.relative_to(folder)
            removed += [replace(one, name=str(place / one.name)) for one in proof.files]
            foreign += [str(place / name) for name in proof.foreign]
        removed += [remove(path) for path in own_files(folder)]
        left = {path.name for path in folder.iterdir()} - {LOCK}
        home = folder / EPISODES
        if inside or (home.is_dir() and not any(home.iterdir())):
            others = [path for path in home.iterdir() if path not in inside]
            foreign += [str(path.relative_to(folder)) for path in others]
            left.remove(EPISODES)
            if not foreign:
                with writing(home):
                    home.rmdir()
        foreign = sorted([*foreign, *left])
    (folder / LOCK).unlink()
    if not foreign:
        with writing(folder):
            folder.rmdir()
    known = {(one.bytes, one.sha256) for one in removed}
    copies = [
        str(path)
        for path in (folder / name for name in foreign)
        if path.is_file() and note_of(path) in known
    ]
    return Proof(
        tuple(removed), traces=len(known), searched=len(foreign), found=tuple(copies),
        foreign=tuple(foreign),
    )  # fmt: skip


def erase_old(folder: Path, days: float) -> Iterator[tuple[Path, Proof]]:
    """Erase every run below a folder that was worked on last more than so many days ago."""
    limit = datetime.now(UTC) - timedelta(days=days)
    for path in sorted(folder.rglob(MANIFEST)):
        manifest = _manifest_of(path.parent)
        if manifest is None or manifest.of_season:
            continue  # not ours, or nobody knows how old it is; an episode goes with its season
        stages = manifest.stages.values()
        if stages and max(note.finished for note in stages) < limit:
            yield path.parent, erase_run(path.parent)


def own_files(folder: Path) -> list[Path]:
    """Return what the program made here; the manifest is last, so that it can be done again."""
    names = [name for stage in STAGES.values() for name in (*stage.files, *stage.scratch)]
    names += [FILE, *(FILE + suffix for suffix in JOURNALS), MANIFEST]
    return [folder / name for name in names if (folder / name).is_file()]


def remove(path: Path) -> Removed:
    """Remove a file, and return what it was."""
    size, sha256 = note_of(path)
    with writing(path):
        path.unlink()
    return Removed(path.name, size, sha256)


def note_of(path: Path) -> tuple[int, str]:
    """Return the size of a file, and its SHA-256."""
    note = FileNote.of(path)
    return note.bytes, note.sha256
