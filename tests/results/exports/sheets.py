"""A film of three people at any rate, whose exports are known because it is written down."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.results.small_film import small_film
from videoclusternet.records import Array
from videoclusternet.results.exports.sheet import Sheet
from videoclusternet.results.people import list_people
from videoclusternet.said import Verdict

SEEN = [(0, 0, 30), (0, 240, 297), (1, 120, 150), (2, 120, 180), (2, 600, 690), (-1, 200, 230)]
EVIL = 'Ada <b>&"x"</b> | Éva'


def sheet_of(rate: Fraction = Fraction(25), times: Array | None = None, **how: object) -> Sheet:
    """Return people called EVIL, `=Bo` and Person 3 in a film of 720 frames and two shots."""
    if times is None:
        times = np.arange(721) / float(rate)
    film = small_film(SEEN, stops=[200, 720], times=times)
    corner = film.tracks.frame * 1.0
    box = np.stack([corner, corner, corner + 40, corner + 50], axis=1).astype(np.float32)
    tracks = replace(film.tracks, box=box)
    verdict = Verdict(
        film.clusters.label + (film.clusters.label >= 0), np.array([1, 2, 3]),
        np.array([EVIL, "=Bo", ""]), np.array([False, False, False]),
    )  # fmt: skip
    people = list_people(film.clusters, tracks, film.crops, film.shots, verdict)
    path = Path("/films/a film [1].mp4")
    return Sheet.of(path, (1280, 720), people, tracks, film.shots, **how)  # type: ignore[arg-type]
