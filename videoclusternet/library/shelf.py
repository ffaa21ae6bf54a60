"""A library: many films, and the people they share.

Its films are run by an engine, their people linked by `library.link`, and what somebody says of the
links is kept in a log that no later run contradicts, as in the review of one film.
"""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import psutil

from videoclusternet.config import Device, load_config
from videoclusternet.durable import locked, write_bytes
from videoclusternet.errors import InputError, UsageError
from videoclusternet.library.corrections import Corrections, Known
from videoclusternet.library.engines import Engine, LocalEngine, Told
from videoclusternet.library.job import Job, Outcome, version_of
from videoclusternet.library.link import Cast, keep_numbers, link_cast
from videoclusternet.library.store import Film, Member, Store
from videoclusternet.models.registry import choose_backbone
from videoclusternet.processors import usable_threads
from videoclusternet.records import Array
from videoclusternet.resources import memory_needed
from videoclusternet.results.people import Appearance
from videoclusternet.results.together import parse_question, those_moments
from videoclusternet.run_view import load_run
from videoclusternet.stages import STAGES
from videoclusternet.video.stream import VideoInfo

USUAL = VideoInfo(1920, 1080, 25.0, 7200.0, None, "")  # a film, for the memory that it takes


@dataclass(frozen=True)
class Doubt:
    """Two members who may be one person, for a human to settle."""

    left: Member
    right: Member
    place: float | None  # 0: as near as crops of one person, 1: as the nearest known stranger


@dataclass(frozen=True)
class Moment:
    """A stretch of a film, in seconds on its clock."""

    film: Film
    start: float
    end: float


class Library:
    """A folder with many films' runs, and who is in them."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.store = Store(self.folder)
        self.corrections = Corrections(self.folder)

    @classmethod
    def init(
        cls, folder: str | os.PathLike[str], preset: str = "standard", settings: Sequence[str] = ()
    ) -> Self:
        """Make a library in a new or empty folder; all its films are run with these settings.

        Raises InputError where the folder holds anything, UsageError for settings that cannot be
        meant, WeightsError where the network that they name is missing.
        """
        choose_backbone(load_config(preset, settings).backbone)
        Store.init(Path(folder), {"preset": preset, "settings": list(settings)})
        return cls(folder)

    def add(self, films: Iterable[str | os.PathLike[str]]) -> list[tuple[Path, bool]]:
        """Take films in, and return of each whether it is new. Raises as `Store.add` does."""
        return self.store.add(map(Path, films))

    def run(
        self,
        engine: Engine | None = None,
        *,
        device: Device = "auto",
        again: bool = False,
        told: Told = lambda *_: None,
    ) -> Generator[tuple[Film, Outcome]]:
        """Run what is not done, yield what comes of each film, and link the people in the end.

        A film whose run was reviewed since is only looked at again; `again` takes every film up,
        to redo what another version or other settings would make otherwise. Whoever looks no
        further ends what is under way. Raises BusyError where another process runs the library.
        """
        with locked(self.folder):
            films = {film.id: film for film in self.store.films()}
            jobs = self._jobs(films.values(), device, again)
            if engine is None:
                engine = LocalEngine(self._workers())
            for id_, outcome in engine.run(jobs, told) if jobs else ():
                self.store.note(id_, outcome)
                yield films[id_], outcome
            self.link()

    def _jobs(self, films: Iterable[Film], device: Device, again: bool) -> dict[int, Job]:
        about = self.store.about
        chosen: dict[int, tuple[Film, bool]] = {}
        for film in films:
            reviewed = film.state == "done" and not again
            if film.of_photos:
                continue
            if not reviewed or _version(film.folder) not in ("", film.version):
                chosen[film.id] = film, reviewed
        workers = max(1, min(len(chosen), self._workers()))
        return {
            id_: Job(
                film=str(film.path),
                folder=str(film.folder.absolute()),
                preset=about["preset"],
                settings=tuple(about["settings"]),
                device=device,
                threads=film.threads or max(1, usable_threads() // workers),
                review=review,
            )
            for id_, (film, review) in chosen.items()
        }

    def _workers(self) -> int:
        """Return how many films processors and memory are enough for at a time."""
        config = load_config(self.store.about["preset"], self.store.about["settings"])
        needed = memory_needed(USUAL, choose_backbone(config.backbone)[0], config)
        available = psutil.virtual_memory().available
        return max(1, min(usable_threads(), int(available / needed)))

    def link(self) -> None:
        """Find out who is who anew, from all films and all that was said."""
        members = self.store.members()
        names, bonds = self.corrections.said(members)
        film, count, before = (
            np.array([getattr(one, name) for one in members], np.int64)
            for name in ("film", "count", "person")
        )
        cast = Cast(film, count, self.store.totals(), names)
        label, links, doubts = link_cast(cast, bonds)
        self.store.link(members, keep_numbers(label, before, count), links, doubts)

    def films(self) -> list[Film]:
        """Return all films, in the order in which they were taken in."""
        return self.store.films()

    def people(self) -> list[Known]:
        """Return everybody, who is in most films first, then by screen time."""
        members = self._members()
        names, _ = self.corrections.said(members)
        groups: dict[int, list[tuple[Member, str]]] = {}
        for member, name in zip(members, names.tolist(), strict=True):
            groups.setdefault(member.person, []).append((member, name))
        known = []
        for number, group in groups.items():
            called = next((name for _, name in group if name), "")
            mine = sorted((one for one, _ in group), key=lambda one: (-one.seconds, one.id))
            name = called or f"Person {number}"
            known.append(Known(number, name, tuple(mine), named=bool(called)))
        return sorted(known, key=lambda one: (-one.films, -one.seconds, one.number))

    def person(self, text: str) -> Known:
        """Return who has this name or number. Raises UsageError where nobody has."""
        wanted = text.strip().casefold()
        for known in self.people():
            if wanted in (known.name.casefold(), str(known.number)):
                return known
        raise UsageError(
            f"Nobody in this library is called '{text.strip()}': 'vcn library people' prints who "
            "is there."
        )

    def find(self, text: str) -> list[Moment]:
        """Return the moments of all films with all of some people and none of others.

        Asked as in `results.together.find_moments`, which has the errors: "Ada & Bo - Cy".
        """
        wanted = parse_question(text)
        everyone = [(sign, self.person(who).members) for sign, who in wanted]
        times = self.store.appearances([member.id for _, members in everyone for member in members])
        found = []
        for film in self.store.films():
            here: list[tuple[str, list[Appearance]]] = [
                (
                    sign,
                    sorted(
                        (time for one in members if one.film == film.id for time in times[one.id]),
                        key=lambda time: time.start,
                    ),
                )
                for sign, members in everyone
            ]
            found += [Moment(film, one.start, one.end) for one in those_moments(here)]
        return found

    def faces(self, film: Film) -> Array:
        """Return the crops of a film's run, a read-only memory map (crops, size, size, 3), RGB.

        Raises InputError where the run is gone.
        """
        path = film.folder / STAGES["crops"].files[0]
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError):
            raise InputError(f"{path} is damaged or missing: run the library again.") from None

    def write_faces(self, film: Film, faces: Array) -> None:
        """Write the crops of people who were enrolled, as `faces` returns them."""
        file = io.BytesIO()
        np.save(file, faces, allow_pickle=False)
        write_bytes(film.folder / STAGES["crops"].files[0], file.getvalue())

    def doubts(self) -> list[Doubt]:
        """Return the pairs that somebody should look at, the most likely first."""
        members = {one.id: one for one in self._members()}
        return [
            Doubt(members[left], members[right], place)
            for left, right, _, place in self.store.doubts()
        ]

    def name(self, who: str, name: str, seen: int | None = None) -> None:
        """Call somebody by a name, in every film. Raises UsageError for an empty one.

        `seen`, here and below, is the last entry of the log that was known: ConflictError tells
        that there are others since.
        """
        self.corrections.name(self.person(who), name, seen)
        self.link()

    def same(self, left: int, right: int, seen: int | None = None) -> None:
        """Say that two members (their ids) are one person. Raises UsageError for unknown ones."""
        self.corrections.same(self._known_as(left), self._known_as(right), left, seen)
        self.link()

    def apart(self, left: int, right: int, seen: int | None = None) -> None:
        """Say that two members are two people; linked ones part, the first from all others.

        Raises UsageError for unknown ones.
        """
        self.corrections.apart(self._known_as(left), self._known_as(right), left, right, seen)
        self.link()

    def undo(self, seen: int | None = None) -> str:
        """Take back what was said last, and return what that was. Raises UsageError for nothing."""
        sentence = self.corrections.log.undo(seen).sentence
        self.link()
        return sentence

    def redo(self, seen: int | None = None) -> str:
        """Say again what was taken back last. Raises UsageError where there is nothing."""
        sentence = self.corrections.log.redo(seen).sentence
        self.link()
        return sentence

    def _known_as(self, member: int) -> Known:
        for known in self.people():
            if any(one.id == member for one in known.members):
                return known
        raise UsageError(f"Nobody in this library has the number {member}: look at the page again.")

    def _members(self) -> list[Member]:
        """Return the people of all films, none of them without a number of the library."""
        members = self.store.members()
        if all(one.person for one in members):
            return members
        self.link()  # a run was ended before it came to that
        return self.store.members()


def _version(folder: Path) -> str:
    """Return the version of what a run folder holds, or "" where that cannot be told."""
    try:
        return version_of(load_run(folder))
    except (InputError, KeyError):
        return ""
