"""What a library knows, in SQLite: its films, what was tried on them, their people, their links.

All of it but the films themselves can be made again from the run folders and from what people said,
which is in a log of its own (`review.log`): names and bonds are keyed by the numbers of members,
people of a film, which stay theirs while it is run again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.optimize import linear_sum_assignment

from videoclusternet.durable import make_private, writing
from videoclusternet.errors import InputError, UsageError
from videoclusternet.library.job import Outcome, Part
from videoclusternet.library.strangers import Pair
from videoclusternet.library.tables import FILE, opened
from videoclusternet.manifest import hash_of
from videoclusternet.records import Array
from videoclusternet.results.people import Appearance
from videoclusternet.video.file import fingerprint
from videoclusternet.workspace import default_folder

FILMS = "films"  # the folder of the runs
PHOTOS = "photographs"  # the version of what is no film: people who were enrolled


@dataclass(frozen=True)
class Film:
    """A film of the library, and what came of it last."""

    id: int
    path: Path
    name: str
    folder: Path
    version: str  # of what the members was taken from; "" before
    threads: int | None
    code: int | None  # of the last try, None before
    sentence: str
    seconds: float | None

    @property
    def of_photos(self) -> bool:
        """Tell whether it is no film but people who were enrolled."""
        return self.version == PHOTOS

    @property
    def state(self) -> str:
        if self.code is None:
            return "waiting"
        return "done" if self.code == 0 else "failed"


@dataclass(frozen=True)
class Member:
    """One person of one film, and who that is in the library."""

    id: int
    film: int
    number: int
    name: str  # from the film's own review, "" where nobody gave one
    seconds: float
    faces: tuple[int, ...]  # rows of the run's crops, the best first
    count: int
    person: int


class Store:
    """The tables of one library."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE

    @classmethod
    def init(cls, folder: Path, about: dict[str, Any]) -> Self:
        """Make a library in a new or empty folder. Raises InputError where it holds anything."""
        with writing(folder):
            there = folder.is_dir() and any(folder.iterdir())
        if there:
            raise InputError(f"{folder} holds other things: name a new or empty folder.")
        make_private(folder)
        make_private(folder / FILMS)
        store = cls(folder)
        with opened(store.path, make=True) as database:
            database.executemany(
                "INSERT INTO about VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in about.items()],
            )
        return store

    @property
    def about(self) -> dict[str, Any]:
        """The preset and settings that all its films are run with."""
        with opened(self.path) as database:
            return {
                key: json.loads(value)
                for key, value in database.execute("SELECT key, value FROM about")
            }

    def add(self, films: Iterable[Path]) -> list[tuple[Path, bool]]:
        """Take films in, and return of each whether it is new.

        Raises InputError where one cannot be read: then none is taken in.
        """
        rows = []
        for film in films:
            name = os.fsencode(film.name).decode("utf-8", "replace")
            path = os.fsdecode(os.fsencode(film.absolute()))
            rows.append((film, path, name, fingerprint(film), default_folder(film).name))
        added = []
        with opened(self.path) as database:
            for film, *columns in rows:
                done = database.execute(
                    "INSERT INTO films (path, name, fingerprint, folder) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (fingerprint) DO NOTHING", columns,
                )  # fmt: skip
                if not done.rowcount:  # it may have been moved
                    database.execute(
                        "UPDATE films SET path = ? WHERE fingerprint = ?", (columns[0], columns[2])
                    )
                added.append((film, bool(done.rowcount)))
        return added

    def add_photos(self, folder: Path) -> Film:
        """Take in a folder of photographs as a film without a time, or find it again."""
        path = os.path.abspath(folder)
        mark = hash_of(["photographs", path])
        with opened(self.path) as database:
            database.execute(
                "INSERT INTO films (path, name, fingerprint, folder, version) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO NOTHING",
                (path, f"photographs in {folder.name}", mark, f"photographs-{mark[:8]}", PHOTOS),
            )
        return next(film for film in self.films() if str(film.path) == path and film.of_photos)

    def films(self) -> list[Film]:
        """Return all films, as they were taken in."""
        with opened(self.path) as database:
            rows = database.execute(
                "SELECT films.id, path, name, folder, version, threads, code, sentence, seconds "
                "FROM films LEFT JOIN jobs ON jobs.id = "
                "(SELECT max(id) FROM jobs WHERE film = films.id) ORDER BY films.id"
            ).fetchall()
        return [
            Film(
                id_, Path(path), name, self.folder / FILMS / folder, version, threads, code,
                sentence or "", seconds,
            )
            for id_, path, name, folder, version, threads, code, sentence, seconds in rows
        ]  # fmt: skip

    def find_film(self, text: str) -> Film:
        """Return the film of this name or path. Raises UsageError where there is not just one."""
        wanted = os.path.abspath(text)
        found = [one for one in self.films() if text == one.name or wanted == str(one.path)]
        if not found:
            raise UsageError(
                f"No film of this library is called '{text}': 'vcn library status' prints all."
            )
        if len(found) > 1:
            raise UsageError(
                f"Several films of this library are called '{text}': name the path of one."
            )
        return found[0]

    def note(self, film: int, outcome: Outcome) -> None:
        """Write down what came of a film; one that is done has its people replaced.

        Who is who of before keeps the number in the members, and so all that was said of them.
        """
        with opened(self.path) as database:
            database.execute(
                "INSERT INTO jobs (film, finished, seconds, code, sentence) VALUES (?, ?, ?, ?, ?)",
                (film, datetime.now(UTC).isoformat(timespec="seconds"), outcome.seconds,
                 outcome.code, outcome.sentence),
            )  # fmt: skip
            if outcome.code:
                return
            database.execute(
                "UPDATE films SET version = ?, threads = ? WHERE id = ?",
                (outcome.version, outcome.threads, film),
            )
            before = database.execute(
                "SELECT id, total, count, person FROM members WHERE film = ?", (film,)
            ).fetchall()
            database.execute("DELETE FROM members WHERE film = ?", (film,))
            kept = _matched(before, outcome.parts)
            for n, part in enumerate(outcome.parts):
                id_, person = kept.get(n, (None, 0))
                member = database.execute(
                    "INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (id_, film, part.number, part.name, part.seconds, json.dumps(part.faces),
                     part.count, part.total.astype("<f4").tobytes(), person),
                ).lastrowid  # fmt: skip
                database.executemany(
                    "INSERT INTO appearances VALUES (?, ?, ?)",
                    [(member, one.start, one.end) for one in part.appearances],
                )

    def noted_as(self, film: int, version: str) -> None:
        """Say that the members of a film are those of this version of its run."""
        with opened(self.path) as database:
            database.execute("UPDATE films SET version = ? WHERE id = ?", (version, film))

    def members(self, only: int | None = None) -> list[Member]:
        """Return the people of all films, film by film, or the one of this number, if any."""
        where, given = ("", ()) if only is None else ("WHERE id = ? ", (only,))
        with opened(self.path) as database:
            return [
                Member(one, film, number, name, seconds, tuple(json.loads(faces)), count, person)
                for one, film, number, name, seconds, faces, count, person in database.execute(
                    "SELECT id, film, number, name, seconds, faces, count, person FROM members "
                    f"{where}ORDER BY film, id",
                    given,
                )
            ]

    def totals(self) -> Array:
        """Return the sums of embeddings (n, d) of the same people in the same order."""
        with opened(self.path) as database:
            rows = database.execute("SELECT total FROM members ORDER BY film, id").fetchall()
        return np.array([np.frombuffer(total, "<f4") for (total,) in rows], np.float32)

    def link(self, members: Sequence[Member], person: Array, links: Sequence[Pair],
             doubts: Sequence[Pair]) -> None:  # fmt: skip
        """Write down who is who, and why; `person` is the number of each member's."""
        with opened(self.path) as database:
            database.executemany(
                "UPDATE members SET person = ? WHERE id = ?",
                [(int(p), one.id) for p, one in zip(person, members, strict=True)],
            )
            database.execute("DELETE FROM links")
            database.executemany(
                "INSERT INTO links VALUES (?, ?, ?, ?, ?)",
                [
                    (members[pair.left].id, members[pair.right].id, pair.distance,
                     pair.place if np.isfinite(pair.place) else None, doubt)
                    for doubt, pairs in enumerate((links, doubts)) for pair in pairs
                ],
            )  # fmt: skip

    def doubts(self) -> list[tuple[int, int, float, float | None]]:
        """Return pairs of the members that somebody should look at, most likely first."""
        with opened(self.path) as database:
            return database.execute(
                "SELECT one, other, distance, place FROM links WHERE doubt "
                "ORDER BY place IS NULL, place, distance"
            ).fetchall()

    def appearances(self, members: Iterable[int]) -> dict[int, list[Appearance]]:
        """Return when these of the members are on the screen of their film."""
        found: dict[int, list[Appearance]] = {}
        with opened(self.path) as database:
            for member in members:
                rows = database.execute(
                    "SELECT begins, ends FROM appearances WHERE member = ? ORDER BY begins",
                    (member,),
                )
                found[member] = [Appearance(*row) for row in rows]
        return found

    def forget(self, *, film: int | None = None, members: Sequence[int] = ()) -> None:
        """Erase a film or members with all that hangs on them, and what SQLite has of them left."""
        with opened(self.path) as database:
            if film is not None:
                database.execute("DELETE FROM films WHERE id = ?", (film,))
            database.executemany("DELETE FROM members WHERE id = ?", [(one,) for one in members])
        with opened(self.path, transaction=False) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _matched(before: list[Any], parts: Sequence[Part]) -> dict[int, tuple[int, int]]:
    """Return which of the people of a film that was run again were which before: id and person.

    Each is who is nearest, if they choose each other: the network is the same, and so are the
    pictures.
    """
    if not before or not parts:
        return {}
    old = np.stack([np.frombuffer(total, "<f4") / count for _, total, count, _ in before])
    new = np.stack([part.total / part.count for part in parts])
    distance = 1 - new @ old.T
    rows, columns = linear_sum_assignment(distance)
    return {
        int(row): (before[column][0], before[column][3])
        for row, column in zip(rows, columns, strict=True)
        if distance[row].argmin() == column and distance[:, column].argmin() == row
    }
