"""Reading strangers' files: nothing in them is run, and what is wrong with them is one sentence.

A pickle may do anything when it is read, so there is none here: arrays come from .npy and .npz
files without objects in them, and from MATLAB's files as far as they are numbers and structs.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import videoclusternet as vcn
from benchmarks.datasets.matlab_file import Value, parse
from videoclusternet.errors import reason_of
from videoclusternet.records import Array

LARGEST_FRAME = 10**9
"""From here on a number is no frame."""


def require_file(path: Path, ask: str) -> Path:
    """Return a file that a data set must have. Raises InputError, with whom to ask."""
    if not path.is_file():
        raise vcn.InputError(f"There is no file {path}: {ask}.")
    return path


def require_folder(path: Path, ask: str) -> Path:
    """Return a folder that a data set must have. Raises InputError, with whom to ask."""
    if not path.is_dir():
        raise vcn.InputError(f"There is no folder {path}: {ask}.")
    return path


def seen(folder: Path, pattern: str) -> list[Path]:
    """Return what is in a folder, in order, but for what systems leave behind, `._7.npy`."""
    found = (path for path in folder.glob(pattern) if not path.name.startswith("."))
    return sorted(found, key=lambda path: in_order(path.name))


def in_order(name: str) -> tuple[list[int | str], str]:
    """Return what to sort names by so that the numbers in them are in order."""
    parts = re.split("([0-9]{1,18})", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, its lines ended alike. Raises InputError."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise vcn.InputError(f"{path} is not UTF-8 text.") from None
    except OSError as error:
        raise vcn.InputError(f"{path} cannot be read: {error.strerror}.") from None


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of a CSV file by column, each with where it stands; there may be more columns.

    Raises InputError, naming the line, where the header lacks a column or a row is not as long.
    """
    lines = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        header = [title.strip() for title in next(lines, [])]
        missing = [title for title in columns if title not in header]
        if missing:
            raise vcn.InputError(f"Line 1 of {path} lacks the column '{missing[0]}'.")
        for line in lines:
            where = f"Line {lines.line_num} of {path}"
            if line and len(line) != len(header):
                raise vcn.InputError(f"{where} has {len(line)} fields, not {len(header)}.")
            if line:
                yield where, dict(zip(header, map(str.strip, line), strict=True))
    except csv.Error as error:
        raise vcn.InputError(f"Line {lines.line_num} of {path} is not CSV: {error}.") from None


def read_array(path: Path) -> Array:
    """Return the array of a .npy file. Raises InputError, also where it holds pickled objects."""
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise vcn.InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # numpy does not say what else a damaged file may raise
        raise vcn.InputError(f"{path} is no array of numbers: {reason_of(error)}.") from None


def read_arrays(path: Path) -> dict[str, Array]:
    """Return all arrays of a .npz file by name. Raises InputError, as `read_array` does."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except OSError as error:
        raise vcn.InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # likewise
        raise vcn.InputError(f"{path} is no file of arrays: {reason_of(error)}.") from None


def read_matlab(path: Path) -> dict[str, Value]:
    """Return the variables of a MATLAB file of the versions 5 to 7. Raises InputError."""
    try:
        return parse(path.read_bytes())
    except NotImplementedError:
        raise vcn.InputError(
            f"{path} is of MATLAB's version 7.3, which is not read: save it with '-v7'."
        ) from None
    except OSError as error:
        raise vcn.InputError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, struct.error, zlib.error, MemoryError, RecursionError) as error:
        raise vcn.InputError(f"{path} is no MATLAB file: {reason_of(error)}.") from None


def features(values: Array, where: str) -> Array:
    """Return the features of one track, float32 (crops, d). Raises InputError where they are none.

    One crop is a row as well: an array of one dimension could as well be one number a crop.
    """
    if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.shape[1]:
        raise vcn.InputError(
            f"{where} holds {values.dtype} of the shape {values.shape}, not a row of numbers for "
            "each crop."
        )
    with np.errstate(over="ignore"):
        found = values.astype(np.float32)
    if not np.all(np.isfinite(found)):
        raise vcn.InputError(f"{where} holds features that are not finite.")
    return found


def frame_number(text: str, where: str) -> int:
    """Return the number of a frame that is written out. Raises InputError."""
    if not re.fullmatch("[0-9]{1,9}", text):
        raise vcn.InputError(f"{where} has {shown(text)} for a frame number.")
    return int(text)


def span_of(frames: Array, where: str) -> tuple[int, int]:
    """Return the first and the last of some frame numbers. Raises InputError where they are none.

    They may be floats, as MATLAB's numbers are, but must be whole.
    """
    values = np.asarray(frames).ravel()
    numbers = values.dtype.kind in "fiu" and len(values) > 0
    inside = numbers and np.all((values >= 0) & (values < LARGEST_FRAME))
    if not inside or np.any(values % 1):
        raise vcn.InputError(f"{where} has frames that are no frame numbers.")
    return int(values.min()), int(values.max())


def shown(text: str) -> str:
    """Return a stranger's text as it may stand in a sentence."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
