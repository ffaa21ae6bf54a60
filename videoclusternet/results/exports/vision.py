"""Exports for those who train and score: boxes with identities, frame by frame."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from videoclusternet.results.exports.sheet import Sheet


def to_mot(sheet: Sheet) -> str:
    """Return MOT Challenge rows: frame (from 1), person, box, score, -1, -1, -1."""
    lines = []
    for frame, person, _, (x1, y1, x2, y2), score in sorted(_boxes(sheet)):
        box = f"{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
        lines.append(f"{frame + 1},{person},{box},{score:.4f},-1,-1,-1\n")
    return "".join(lines)


def to_coco(sheet: Sheet) -> str:
    """Return COCO: an image for each frame with a box, a category for each person."""
    rows = sorted(_boxes(sheet))
    images = [
        {
            "id": frame,
            "file_name": f"{frame:08}.jpg",
            "width": sheet.width,
            "height": sheet.height,
            "seconds": round(float(sheet.shots.times[frame]), 4),
        }
        for frame in sorted({frame for frame, *_ in rows})
    ]
    categories = [
        {"id": person.number, "name": person.name, "supercategory": "person"}
        for person in sheet.people
    ]
    annotations = [
        {
            "id": number,
            "image_id": frame,
            "category_id": person,
            "track_id": track,
            "bbox": [round(x1, 2), round(y1, 2), round(x2 - x1, 2), round(y2 - y1, 2)],
            "area": round((x2 - x1) * (y2 - y1), 2),
            "iscrowd": 0,
            "score": round(score, 4),
        }
        for number, (frame, person, track, (x1, y1, x2, y2), score) in enumerate(rows, 1)
    ]
    told = {
        "info": {"description": sheet.film.name},
        "images": images,
        "categories": categories,
        "annotations": annotations,
    }
    return json.dumps(told) + "\n"


def _boxes(
    sheet: Sheet,
) -> Iterator[tuple[int, int, int, tuple[float, float, float, float], float]]:
    """Yield frame, person, track, box and score of each frame of the chosen people's tracks.

    Between two looks a box moves along a straight line. Appearances that were left out as too
    short do not count here: a track is told whole or not at all.
    """
    tracks = sheet.tracks
    for person in sheet.people:
        for track in person.tracks:
            rows = slice(tracks.starts[track], tracks.starts[track + 1])
            frame = tracks.frame[rows]
            every = np.arange(frame[0], frame[-1] + 1)
            sides = [np.interp(every, frame, side) for side in tracks.box[rows].T]
            score = np.interp(every, frame, tracks.score[rows])
            for n, at in enumerate(every.tolist()):
                x1, y1, x2, y2 = (float(side[n]) for side in sides)
                yield at, person.number, track, (x1, y1, x2, y2), float(score[n])
