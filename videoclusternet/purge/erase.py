"""Erasing: all that a run found out about people, or all about one of them.

A network that was fitted to a face is as personal as its picture, and so is what it made of that
face; both go. What is removed is listed, and then looked for in every file that is left.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.durable import ASIDE, LOCK, aside, locked, settle, sweep, writing
from videoclusternet.errors import InputError
from videoclusternet.manifest import MANIFEST, FileNote, Manifest
from videoclusternet.pipeline import show_again
from videoclusternet.purge import without
from videoclusternet.purge.proof import Proof, Removed, search
from videoclusternet.records import UNKNOWN, Array, Crops
from videoclusternet.results.drawing import small_face
from videoclusternet.results.people import Person
from videoclusternet.results.together import find_person
from videoclusternet.review.log import FILE, Log
from videoclusternet.review.rerun import begin, restart
from videoclusternet.run_view import RunView, load_run
from videoclusternet.stages import STAGES

JOURNALS = ("-journal", "-wal", "-shm")  # that SQLite keeps beside a database
MADE_ANEW = ("model", "people", "report")  # of whom is left: the first by the next run
SAMPLE = 48  # crops and signatures that are looked for
CHUNK = 256  # crops copied at a time


def erase_run(folder: Path) -> Proof:
    """Remove all that a run left in its folder, and the folder where nothing else lies in it.

    What the program did not make is left alone and named. Raises InputError where the folder holds
    no run, BusyError while a run works in it.
    """
    if not any((folder / name).is_file() for name in (MANIFEST, LOCK)):
        raise InputError(f"{folder} holds no run.")
    with locked(folder):
        sweep(folder)
        removed = [remove(path) for path in _own_files(folder)]
        foreign = sorted(path.name for path in folder.iterdir() if path.name != LOCK)
    (folder / LOCK).unlink()
    if not foreign:
        with writing(folder):
            folder.rmdir()
    known = {(one.bytes, one.sha256) for one in removed}
    copies = [
        str(path)
        for path in (folder / name for name in foreign)
        if path.is_file() and _note(path) in known
    ]
    return Proof(
        tuple(removed), traces=len(known), searched=len(foreign), found=tuple(copies),
        foreign=tuple(foreign),
    )  # fmt: skip


def erase_old(folder: Path, days: float) -> Iterator[tuple[Path, Proof]]:
    """Erase every run below a folder that was worked on last more than so many days ago."""
    limit = datetime.now(UTC) - timedelta(days=days)
    for path in sorted(folder.rglob(MANIFEST)):
        try:
            stages = Manifest.load(path.parent).stages.values()
        except (InputError, ValueError):
            continue  # not ours, of a later version, or damaged: nobody knows how old it is
        if stages and max(note.finished for note in stages) < limit:
            yield path.parent, erase_run(path.parent)


def _own_files(folder: Path) -> list[Path]:
    """Return what the program made here; the manifest is last, so that it can be done again."""
    names = [name for stage in STAGES.values() for name in (*stage.files, *stage.scratch)]
    names += [FILE, *(FILE + suffix for suffix in JOURNALS), MANIFEST]
    return [folder / name for name in names if (folder / name).is_file()]


def remove(path: Path) -> Removed:
    """Remove a file, and return what it was."""
    size, sha256 = _note(path)
    with writing(path):
        path.unlink()
    return Removed(path.name, size, sha256)


def _note(path: Path) -> tuple[int, str]:
    note = FileNote.of(path)
    return note.bytes, note.sha256


def erase_person(folder: Path, who: str) -> Proof:
    """Remove all that a run found out about one person, as it is after a review.

    Their faces, crops, tracks and signatures are taken out of the records, and the tuned network,
    its log and the whole history of the review are removed; names and numbers of all others stay.
    A later run tunes the network anew to those who are left. Raises UsageError where nobody is
    called so, InputError where the run is not finished, BusyError while a run works in the folder.
    """
    with locked(folder):
        sweep(folder)
        view = load_run(folder)
        begin(Log(folder), view.clusters, view.tracks, view.made)  # so that numbers stay
        person = find_person((*view.people, view.people.unknown), who)
        gone = np.array(person.tracks)
        traces = _traces(view, person)
        before = {path.name: _note(path) for path in _own_files(folder)}
        counts = _write_without(view, gone)
    show_again(folder)
    after = {path.name: _note(path) for path in _own_files(folder)}
    changed = [Removed(name, *note) for name, note in before.items() if after.get(name) != note]
    searched, found = search(folder, traces)
    return Proof(tuple(changed), counts, len(traces), searched, tuple(found))


def _write_without(view: RunView, gone: Array) -> dict[str, int]:
    """Put records without these tracks into the place of the run's, and count what went."""
    folder, manifest, old = view.folder, view.manifest, view.tracks
    number = without.renumbered(old.count, gone)
    tracks = without.tracks_without(old, number)
    clusters = without.clusters_without(view.clusters, number)
    faces, kept = (without.faces_without(one, old, gone) for one in (view.faces, view.kept))
    records: dict[str, Any] = {
        "faces": faces, "kept": kept, "tracks": tracks, "clusters": clusters,
        "signatures": without.signatures_without(view.signatures, number),
        "facts": replace(view.facts, faces=len(faces)),
    }  # fmt: skip
    parts: list[Path] = []
    for stage, record in records.items():
        mine = [aside(folder / name) for name in STAGES[stage].files]
        STAGES[stage].write(record, *mine)
        _renote(manifest, stage, mine)
        parts += mine
    crops = _write_crops(view.crops, number, folder)
    _renote(manifest, "crops", crops)
    parts += crops
    with tempfile.TemporaryDirectory(dir=folder) as place:
        restart(Log(folder), Log(Path(place)), number, clusters, tracks)
        parts.append((Path(place) / FILE).rename(folder / (FILE + ASIDE)))
    removed = [FILE + suffix for suffix in JOURNALS]
    for stage in MADE_ANEW:
        manifest.stages.pop(stage, None)
        removed += [*STAGES[stage].files, *STAGES[stage].scratch]
    settle(parts)
    manifest.save(folder)
    for name in removed:
        (folder / name).unlink(missing_ok=True)
    return {
        "tracks": len(gone),
        "crops": int(view.crops.counts[gone].sum()),
        "detected faces": len(view.faces) - len(faces),
        "signatures": len(gone),
    }


def _write_crops(crops: Crops, number: Array, folder: Path) -> list[Path]:
    """Write the crops of the tracks that have a new number; returns the files, still aside."""
    images, columns = (aside(folder / name) for name in STAGES["crops"].files)
    rows = np.flatnonzero(number[crops.track] >= 0)
    shape = (len(rows), *crops.images.shape[1:])
    with images.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        for begin in range(0, len(rows), CHUNK):
            file.write(crops.images[rows[begin : begin + CHUNK]].tobytes())
    left = Crops(
        np.load(images, mmap_mode="r", allow_pickle=False), number[crops.track[rows]],
        crops.frame[rows], crops.sharpness[rows], crops.frontal[rows], crops.counts[number >= 0],
    )  # fmt: skip
    STAGES["crops"].write(left, images, columns)
    return [images, columns]


def _renote(manifest: Manifest, stage: str, parts: Sequence[Path]) -> None:
    files = {path.name.removesuffix(ASIDE): FileNote.of(path) for path in parts}
    note = manifest.stages[stage]
    manifest.stages[stage] = note.model_copy(update={"files": files})


def _traces(view: RunView, person: Person) -> list[bytes]:
    """Return what would show that something of a person is left.

    Their name, rows of pixels of their crops, those pictures as reports hold them, and rows of
    their signatures. Flat pixels are no trace: they are found anywhere.
    """
    traces = []
    if person.label != UNKNOWN and person.name != f"Person {person.number}":
        traces += [person.name.encode(), json.dumps(person.name)[1:-1].encode()]
    rows = np.flatnonzero(np.isin(view.crops.track, person.tracks))
    for row in {*_spread(rows), *person.faces}:
        image = view.crops.images[row]
        middle = np.ascontiguousarray(image[len(image) // 2])
        if np.ptp(middle) > 16:
            traces.append(middle.tobytes())
            traces.append(base64.b64encode(small_face(image))[-400:-4])
    for track in _spread(np.array(person.tracks)):
        if view.signatures.count[track]:
            traces.append(view.signatures.p[track].tobytes())
    return list(dict.fromkeys(traces))


def _spread(rows: Array) -> list[int]:
    places = np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).round().astype(int)
    return [int(row) for row in rows[places]]
