"""Erasing one person: all that a run found out about them.

A network that was fitted to a face is as personal as its picture, and so is what it made of that
face; both go. What is removed is listed, and then looked for in every file that is left.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.durable import ASIDE, aside, locked, settle, sweep
from videoclusternet.errors import InputError
from videoclusternet.manifest import FileNote, Manifest
from videoclusternet.purge import without
from videoclusternet.purge.erase import JOURNALS, episodes_in, note_of, own_files
from videoclusternet.purge.proof import Proof, Removed, search
from videoclusternet.records import UNKNOWN, Array, Crops
from videoclusternet.results.drawing import small_face
from videoclusternet.results.people import Person
from videoclusternet.results.remaining import clusters_without, renumbered
from videoclusternet.results.together import find_person
from videoclusternet.review.log import FILE, Log
from videoclusternet.review.rerun import begin, restart
from videoclusternet.run_view import RunView, load_run
from videoclusternet.season.share import digests_of, is_joined, show_again
from videoclusternet.stages import STAGES

MADE_ANEW = ("links", "model", "people", "report")  # of whom is left: the first by the next run
SHARED = ("clusters", "facts", "people", "report")  # that an episode has of its season
SAMPLE = 48  # crops and signatures that are looked for
CHUNK = 256  # crops copied at a time


def erase_person(folder: Path, who: str) -> Proof:
    """Remove all that a run found out about one person, as it is after a review.

    Their faces, crops, tracks and signatures are taken out of the records, and the tuned network,
    its log and the whole history of the review are removed; names and numbers of all others stay.
    Of a season the same goes for its episodes. A later run tunes the network anew to those who are
    left. Raises UsageError where nobody is called so or this is an episode, InputError where the
    run is not finished, BusyError while a run works in the folder.
    """
    with ExitStack() as held:
        held.enter_context(locked(folder))
        sweep(folder)
        view = load_run(folder)
        view.manifest.refuse_episode(folder, "purge")
        for path in _episodes_of(view):
            held.enter_context(locked(path))
            sweep(path)
        steady = view.manifest.steady(view.tracks)
        begin(Log(folder), view.clusters, steady, view.made)  # so that numbers stay
        person = find_person((*view.people, view.people.unknown), who)
        gone = np.array(person.tracks, np.int64)
        traces = _traces(view, person)
        before = _files_of(folder)
        counts = _write_without(view, gone)
    show_again(folder)
    after = _files_of(folder)
    changed = [Removed(name, *note) for name, note in before.items() if after.get(name) != note]
    searched, found = search(folder, traces)
    return Proof(tuple(changed), counts, len(traces), searched, tuple(found))


def _episodes_of(view: RunView) -> list[Path]:
    """Return the folders of a season's episodes, none for a film.

    Raises InputError where they hold anything that the season does not know to whom it belongs.
    """
    episodes = {view.folder / note.folder: note for note in view.manifest.episodes}
    for path in {*episodes, *episodes_in(view.folder)}:
        if path not in episodes or not is_joined(path, episodes[path]):
            raise InputError(
                f"{path} is not what the season in {view.folder} was made of: run the season with "
                "it, or remove that folder, and purge again."
            )
    return [*episodes]


def _files_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Return size and hash of what the program made, by its path in the folder."""
    folders = (folder, *episodes_in(folder))
    paths = [path for inside in folders for path in own_files(inside)]
    return {str(path.relative_to(folder)): note_of(path) for path in paths}


@dataclass
class _Left:
    """A run without some tracks: its files, still aside, until all are put in their places."""

    folder: Path
    manifest: Manifest
    parts: list[Path] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)  # files

    def write(self, stage: str, record: Any) -> None:
        """Write a stage's record anew."""
        self.noted(stage, [aside(self.folder / name) for name in STAGES[stage].files], record)

    def noted(self, stage: str, parts: list[Path], record: Any) -> None:
        """Write a record into these files, and take note of them."""
        STAGES[stage].write(record, *parts)
        files = {path.name.removesuffix(ASIDE): FileNote.of(path) for path in parts}
        note = self.manifest.stages[stage].model_copy(update={"files": files})
        self.manifest.stages[stage] = note
        self.parts += parts

    def drop(self, stages: Sequence[str]) -> None:
        """Forget stages that are to be made anew."""
        for stage in stages:
            self.manifest.stages.pop(stage, None)
            self.removed += [*STAGES[stage].files, *STAGES[stage].scratch]

    def settle(self) -> None:
        """Put everything into its place."""
        settle(self.parts)
        self.manifest.save(self.folder)
        for name in self.removed:
            (self.folder / name).unlink(missing_ok=True)


def _write_without(view: RunView, gone: Array) -> dict[str, int]:
    """Put records without these tracks into the place of the run's, and count what went."""
    folder, manifest = view.folder, view.manifest
    number = renumbered(view.tracks.count, gone)
    episodes = [*_episodes_without(view, gone)]
    left = _Left(folder, manifest)
    faces = _front_without(left, view, gone)
    clusters = clusters_without(view.clusters, number)
    left.write("clusters", clusters)
    left.write("signatures", without.signatures_without(view.signatures, number))
    left.write("facts", replace(view.facts, faces=faces))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        tracks = manifest.steady(without.tracks_without(view.tracks, number))
        restart(Log(folder), Log(Path(place)), number, clusters, tracks)
        left.parts.append((Path(place) / FILE).rename(folder / (FILE + ASIDE)))
    left.removed += [FILE + suffix for suffix in JOURNALS]
    left.drop(MADE_ANEW)
    for one in (*episodes, left):
        one.settle()
    return {
        "tracks": len(gone),
        "crops": int(view.crops.counts[gone].sum()),
        "detected faces": len(view.faces) - faces,
        "signatures": len(gone),
    }


def _episodes_without(view: RunView, gone: Array) -> Iterator[_Left]:
    """Yield the episodes of a season without these of its tracks, and note where they begin now."""
    first = 0
    for place, note in enumerate(view.manifest.episodes):
        episode = load_run(view.folder / note.folder)
        mine = gone[(gone >= note.first_track) & (gone < note.first_track + note.tracks)]
        left = _Left(episode.folder, episode.manifest)
        faces = _front_without(left, episode, mine - note.first_track)
        left.drop(SHARED)
        tracks = note.tracks - len(mine)
        view.manifest.episodes[place] = note.model_copy(
            update={
                "first_track": first,
                "tracks": tracks,
                "faces": faces,
                "joined": digests_of(episode.manifest),
            }
        )
        first += tracks
        yield left


def _front_without(left: _Left, view: RunView, gone: Array) -> int:
    """Write what was found before anybody asked who is who; returns how many faces are left."""
    number = renumbered(view.tracks.count, gone)
    faces = without.faces_without(view.faces, view.tracks, gone)
    left.write("faces", faces)
    left.write("kept", without.faces_without(view.kept, view.tracks, gone))
    left.write("tracks", without.tracks_without(view.tracks, number))
    _write_crops(left, view.crops, number)
    return len(faces)


def _write_crops(into: _Left, crops: Crops, number: Array) -> None:
    """Write the crops of the tracks that have a new number, a few at a time."""
    images, columns = (aside(into.folder / name) for name in STAGES["crops"].files)
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
    into.noted("crops", [images, columns], left)


def _traces(view: RunView, person: Person) -> list[bytes]:
    """Return what would show that something of a person is left.

    Their name, rows of pixels of their crops, those pictures as reports hold them, and rows of
    their signatures. Flat pixels are no trace: they are found anywhere.
    """
    traces = []
    if person.label != UNKNOWN and person.given:
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
