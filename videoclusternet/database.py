"""SQLite files of ours: private, safe after any crash, and what is wrong with one in a sentence."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from videoclusternet.durable import writing
from videoclusternet.errors import BusyError, InputError

PATIENCE = 10.0  # seconds to wait for another writer


@contextmanager
def opened(
    path: Path, tables: str, schema: int, *, make: bool, remedy: str, journal: str = "DELETE"
) -> Iterator[sqlite3.Connection]:
    """Open a file, each statement a transaction of its own; what is erased from it is gone.

    `tables` are made where there are none, as version `schema` of the file; `make` makes the file.
    Raises BusyError where another process writes for long, InputError where the file is damaged,
    with the `remedy`, cannot be used or was written by a newer version, and ResourceError where
    there is no room.
    """
    with writing(path):
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if make else 0)
        os.close(os.open(path, flags, 0o600))
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as database:
            for pragma in (f"journal_mode = {journal}", "synchronous = FULL", "foreign_keys = ON",
                           "secure_delete = ON"):  # fmt: skip
                database.execute(f"PRAGMA {pragma}")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > schema:
                raise InputError(
                    f"{path} was written by a newer version of this program: update the program."
                )
            if version == 0:
                database.executescript(
                    f"BEGIN IMMEDIATE; {tables} PRAGMA user_version = {schema}; COMMIT;"
                )
            yield database
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise BusyError(f"{path} is being written to by another program: try again.") from error
        raise InputError(
            f"{path} cannot be used ({error}): make sure that its folder can be written to."
        ) from error
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path} is damaged ({error}): {remedy}.") from error
