"""VPCD, the Video Person-Clustering Dataset (Brown, Kalogeiton, Zisserman, ICCVW 2021): its faces.

It is handed out as one pickle a program set, and a pickle is a program of whoever made it: it is
not read here. The README in the archive, of which a copy was read, tells what a pickle holds: a
dict of episodes, each a dict with, among others,

    face        by track: an array of rows frame, x1, y1, x2, y2
    face_feats  by track: an array of 256 numbers for each of these rows (SE-Net-50)
    GT          by track: the true name

Whoever trusts the file brings it into a folder of arrays, whose layout is ours: for each episode
`PROGRAM SET/EPISODE.npz`, with the arrays `face/TRACK`, `face_feats/TRACK` and `GT/TRACK`:

    for episode, about in pickle.load(open("friends.pkl", "rb")).items():
        arrays = {
            f"{part}/{track}": np.asarray(value)
            for part in ("face", "face_feats", "GT")
            for track, value in about[part].items()
        }
        np.savez(f"friends/{episode}.npz", **arrays)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import videoclusternet as vcn
from benchmarks.datasets.files import (
    features,
    in_order,
    read_arrays,
    require_folder,
    seen,
    shown,
    span_of,
)
from benchmarks.datasets.film import FoundTrack, LabelledFilm, assemble
from videoclusternet.records import Array

PARTS = ("face", "face_feats", "GT")

ASK = (
    "VPCD is told of at github.com/Andrew-Brown1/Video_Person_Clustering, and "
    "benchmarks/datasets/vpcd.py tells how its pickles become the .npz files that are read"
)


def load_vpcd(folder: Path) -> list[LabelledFilm]:
    """Load every episode of a folder with a folder for each program set, in order of their names.

    A face track without a name is not scored; one without features is counted only. Raises
    InputError for what is missing or damaged.
    """
    sets = [path for path in seen(require_folder(folder, ASK), "*") if path.is_dir()]
    if not sets:
        raise vcn.InputError(f"{folder} has no folder of a program set: {ASK}.")
    films = []
    for program in sets:
        paths = seen(program, "*.npz")
        if not paths:
            raise vcn.InputError(f"{program} has no EPISODE.npz: {ASK}.")
        films += [_load_episode(path) for path in paths]
    return films


def _load_episode(path: Path) -> LabelledFilm:
    arrays = read_arrays(path)
    for key in arrays:
        if key.partition("/")[0] not in PARTS or not key.partition("/")[2]:
            raise vcn.InputError(f"{path} has an array {shown(key)}, which is no part of a track.")
    tracks = dict.fromkeys(key.partition("/")[2] for key in arrays)
    return assemble(
        f"{path.parent.name} {path.stem}",
        [_track(arrays, track, path) for track in sorted(tracks, key=in_order)],
    )


def _track(arrays: Mapping[str, Array], track: str, path: Path) -> FoundTrack:
    where = f"Track {track} of {path}"
    boxes, values, name = (arrays.get(f"{part}/{track}") for part in PARTS)
    if name is not None and (name.size != 1 or name.dtype.kind not in "USiu"):
        raise vcn.InputError(f"{where} has {name.dtype} of the shape {name.shape} for its name.")
    if values is not None:
        values = features(values, where)
    if boxes is not None and (boxes.ndim != 2 or boxes.shape[1] != 5):
        raise vcn.InputError(f"{where} has boxes of the shape {boxes.shape}, not (faces, 5).")
    if values is not None and boxes is not None and len(values) != len(boxes):
        raise vcn.InputError(f"{where} has {len(values)} features for {len(boxes)} boxes.")
    span = span_of(boxes[:, 0], where) if boxes is not None and len(boxes) else None
    return FoundTrack(track, "" if name is None else _text(name), values, span, str(path))


def _text(name: Array) -> str:
    """Return a name of one of the types that are left when there are no objects."""
    value = name.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
