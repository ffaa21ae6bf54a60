"""Truth files: who is really in the film, to measure against."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoclusternet.errors import InputError
from videoclusternet.records import Array, Record, Tracks, column
from videoclusternet.tracks.boxes import iou

COLUMNS = ("frame", "x1", "y1", "x2", "y2", "name")

LARGEST = 10**9
"""From here on a number is no pixel."""

UNTOLD = "?"
"""The name of a face that nobody could tell: found or not, it counts for nothing."""

SAME_FACE = 0.5
"""IoU from which a predicted and a true box are the same face."""


@dataclass(frozen=True, eq=False)
class Truth(Record):
    """True boxes with their names, sorted by frame."""

    frame: Array = column(np.int64)
    box: Array = column(np.float32, 4)
    name: Array = column(np.str_)


@dataclass(frozen=True)
class TrackNames:
    """The true name of each predicted track, None where it is not scored, and what was missed."""

    names: tuple[str | None, ...]
    missed: int  # true tracks that no predicted track overlaps


def read_truth(path: Path) -> Truth:
    """Read a CSV file of true boxes in pixels, with the columns of `COLUMNS` in any order.

    Raises InputError, naming the line, for a file that is missing, empty, not UTF-8 or has no such
    columns, and for numbers that are none.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"The truth file {path} is not UTF-8 text.") from None
    except OSError as error:
        raise InputError(f"The truth file {path} cannot be read: {error.strerror}.") from None
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [title.strip() for title in next(lines, [])]
        missing = [title for title in COLUMNS if title not in header]
        if missing:
            raise InputError(f"Line 1 of the truth file {path} lacks the column '{missing[0]}'.")
        rows = [_read_line(path, lines.line_num, header, line) for line in lines if line]
    except csv.Error as error:
        raise InputError(
            f"Line {lines.line_num} of the truth file {path} is not CSV: {error}."
        ) from None
    if not rows:
        raise InputError(f"The truth file {path} holds no boxes: write one a line.")
    rows.sort(key=lambda row: row[0])
    frames, boxes, names = zip(*rows, strict=True)
    return Truth(np.array(frames, np.int64), np.array(boxes, np.float32), np.array(names, np.str_))


def _read_line(
    path: Path, number: int, header: list[str], line: list[str]
) -> tuple[int, list[float], str]:
    where = f"Line {number} of the truth file {path}"
    if len(line) != len(header):
        raise InputError(f"{where} has {len(line)} fields, not {len(header)}.")
    fields = dict(zip(header, map(str.strip, line), strict=True))
    if not re.fullmatch("[0-9]{1,9}", fields["frame"]):
        raise InputError(f"{where} has '{fields['frame']}' for a frame number.")
    box = [_number(where, fields[title]) for title in COLUMNS[1:5]]
    if box[2] <= box[0] or box[3] <= box[1]:
        raise InputError(f"{where} has a box whose x2 or y2 is not beyond its x1 or y1.")
    if not fields["name"]:
        raise InputError(f"{where} has no name: write '{UNTOLD}' where nobody can tell.")
    return int(fields["frame"]), box, fields["name"]


def _number(where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) < LARGEST:
        raise InputError(f"{where} has '{text}' for a number of pixels.")
    return value


def name_tracks(tracks: Tracks, truth: Truth) -> TrackNames:
    """Give each predicted track the name of the true boxes that it overlaps most.

    Each true box votes with its IoU, from `SAME_FACE` on, for its name in each track that spans its
    frame; between two looks a track's box is interpolated. Equal votes go to the first name in the
    alphabet. A track without votes is not scored, nor one where `UNTOLD` wins.

    The file says no true tracks, so they are defined here: a run of boxes of one name, each no
    further from the last than the usual step between labelled frames, and overlapping it.
    `UNTOLD` makes none. A true track is missed if no box of it has voted.
    """
    votes: list[dict[str, float]] = [{} for _ in range(tracks.count)]
    found = np.zeros(len(truth), bool)
    starts = tracks.starts
    for track, (first, last) in enumerate(tracks.spans if tracks.count else ()):
        rows = slice(starts[track], starts[track + 1])
        boxes = slice(*np.searchsorted(truth.frame, [first, last + 1]))
        for i, overlap in enumerate(_overlap_in_time(tracks, rows, truth, boxes), boxes.start):
            if overlap >= SAME_FACE:
                name = str(truth.name[i])
                votes[track][name] = votes[track].get(name, 0.0) + float(overlap)
                found[i] = True
    names = (min(vote, key=lambda name: (-vote[name], name), default=None) for vote in votes)
    return TrackNames(
        tuple(None if name == UNTOLD else name for name in names),
        sum(not np.any(found[run]) for run in true_tracks(truth)),
    )


def _overlap_in_time(tracks: Tracks, rows: slice, truth: Truth, boxes: slice) -> Array:
    """IoU of each of these true boxes with the track's box at its frame."""
    when = truth.frame[boxes]
    there = [np.interp(when, tracks.frame[rows], side) for side in tracks.box[rows].T]
    return iou(np.stack(there, axis=1), truth.box[boxes])


def true_tracks(truth: Truth) -> list[Array]:
    """Return the rows of `truth` that make each true track, as `name_tracks` defines them."""
    order = np.lexsort([truth.frame, truth.name])
    frame, box, name = truth.frame[order], truth.box[order], truth.name[order]
    gap, same = np.diff(frame), name[1:] == name[:-1]
    gaps, counts = np.unique(gap[same & (gap > 0)], return_counts=True)
    step = gaps[np.argmax(counts)] if len(gaps) else 1
    breaks = ~same | (gap > step) | (iou(box[1:], box[:-1]) == 0)
    runs = np.split(order, np.flatnonzero(breaks) + 1)
    return [run for run in runs if len(run) and truth.name[run[0]] != UNTOLD]
