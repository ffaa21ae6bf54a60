"""BBT's first episode as the code of SSiam has it, and what MATLAB's arrays of structs hold.

    bbt/bbt_s01e01.mat                `Tracks`, a struct array: `labelid`, `numframes`, `trackerId`
    bbt/bbt_s01e01_features_VGG2.mat  `features_…` (2048, most frames, tracks), filled up behind
                                      each track's frames

They are read there by prep_tvseries.m and cnn_metriclearning_pdist2_setup_data.m of
github.com/vivoutlaw/SSIAM (`experiments/input_data/`; Sharma et al., FG 2019). Labels are numbers.
Number 2 is whoever is unknown and the largest number is what is no face (`labels_to_remove` there);
neither is one person, so neither is scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

import videoclusternet as vcn
from benchmarks.datasets.files import features, read_matlab, require_file
from benchmarks.datasets.film import FoundTrack, LabelledFilm, assemble
from benchmarks.datasets.matlab_file import Structs, Value
from videoclusternet.records import Array

SSIAM = ("bbt_s01e01",)  # what was published of it

UNKNOWN = 2

ASK = "BBT's first episode in this form is told of at github.com/vivoutlaw/SSIAM (README.md)"


def load_ssiam(folder: Path, videos: Sequence[str] = SSIAM) -> list[LabelledFilm]:
    """Load these episodes of a folder with a folder for each series, in their order.

    Nothing tells in which frames a track is. Raises InputError for what is missing or damaged.
    """
    return [_load_video(folder / video.partition("_")[0], video) for video in videos]


def _load_video(folder: Path, video: str) -> LabelledFilm:
    about = require_file(folder / f"{video}.mat", ASK)
    path = require_file(folder / f"{video}_features_VGG2.mat", ASK)
    rows = list(structs(read_matlab(about), "Tracks", ("labelid", "numframes", "trackerId"), about))
    labels, frames, ids = (
        [number(row[field], f"{where}.{field}") for where, row in rows]
        for field in ("labelid", "numframes", "trackerId")
    )
    if len(set(ids)) != len(ids):
        raise vcn.InputError(f"{about} has two tracks with the same trackerId.")
    values = _padded(read_matlab(path), path, len(ids)) if ids else np.empty((0, 0, 0))
    nobody = {UNKNOWN, max(labels, default=UNKNOWN)}
    found = []
    for i, (label, count) in enumerate(zip(labels, frames, strict=True)):
        if count > values.shape[1]:
            raise vcn.InputError(
                f"{path} has room for {values.shape[1]} frames, not for the {count} of track "
                f"{ids[i]}."
            )
        name = "" if label in nobody else f"label {label}"
        track = features(values[:, :count, i].T, str(path))
        found.append(FoundTrack(str(ids[i]), name, track, None, str(path)))
    return assemble(video, found)


def _padded(variables: Mapping[str, Value], path: Path, tracks: int) -> Array:
    """Return the features (d, most frames, tracks); MATLAB drops a last dimension of one."""
    found = [value for name, value in variables.items() if name.startswith("features_")]
    if len(found) != 1:
        raise vcn.InputError(f"{path} has {len(found)} variables 'features_…', not one.")
    values = found[0]
    if not isinstance(values, np.ndarray):
        raise vcn.InputError(f"{path} holds features that are no numbers.")
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3 or values.shape[2] != tracks:
        raise vcn.InputError(
            f"{path} holds features of the shape {values.shape}, not of {tracks} tracks."
        )
    return values


def structs(
    variables: Mapping[str, Value], name: str, fields: Sequence[str], path: Path
) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield each struct of an array of structs, with what it is called. Raises InputError."""
    array = variables.get(name)
    has = array.fields if isinstance(array, Structs) else ()
    missing = [field for field in fields if field not in has]
    if missing or not isinstance(array, Structs):
        raise vcn.InputError(f"{path} has no structs '{name}' with a field '{missing[0]}'.")
    for i, row in enumerate(array.rows, start=1):
        yield f"{name}({i}) of {path}", row


def number(value: Value, where: str) -> int:
    """Return the one whole number that a field holds. Raises InputError."""
    one = isinstance(value, np.ndarray) and value.size == 1 and 0 <= value.item() < np.inf
    if not isinstance(value, np.ndarray) or not one or value.item() % 1:
        raise vcn.InputError(f"{where} is not one whole number.")
    return int(value.item())
