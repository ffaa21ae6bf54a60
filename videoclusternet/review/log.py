"""The log of what people said of a film: appended to, never changed, whole after any crash.

Each entry holds what it changed, key by key, before and after, so that any of them can be taken
back, and what is true now is what all of them add up to. Entries are numbered; who writes says
which entry was the last that they saw, and is refused where it is not any more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from videoclusternet.database import opened
from videoclusternet.errors import BusyError, UsageError

FILE = "review.sqlite"
SCHEMA = 1
TABLES = (
    "CREATE TABLE IF NOT EXISTS log (revision INTEGER PRIMARY KEY, time TEXT NOT NULL, "
    "kind TEXT NOT NULL, sentence TEXT NOT NULL, notes TEXT NOT NULL, undoes INTEGER, "
    "delta TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value BLOB NOT NULL);"
)
FIXED = "fixed"
"""The kind of an entry that nothing before can be taken back across: the tracks are others now."""

Changes = Mapping[str, Any]
"""The new value of each key that changes; None removes it."""


class ConflictError(BusyError):
    """Somebody else wrote in between: look at what is true now, and say it again."""


@dataclass(frozen=True)
class Entry:
    """One entry of the log."""

    revision: int  # from 1
    time: str  # UTC, ISO 8601
    kind: str
    sentence: str  # what happened, for people
    notes: tuple[str, ...]  # what could not be kept, a sentence each
    undoes: int | None  # the entry that this one takes back
    delta: dict[str, list[Any]]  # of each key, before and after


class Log:
    """The log of one run folder, in SQLite."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = Lock()
        self._revision = 0
        self._state: dict[str, Any] = {}

    @property
    def exists(self) -> bool:
        """Tell whether anybody has said anything, or begun to."""
        return self.path.is_file()

    def current(self) -> tuple[int, dict[str, Any]]:
        """Return the number of the last entry, and what is true after it, key by key."""
        if not self.exists:
            return 0, {}
        with self._lock, self._open() as database:
            return self._read(database), dict(self._state)

    def entries(self) -> list[Entry]:
        """Return all entries, the first one first."""
        if not self.exists:
            return []
        with self._open() as database:
            rows = database.execute(
                "SELECT revision, time, kind, sentence, notes, undoes, delta FROM log "
                "ORDER BY revision"
            )
            return [
                Entry(
                    revision,
                    time,
                    kind,
                    sentence,
                    tuple(json.loads(notes)),
                    undoes,
                    json.loads(delta),
                )
                for revision, time, kind, sentence, notes, undoes, delta in rows
            ]

    def note(self, key: str) -> bytes | None:
        """Return what was kept beside the entries under this key."""
        if not self.exists:
            return None
        with self._open() as database:
            row = database.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
            return None if row is None else bytes(row[0])

    def write(
        self,
        kind: str,
        sentence: str,
        changes: Changes,
        *,
        seen: int | None = None,
        notes: Sequence[str] = (),
        keep: Mapping[str, bytes] | None = None,
        undoes: int | None = None,
    ) -> int:
        """Append an entry and return its number.

        `seen` is the last entry that the writer knew; None writes after whatever there is. `keep`
        is put beside the entries in the same transaction. Raises ConflictError where `seen` is not
        the last entry, and ResourceError where there is no room.
        """
        with self._lock, self._open(make=True) as database:
            database.execute("BEGIN IMMEDIATE")
            head = self._read(database)
            if seen not in (None, head):
                raise ConflictError(
                    "Somebody else changed something in between: look again, then say it again; "
                    "nothing was lost."
                )
            delta = {
                key: [self._state.get(key), value]
                for key, value in changes.items()
                if self._state.get(key) != value
            }
            database.execute(
                "INSERT INTO log (revision, time, kind, sentence, notes, undoes, delta) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    head + 1, datetime.now(UTC).isoformat(timespec="seconds"), kind, sentence,
                    json.dumps(list(notes)), undoes, json.dumps(delta),
                ),
            )  # fmt: skip
            for key, value in (keep or {}).items():
                database.execute("REPLACE INTO notes (key, value) VALUES (?, ?)", (key, value))
            database.commit()
            return self._read(database)

    def undo(self, seen: int | None = None) -> Entry:
        """Take back the last act that still holds. Raises UsageError where there is none."""
        done, _ = stacks(self.entries())
        if not done:
            raise UsageError("There is nothing to take back.")
        return self._reverse(done[-1], f"Took back: {done[-1].sentence}", seen)

    def redo(self, seen: int | None = None) -> Entry:
        """Do again what was taken back last. Raises UsageError where there is nothing."""
        _, undone = stacks(self.entries())
        if not undone:
            raise UsageError("There is nothing to do again.")
        original = undone[-1].sentence.removeprefix("Took back: ")
        return self._reverse(undone[-1], f"Did again: {original}", seen)

    def _reverse(self, entry: Entry, sentence: str, seen: int | None) -> Entry:
        before = {key: values[0] for key, values in entry.delta.items()}
        revision = self.write(
            entry.kind, sentence, before, undoes=entry.revision,
            seen=self.current()[0] if seen is None else seen,
        )  # fmt: skip
        return self.entries()[revision - 1]

    def _read(self, database: sqlite3.Connection) -> int:
        """Bring what is known of the state to the last entry, and return its number."""
        rows = database.execute(
            "SELECT revision, delta FROM log WHERE revision > ? ORDER BY revision",
            (self._revision,),
        )
        for revision, delta in rows:
            for key, (_, after) in json.loads(delta).items():
                if after is None:
                    self._state.pop(key, None)
                else:
                    self._state[key] = after
            self._revision = revision
        return self._revision

    def _open(self, make: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        remedy = "put back a copy of it, or remove it to begin anew"
        return opened(self.path, TABLES, SCHEMA, make=make, remedy=remedy)


def stacks(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return what can be taken back, and what can be done again, the next one last."""
    done: list[Entry] = []
    undone: list[Entry] = []
    for entry in entries:
        if entry.kind == FIXED:
            done, undone = [], []
        elif entry.undoes is None:
            done.append(entry)
            undone = []
        elif done and done[-1].revision == entry.undoes:
            done.pop()
            undone.append(entry)
        else:
            undone.pop()
            done.append(entry)
    return done, undone
