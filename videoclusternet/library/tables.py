"""The file of a library: its tables, and how it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videoclusternet import database
from videoclusternet.errors import InputError

FILE = "library.sqlite"
SCHEMA = 1
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
        raise InputError(f"{path.parent} holds no library: make one with 'vcn library init'.")
    with database.opened(
        path, TABLES, SCHEMA, make=make, remedy="put back a copy", journal="WAL"
    ) as opened_file:
        if transaction:
            opened_file.execute("BEGIN IMMEDIATE")
        yield opened_file
        if transaction:
            opened_file.execute("COMMIT")
