"""People who are known from photographs: a folder of names, taken in only where somebody asks.

They are in the library as the people of a film without a time: who is like one of them in a film is
linked or asked about as anybody else, and then has the name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from videoclusternet.config import Device, load_config
from videoclusternet.durable import locked, make_private
from videoclusternet.errors import InputError
from videoclusternet.faces.detectors import choose_detector, load_detector
from videoclusternet.faces.photos import face_on, read_photo
from videoclusternet.library.job import Outcome, Part
from videoclusternet.library.shelf import Library
from videoclusternet.library.store import PHOTOS
from videoclusternet.models.registry import choose_backbone
from videoclusternet.records import Array

KINDS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def enrol(library: Library, folder: Path, device: Device = "auto") -> list[str]:
    """Take in the people of a folder, and return their names.

    It holds a folder of photographs for each, or a photograph called after them; the largest face
    of each counts. The same folder again takes the place of before. Raises InputError where there
    is no such photograph, or no face on one; then nobody is taken in.
    """
    photos = _photos_in(folder)
    about = library.store.about
    config = load_config(about["preset"], about["settings"])
    spec, weights = choose_backbone(config.backbone)
    detector = load_detector(*choose_detector(config.detector))

    def face(path: Path) -> Array:
        score = config.filter.score
        return face_on(read_photo(path), f"the photograph {path}", detector, score, spec.feed)

    crops = [np.stack([face(path) for path in paths]) for paths in photos.values()]
    from videoclusternet.models.base import base_embeddings  # torch, only for who asks
    from videoclusternet.models.device import resolve_device

    seen = base_embeddings(spec, weights, crops, resolve_device(device))
    with locked(library.folder):
        film = library.store.add_photos(folder)
        make_private(film.folder)
        library.write_faces(film, np.concatenate(crops))
        parts, row = [], 0
        for number, (name, vectors) in enumerate(zip(photos, seen, strict=True), start=1):
            faces = tuple(range(row, row + len(vectors)))
            parts.append(Part(number, name, 0.0, (), faces, len(faces), vectors.sum(0)))
            row += len(vectors)
        library.store.note(film.id, Outcome(0, version=PHOTOS, parts=tuple(parts)))
        library.link()
    return list(photos)


def _photos_in(folder: Path) -> dict[str, list[Path]]:
    """Return the photographs of each name, in the order of the names."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name one of photographs.")
    photos: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.casefold() in KINDS and path.is_file():
            name = path.stem if path.parent == folder else path.relative_to(folder).parts[0]
            photos.setdefault(name, []).append(path)
    if not photos:
        raise InputError(f"{folder} holds no photograph: put one NAME.jpg there, or a folder NAME.")
    return dict(sorted(photos.items()))
