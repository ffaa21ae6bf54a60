"""Faces on photographs, compared with the people of a film by the film's own loss."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from videoclusternet.config import Config
from videoclusternet.errors import InputError
from videoclusternet.faces.detectors import Detector, choose_detector, load_detector
from videoclusternet.faces.photos import face_on, read_photo
from videoclusternet.records import Crops, Signatures
from videoclusternet.review.doubtful import Candidate
from videoclusternet.web.session import Now


def find_people(
    now: Now,
    photos: Sequence[bytes],
    name: str = "the photograph",
    detector: Detector | None = None,
) -> list[Candidate]:
    """Return who in the film the largest face of each photograph is, the nearest first.

    The photographs are of one person; nothing of them is kept. Raises InputError where one holds
    no picture or no face.
    """
    return now.evidence.nearest(_signature(now, photos, name, detector or _detector(now)))


def propose(now: Now, cast: Mapping[str, Sequence[Path]]) -> dict[int, str]:
    """Return the name that photographs propose for people: each the other's nearest.

    Raises InputError where a photograph cannot be used.
    """
    losses, detector = {}, _detector(now)
    for name, paths in cast.items():
        if paths:
            photos = [read_photo(path) for path in paths]
            found = find_people(now, photos, f"the photograph of {name}", detector)
            losses[name] = {one.person: one.loss for one in found}
    proposed = {}
    for name, loss in losses.items():
        nearest = min(loss, key=lambda person: loss[person], default=None)
        if nearest is not None and name == min(losses, key=lambda n: losses[n][nearest]):
            proposed[nearest] = name
    return proposed


def read_cast(path: Path) -> dict[str, list[Path]]:
    """Read a cast list: CSV with the columns `name` and, if wished, `photo` (one a line).

    Photographs are looked for beside the list. Raises InputError where it is no such list.
    """
    try:
        lines = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    except OSError as error:
        raise InputError(f"The cast list {path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The cast list {path} is not a CSV file in UTF-8: {error}.") from None
    header = [title.strip().casefold() for title in lines[0]] if lines else []
    if "name" not in header:
        raise InputError(f"Line 1 of the cast list {path} lacks the column 'name'.")
    cast: dict[str, list[Path]] = {}
    for line in lines[1:]:
        row = dict(zip(header, (cell.strip() for cell in line), strict=False))
        if row.get("name"):
            photos = cast.setdefault(row["name"], [])
            if row.get("photo"):
                photos.append(path.parent / row["photo"])
    return cast


def _detector(now: Now) -> Detector:
    """Return what found the faces of the film."""
    return load_detector(*choose_detector(now.view.manifest.settings["detector"]))


def _signature(now: Now, photos: Sequence[bytes], name: str, detector: Detector) -> Signatures:
    """Return what the film's network makes of the faces on photographs, as of one track."""
    from videoclusternet.clustering.signature import sign_tracks  # torch, only for who asks

    config = Config.model_validate(now.view.manifest.settings)
    model = now.view.model
    faces = [
        face_on(photo, name, detector, config.filter.score, model.spec.feed) for photo in photos
    ]
    count = len(faces)
    crops = Crops(
        images=np.stack(faces), track=np.zeros(count, np.int64), frame=np.arange(count),
        sharpness=np.ones(count, np.float32), frontal=np.ones(count, np.float32),
        counts=np.array([count]),
    )  # fmt: skip
    return sign_tracks(crops, model, config.cluster, seed=config.seed)
