"""The file that a film comes in: whether it may be opened, which one it is, what it is called."""

from __future__ import annotations

import hashlib
import os
import stat

from videoclusternet.errors import InputError

FilmPath = str | os.PathLike[str]

CHUNK = 1 << 20  # bytes at either end of the file that tell one film from another


def ordinary_file(path: FilmPath) -> str:
    """Return the path if it can be opened without waiting for ever. Raises InputError."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise InputError(f"There is no file {quoted(path)}: name one that is there.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{quoted(path)} cannot be opened: {reason}.") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{quoted(path)} is a folder, not a film: name a file.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{quoted(path)} is a pipe or a device, not a film: name a file.")
    return os.fspath(path)


def no_film(path: FilmPath, head: bytes) -> InputError:
    """Return the error that says what a file is that begins so and cannot be opened."""
    if not head:
        return InputError(f"{quoted(path)} is empty: copy it again.")
    if head[4:] == b"ftyp":
        return InputError(
            f"{quoted(path)} has no index, as its recording or copy was never finished: copy it "
            "again, or mend it."
        )
    return InputError(
        f"{quoted(path)} is not a film of a known kind: name another, or make a copy as .mp4."
    )


def no_picture(path: FilmPath) -> InputError:
    """Return the error of a film of which nothing can be decoded."""
    return InputError(
        f"Not one picture of {quoted(path)} can be decoded: make a copy in another format."
    )


def quoted(path: FilmPath) -> str:
    """Return the path in quotes as one printable line, whatever its name contains."""
    text = os.fspath(path)
    return f"'{text}'" if text.isprintable() else ascii(text)


def fingerprint(path: FilmPath) -> str:
    """Return what tells this file from others at little cost: 64 hexadecimal digits.

    It is the SHA-256 of its size and of its first and last `CHUNK` bytes. Raises InputError where
    the path is no ordinary file that can be read.
    """
    try:
        with open(ordinary_file(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.sha256(f"{size}:".encode())
            digest.update(file.read(CHUNK))
            file.seek(max(0, size - CHUNK))
            digest.update(file.read(CHUNK))
    except OSError as error:
        raise InputError(f"{quoted(path)} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()
