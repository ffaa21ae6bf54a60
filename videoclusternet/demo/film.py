"""The demonstration film: its takes put on the screen, and what is true of them written down."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from videoclusternet.demo.cuts import SHOTS
from videoclusternet.demo.pictures import DEMO_ASSETS
from videoclusternet.demo.take import shoot
from videoclusternet.durable import make_private, write_text
from videoclusternet.records import Array, Progress, silent
from videoclusternet.results.truth import COLUMNS
from videoclusternet.video.writer import write_video
from videoclusternet.weights.assets import locate

SIZE = (640, 360)  # width and height, pixels
FPS = 25
LABEL = 6  # the truth has boxes in every sixth frame


def build_demo_film(folder: Path, progress: Progress = silent, seed: int = 0) -> tuple[Path, Path]:
    """Write demo.mp4 and its truth, demo.truth.csv, into a folder, and return both paths.

    The assets of DEMO_ASSETS must have been fetched. Raises WeightsError where one is missing,
    ResourceError where the folder cannot be written. Progress counts frames.
    """
    for asset in DEMO_ASSETS.values():
        locate(asset)
    make_private(folder)
    film, truth = folder / "demo.mp4", folder / "demo.truth.csv"
    rows: list[tuple[object, ...]] = []
    write_video(film, _frames(seed, rows, progress), FPS, SIZE)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_text(truth, lines.getvalue())
    return film, truth


def _frames(seed: int, rows: list[tuple[object, ...]], progress: Progress) -> Iterator[Array]:
    """Yield the frames of the film, and add to `rows` what is true of them."""
    frame, total = 0, sum(shot.frames for shot in SHOTS)
    for number, shot in enumerate(SHOTS):
        rng = np.random.default_rng([seed, number])
        ground = rng.integers(20, 90, 3, np.uint8)
        takes = [shoot(part, shot.frames, rng) for part in shot.parts]
        for i in range(shot.frames):
            screen = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
            screen[:] = ground
            for take in takes:
                x, y, width, height = take.part.panel
                screen[y : y + height, x : x + width] = take.pixels(i)
                if frame % LABEL == 0:
                    rows += [
                        (frame, *np.round(box[i] + (x, y, x, y), 1), name)
                        for name, box in take.boxes.items()
                    ]
            yield screen
            frame += 1
            progress(frame, total)
