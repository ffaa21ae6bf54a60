"""Files that are whole or not there, and private to their owner.

A file is written aside, flushed to the disk and renamed; whoever is killed or loses power in
between leaves the old file as it was. Folders are made 0700 and files 0600 whatever the umask.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from videoclusternet.errors import BusyError, InputError, ResourceError

ASIDE = ".part"
LOCK = ".lock"

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {
    errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise ResourceError or InputError, naming the path, where the system refuses to write."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise ResourceError(
                f"There is no room for {path} ({_size(path):,} bytes of it were written and "
                f"{_free(path):,} are free): make room, and type the same command again."
            ) from error
        if error.errno in _NOT_ALLOWED:
            raise ResourceError(
                f"{path} cannot be written ({error.strerror}): name another place."
            ) from error
        if error.errno in _NO_FOLDER:
            raise InputError(
                f"{path} cannot be made ({error.strerror}): name another place."
            ) from error
        raise


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _free(path: Path) -> int:
    there = next(folder for folder in path.absolute().parents if folder.exists())
    return shutil.disk_usage(there).free


def make_private(folder: Path) -> None:
    """Make the folder, its parents too, and close it to others. Raises where that is refused."""
    with writing(folder):
        made = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in made:
            with suppress(PermissionError):  # one may be allowed to write there and not to read
                _flush(one.parent)
        if folder.stat().st_uid != os.geteuid():
            raise InputError(f"{folder} belongs to another user: name a folder of your own.")
        folder.chmod(0o700)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. Raises BusyError, naming the process, where another holds it.

    The kernel lets go of the lock when its holder ends, however it ends.
    """
    path = folder / LOCK
    with writing(path):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
            raise BusyError(
                f"Another run (process {holder}) works in {folder}: wait for it, or name another "
                "folder."
            ) from None
        with writing(path):
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def aside(path: Path) -> Path:
    """Make the empty private file in which `path` is to be written, and return its path."""
    part = path.with_name(path.name + ASIDE)
    with writing(part):
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    return part


def settle(parts: list[Path]) -> None:
    """Give written files their names: flush all of them, rename all, flush their folder."""
    for part in parts:
        with writing(part):
            part.chmod(0o600)
            _flush(part)
    for part in parts:
        with writing(part):
            os.replace(part, part.with_name(part.name.removesuffix(ASIDE)))
    _flush(parts[0].parent)


def write_text(path: Path, text: str) -> None:
    """Write a small file so that it is there as a whole or not at all; lines end as they do."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file from memory so that it is there as a whole or not at all."""
    part = aside(path)
    with writing(part):
        part.write_bytes(data)
    settle([part])


def write_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write files into a new folder, which is there when all of them are; return how many.

    Each is its path inside the folder and its bytes. Raises InputError where there is something
    already, ResourceError where nothing can be written.
    """
    if folder.is_symlink() or folder.exists():
        raise InputError(f"There is already something called {folder}: name a new folder.")
    part = folder.with_name(folder.name + ASIDE)
    count = 0
    try:
        for name, data in files:
            make_private((part / name).parent)
            write_bytes(part / name, data)
            count += 1
        make_private(part)
        with writing(folder):
            part.rename(folder)
            _flush(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return count


def sweep(folder: Path) -> None:
    """Remove what an interrupted writer left aside."""
    for part in folder.glob(f"*{ASIDE}"):
        with suppress(OSError):
            part.unlink()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def let_go(values: Any) -> None:
    """Give back the pages of a mapped file that were read or written; nothing of it is lost.

    The system would take them back by itself, but until somebody needs them it counts them as this
    process's, and a long film's crops are larger than all else.
    """
    mapped: object = values.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
