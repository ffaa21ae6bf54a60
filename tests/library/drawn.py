"""Libraries drawn from numbers: people whose embeddings change from film to film and crop to crop.

The distances are dlib's on faces of films: strangers lie .146 apart in the mean, with as much
deviation as 35 independent directions have; what a person changes is a share of that.
"""

from __future__ import annotations

import numpy as np

from videoclusternet.library.link import Cast
from videoclusternet.records import Array

WIDTH = 128
STRANGERS = 0.146  # mean distance
WITHIN = 0.1  # of that: a person's crops in one film


def draw_library(
    seed: int,
    films: int = 20,
    each: float = 12,
    people: int = 60,
    across: float = 0.3,
    split: float = 0.0,
    mixed: float = 0.0,
) -> tuple[Cast, Array]:
    """Return a cast and who each row of it is.

    `across` is a person's share of `STRANGERS` between films. Of the rows `split` are two instead
    of one, and into `mixed` of them some crops of another person of the film have got.
    """
    rng = np.random.default_rng(seed)
    shares = np.arange(1, WIDTH + 1.0) ** -0.6
    shares /= shares.sum()

    def drawn(count: int, share: float) -> Array:
        size = np.sqrt(np.maximum(share, 0) * STRANGERS * shares)
        return rng.normal(size=(count, WIDTH)) * size

    middle = rng.normal(size=WIDTH)
    middle /= np.linalg.norm(middle)
    faces = middle + drawn(people, 1 - across)
    often = np.arange(1, people + 1) ** -0.5
    rows: list[tuple[int, int, int, Array]] = []  # film, crops, person, sum
    for film in range(films):
        seen = rng.choice(
            people, min(people, max(1, rng.poisson(each))), False, often / often.sum()
        )
        for person in seen.tolist():
            crops = int(np.clip(rng.lognormal(2.3, 1), 1, 200))
            here = faces[person] + drawn(1, across - WITHIN)
            parts = [crops]
            if rng.random() < split and crops >= 4:
                parts = [crops - crops // 3, crops // 3]
            for count in parts:
                x = here + drawn(count, WITHIN)
                x /= np.linalg.norm(x, axis=1, keepdims=True)
                total = x.sum(0)
                if rng.random() < mixed and rows and rows[-1][0] == film:
                    strange = max(1, rows[-1][1] // 5)
                    total = total + rows[-1][3] / rows[-1][1] * strange
                    count += strange
                rows.append((film, count, person, total))
    film_, count_, person_, total_ = zip(*rows, strict=True)
    cast = Cast(
        np.array(film_), np.array(count_), np.array(total_, np.float32),
        np.full(len(rows), "", "<U20"),
    )  # fmt: skip
    return cast, np.array(person_)


def pairs_right(label: Array, person: Array) -> tuple[float, float]:
    """Return which share of the pairs that are linked is right, and of the right ones linked."""
    linked = label[:, None] == label[None]
    same = person[:, None] == person[None]
    above = np.triu(np.ones_like(linked), 1).astype(bool)
    both = (linked & same & above).sum()
    return float(both / max(1, (linked & above).sum())), float(both / (same & above).sum())
