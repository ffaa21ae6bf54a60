"""The file that a film comes in: whether it may be opened, and how it is called in a message."""

from __future__ import annotations

import os
import stat

from videoclusternet.errors import InputError

FilmPath = str | os.PathLike[str]


def ordinary_file(path: FilmPath) -> str:
    """Return the path if it can be opened without waiting for ever. Raises InputError."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise InputError(f"There is no file {quoted(path)}.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{quoted(path)} cannot be opened: {reason}.") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{quoted(path)} is a folder, not a film.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{quoted(path)} is a pipe or a device, not an ordinary file.")
    return os.fspath(path)


def quoted(path: FilmPath) -> str:
    """Return the path in quotes as one printable line, whatever its name contains."""
    text = os.fspath(path)
    return f"'{text}'" if text.isprintable() else ascii(text)
