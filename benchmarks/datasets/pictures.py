"""Films as folders of pictures: one of your own, and MovieFaceCluster as long as it is not out.

    tracks/7/*.jpg, *.jpeg, *.png   the crops of track 7, in the order of their names
    names.csv                       track,name and, if it is known, first,last (frames)

The pictures should show faces as the network takes them: nothing is aligned here. A name that is
empty or '?', or a track that is not in the list, is not scored; a track of the list without
pictures is counted only.

MovieFaceCluster is nine films that were announced with the paper (arXiv 2407.12214). Neither it nor
how it is laid out could be found, so its layout is ours until theirs is known: a folder for each
film, laid out as above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

import videoclusternet as vcn
from benchmarks.datasets.files import (
    frame_number,
    in_order,
    read_table,
    require_file,
    require_folder,
    seen,
    shown,
)
from benchmarks.datasets.film import FoundTrack, LabelledFilm, Span, assemble
from videoclusternet.records import Array, Crops
from videoclusternet.results.truth import UNTOLD

PICTURES = (".jpg", ".jpeg", ".png")

ASK = "a film is a folder with tracks/TRACK/*.jpg or *.png and a names.csv (track,name)"
ASK_MOVIES = (
    "MovieFaceCluster was announced with arXiv 2407.12214, whose authors may be asked for it; "
    "benchmarks/datasets/pictures.py tells how it must lie here"
)

Embed = Callable[[Array], Array]
"""Pictures, uint8 (n, size, size, 3) RGB, to features, float (n, d)."""


@dataclass(frozen=True)
class Network:
    """What sees pictures."""

    embed: Embed
    size: int  # pixels of a picture's side


@dataclass(frozen=True, eq=False)
class PictureFilm:
    """A film of pictures, before a network has seen them."""

    name: str
    crops: Crops  # of all tracks; their frames are numbers in a row, and nothing is measured (NaN)
    ids: tuple[str, ...]  # of all tracks
    names: tuple[str, ...]  # "" where a track is not scored
    spans: tuple[Span | None, ...]

    def embedded(self, embed: Embed) -> LabelledFilm:
        """Return the film with the features that a network gives its pictures."""
        values = embed(self.crops.images) if len(self.crops) else np.empty((0, 1))
        if values.shape[:1] != (len(self.crops),) or values.ndim != 2:
            raise ValueError(f"{len(self.crops)} pictures were embedded as {values.shape}")
        parts = np.split(values.astype(np.float32), np.cumsum(self.crops.counts)[:-1])
        rows = zip(self.ids, self.names, parts, self.spans, strict=False)
        film = assemble(self.name, [FoundTrack(*row, self.name) for row in rows])
        counts = self.crops.counts[film.kept]
        track = np.repeat(np.arange(len(counts)), counts)
        return replace(film, crops=replace(self.crops, track=track, counts=counts))


def read_pictures(folder: Path, size: int) -> PictureFilm:
    """Read the pictures of a film, each made `size` pixels square with black beside it.

    Raises InputError for what is missing or damaged.
    """
    names, spans = _read_names(require_file(folder / "names.csv", ASK))
    there = {
        path.name: [picture for picture in seen(path, "*") if picture.suffix.lower() in PICTURES]
        for path in seen(require_folder(folder / "tracks", ASK), "*")
        if path.is_dir()
    }
    if names and there and not names.keys() & there.keys():
        raise vcn.InputError(f"{folder / 'names.csv'} names none of the tracks that are there.")
    ids = tuple(sorted(names.keys() | there.keys(), key=in_order))
    counts = np.array([len(there.get(track, ())) for track in ids], np.int64)
    images = np.empty((counts.sum(), size, size, 3), np.uint8)
    for i, path in enumerate(path for track in ids for path in there.get(track, ())):
        images[i] = _read_picture(path, size)
    nothing = np.full(len(images), np.nan, np.float32)
    crops = Crops(
        images, np.repeat(np.arange(len(ids)), counts), np.arange(len(images)), nothing, nothing,
        counts,
    )  # fmt: skip
    return PictureFilm(
        folder.resolve().name, crops, ids,
        tuple(names.get(track, "") for track in ids), tuple(spans.get(track) for track in ids),
    )  # fmt: skip


def load_pictures(folder: Path, network: Network) -> LabelledFilm:
    """Load a film of pictures as a network sees it: see `read_pictures`."""
    return read_pictures(folder, network.size).embedded(network.embed)


def load_movies(folder: Path, network: Network) -> list[LabelledFilm]:
    """Load every film of a folder with a folder for each, in the order of their names."""
    films = [path for path in seen(require_folder(folder, ASK_MOVIES), "*") if path.is_dir()]
    if not films:
        raise vcn.InputError(f"{folder} has no folder of a film: {ASK_MOVIES}.")
    return [load_pictures(film, network) for film in films]


def _read_names(path: Path) -> tuple[dict[str, str], dict[str, Span]]:
    """Return the name of each track and, where they are told, its frames."""
    names: dict[str, str] = {}
    spans: dict[str, Span] = {}
    for where, row in read_table(path, ("track", "name")):
        track = row["track"]
        if not track:
            raise vcn.InputError(f"{where} names no track.")
        if track in names:
            raise vcn.InputError(f"{where} names track {shown(track)} for the second time.")
        names[track] = "" if row["name"] == UNTOLD else row["name"]
        if row.get("first") or row.get("last"):
            first, last = (frame_number(row.get(part, ""), where) for part in ("first", "last"))
            if last < first:
                raise vcn.InputError(f"{where} has a track that ends before it begins.")
            spans[track] = first, last
    return names, spans


def _read_picture(path: Path, size: int) -> Array:
    """Return a picture with black at its shorter sides, uint8 (size, size, 3) RGB."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except OSError as error:
        raise vcn.InputError(f"{path} cannot be read: {error.strerror}.") from None
    except cv2.error:
        picture = None
    if picture is None:
        raise vcn.InputError(f"{path} is no picture that can be read.")
    height, width = picture.shape[:2]
    tall, wide = (max(1, round(side * size / max(height, width))) for side in (height, width))
    method = cv2.INTER_AREA if max(height, width) > size else cv2.INTER_LINEAR
    square = np.zeros((size, size, 3), np.uint8)
    top, left = (size - tall) // 2, (size - wide) // 2
    small = cv2.resize(picture, (wide, tall), interpolation=method)
    square[top : top + tall, left : left + wide] = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    return square
