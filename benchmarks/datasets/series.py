"""The Big Bang Theory (BBT) and Buffy (BVS): six episodes each, as the code of BCL has them.

    ids/bbt_s01e01.ids               CVHCI_TRACKLABELS_V1, then `7 sheldon`, a track a line
    features/bbt_s01e01/7.npy        floats (crops, 256), of VGGFace2's SE-ResNet-50
    tracks/bbt_s01e01_facetracks.mat may be there: in which frames each track is

The first two are what evaluate.py of github.com/makarandtapaswi/BallClustering_ICCV2019 reads
below `data/` (Tapaswi, Law, Fidler, ICCV 2019). Its labels tell background people apart, one
episode at a time: `unknown_e01_2`. The third is of the face tracks of Bäuml, Tapaswi, Stiefelhagen,
CVPR 2013: an array of structs `FaceTracks` with the fields `trackerId` and `frames`. That it lies
in `tracks` is ours, and that its ids are those of the labels could not be checked, as no archive
could be had.
Without it no two tracks are known to be of one time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import videoclusternet as vcn
from benchmarks.datasets.files import (
    features,
    read_array,
    read_matlab,
    read_text,
    require_file,
    require_folder,
    seen,
    shown,
    span_of,
)
from benchmarks.datasets.film import FoundTrack, LabelledFilm, Span, assemble
from benchmarks.datasets.matlab import number, structs

HEADER = "CVHCI_TRACKLABELS_V1"
BACKGROUND = "unknown"  # what the names of people without a name begin with

BBT = tuple(f"bbt_s01e{episode:02}" for episode in range(1, 7))
BVS = tuple(f"buffy_s05e{episode:02}" for episode in range(1, 7))

ASK = (
    "labels, tracks and features of BBT and BVS are told of at "
    "github.com/makarandtapaswi/BallClustering_ICCV2019 (data/download.sh)"
)


def load_series(folder: Path, videos: Sequence[str] = BBT) -> list[LabelledFilm]:
    """Load these episodes of a folder with `ids` and `features`, in their order.

    A track of the features without a label is not scored. Raises InputError for what is missing
    or damaged.
    """
    return [_load_video(folder, video) for video in videos]


def _load_video(folder: Path, video: str) -> LabelledFilm:
    labels = read_labels(require_file(folder / "ids" / f"{video}.ids", ASK))
    files = _feature_files(require_folder(folder / "features" / video, ASK))
    if labels and not labels.keys() & files.keys():
        raise vcn.InputError(
            f"{folder / 'features' / video} has none of the labelled tracks: {ASK}."
        )
    facetracks = folder / "tracks" / f"{video}_facetracks.mat"
    spans = read_spans(facetracks) if facetracks.exists() else {}
    if spans and labels and not labels.keys() & spans.keys():
        raise vcn.InputError(f"{facetracks} has none of the labelled tracks of {video}.")
    found = []
    for track in sorted(labels.keys() | files.keys()):
        path = files.get(track)
        values = None if path is None else features(read_array(path), str(path))
        found.append(
            FoundTrack(
                str(track), labels.get(track, ""), values, spans.get(track),
                str(path or folder),
            )
        )  # fmt: skip
    return assemble(video, found, BACKGROUND)


def read_labels(path: Path) -> dict[int, str]:
    """Read the name of each track from a label file. Raises InputError, naming the line."""
    header, *lines = read_text(path).split("\n")
    if header.strip() != HEADER:
        raise vcn.InputError(f"Line 1 of {path} is {shown(header)}, not '{HEADER}'.")
    labels: dict[int, str] = {}
    for number_, line in enumerate(lines, start=2):
        fields = line.split()
        where = f"Line {number_} of {path}"
        if fields and (len(fields) != 2 or not re.fullmatch("[0-9]{1,9}", fields[0])):
            raise vcn.InputError(f"{where} is {shown(line)}, not the number of a track and a name.")
        if fields and int(fields[0]) in labels:
            raise vcn.InputError(f"{where} names track {int(fields[0])} for the second time.")
        if fields:
            labels[int(fields[0])] = fields[1]
    return labels


def read_spans(path: Path) -> dict[int, Span]:
    """Read in which frames each track begins and ends from face tracks. Raises InputError."""
    spans: dict[int, Span] = {}
    for where, track in structs(read_matlab(path), "FaceTracks", ("trackerId", "frames"), path):
        tracker = number(track["trackerId"], f"{where}.trackerId")
        if tracker in spans:
            raise vcn.InputError(f"{where} is track {tracker} for the second time.")
        frames = track["frames"]
        spans[tracker] = span_of(frames if isinstance(frames, np.ndarray) else np.empty(0), where)
    return spans


def _feature_files(folder: Path) -> dict[int, Path]:
    """Return the file of each track's features."""
    files: dict[int, Path] = {}
    for path in seen(folder, "*.npy"):
        if not re.fullmatch("[0-9]{1,9}", path.stem):
            raise vcn.InputError(f"{path} is not called after the number of a track.")
        if int(path.stem) in files:
            raise vcn.InputError(f"{path} and {files[int(path.stem)]} are of the same track.")
        files[int(path.stem)] = path
    return files
