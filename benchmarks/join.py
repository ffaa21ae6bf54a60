"""The films of `truth/`, made of the public files that they come from.

The truth is ours and lies in `truth/`; the films are not. Whoever has the repositories that
`truth/films.toml` names gets the same films of them, checksum by checksum.
"""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import videoclusternet as vcn
from videoclusternet.records import Array
from videoclusternet.video.stream import open_video
from videoclusternet.video.writer import write_video

TRUTH = Path(__file__).parent / "truth"
RATE = 25  # frames a second


def read_films() -> dict[str, Any]:
    """Return what `truth/films.toml` says of each film."""
    films: dict[str, Any] = tomllib.loads((TRUTH / "films.toml").read_text(encoding="utf-8"))
    return films


def join_film(name: str, sources: Path, out: Path) -> None:
    """Make a film of its parts, which lie as `OWNER/REPOSITORY/PATH` below `sources`.

    Raises UsageError for a film that is none of these, InputError for a part that is missing or not
    what it was.
    """
    films = read_films()
    if name not in films:
        raise vcn.UsageError(f"There is no film '{name}': there are {', '.join(films)}.")
    parts = [_part(part, sources) for part in films[name]["parts"]]
    if size := films[name].get("size"):
        write_video(out, _fitted(parts, *size), RATE, tuple(size))
    else:
        (part,) = parts
        shutil.copyfile(part, out)


def _part(part: dict[str, str], sources: Path) -> Path:
    """Return the file of a part, if it is what it was."""
    path = sources / part["repository"] / part["path"]
    if not path.is_file():
        raise vcn.InputError(
            f"There is no {path}: it is {part['path']} of github.com/{part['repository']}."
        )
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != part["sha256"]:
            raise vcn.InputError(f"{path} is not the file that was labelled.")
    return path


def _fitted(parts: list[Path], width: int, height: int) -> Iterator[Array]:
    """Yield the frames of all parts, each scaled to fit, in the middle of black."""
    for part in parts:
        for frame in open_video(part).frames():
            picture = frame.rgb()
            tall, wide = picture.shape[:2]
            zoom = min(width / wide, height / tall)
            wide, tall = round(wide * zoom), round(tall * zoom)
            shown = np.zeros((height, width, 3), np.uint8)
            left, top = (width - wide) // 2, (height - tall) // 2
            small = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_CUBIC)
            shown[top : top + tall, left : left + wide] = small
            yield shown
