"""The file of a library: its tables, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from videoclusternet.durable import writing
from videoclusternet.errors import BusyError, InputError

FILE = "library.sqlite"
SCHEMA = 1
PATIENCE = 10.0  # seconds to wait for another writer
TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE films (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, name TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE, folder TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '',  -- of the run whose people are the members
    threads INTEGER  -- that it was run with, and will be again: bytes depend on it
);
CREATE TABLE jobs (  -- every try
    id INTEGER PRIMARY KEY, film INTEGER NOT NULL REFERENCES films ON DELETE CASCADE,
    finished TEXT NOT NULL, seconds REAL NOT NULL, code INTEGER NOT NULL, sentence TEXT NOT NULL
);
CREATE TABLE members (  -- a person of a film; what they were called in its review
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    film INTEGER NOT NULL REFERENCES films ON DELETE CASCADE,
    number INTEGER NOT NULL, name TEXT NOT NULL, seconds REAL NOT NULL,
    faces TEXT NOT NULL,  -- rows of the run's crops, JSON
    count INTEGER NOT NULL, total BLOB NOT NULL,  -- of embeddings of length 1, float32
    person INTEGER NOT NULL  -- of the library
);
CREATE TABLE appearances (
    member INTEGER NOT NULL REFERENCES members ON DELETE CASCADE,
    begins REAL NOT NULL, ends REAL NOT NULL  -- seconds on the film's clock
);
CREATE TABLE links (  -- of two members: made, or in doubt
    one INTEGER NOT NULL REFERENCES members ON DELETE CASCADE,
    other INTEGER NOT NULL REFERENCES members ON DELETE CASCADE,
    distance REAL NOT NULL, place REAL, doubt INTEGER NOT NULL
);
CREATE INDEX films_of_jobs ON jobs (film);
CREATE INDEX films_of_members ON members (film);
CREATE INDEX people_of_members ON members (person);
CREATE INDEX members_of_appearances ON appearances (member);
"""


@contextmanager
def opened(
    path: Path, *, make: bool = False, transaction: bool = True
) -> Iterator[sqlite3.Connection]:
    """Open the file of a library; what is written counts when all of it is.

    `make` makes the file where there is none; without `transaction` each statement counts alone.
    Raises InputError where there is no library, or a damaged one or one of a newer version,
    BusyError where another process writes for long, and ResourceError where there is no room.
    """
    if not make and not path.is_file():
        raise InputError(f"{path.parent} holds no library: make one with vcn library init.")
    with writing(path):
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if make else 0)
        os.close(os.open(path, flags, 0o600))
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as database:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
                           "secure_delete = ON"):  # fmt: skip
                database.execute(f"PRAGMA {pragma}")
            _check_schema(database, path)
            if transaction:
                database.execute("BEGIN IMMEDIATE")
            yield database
            if transaction:
                database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise BusyError(f"{path} is being written to: try again.") from error
        raise InputError(f"{path} cannot be used: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path} is damaged ({error}): put back a copy.") from error


def _check_schema(database: sqlite3.Connection, path: Path) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        raise InputError(f"{path} was written by a newer version of this program: update it.")
    if version == 0:
        database.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;")
