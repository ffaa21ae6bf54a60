"""Exports for those who train and score: boxes with identities, frame by frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from videoclusternet import __version__
from videoclusternet.records import Array
from videoclusternet.results.exports.sheet import Sheet, plain
from videoclusternet.results.people import Person


def to_mot(sheet: Sheet) -> str:
    """Return MOT Challenge rows: frame (from 1), person, box, score, -1, -1, -1."""
    lines = []
    for frame, person, _, (x, y, width, height), score in _in_order(sheet):
        box = f"{x + 1:.2f},{y + 1:.2f},{width:.2f},{height:.2f}"
        lines.append(f"{frame + 1},{person.number},{box},{score:.4f},-1,-1,-1\n")
    return "".join(lines)


def to_coco(sheet: Sheet) -> str:
    """Return COCO: an image for each frame with a box, a category for each person."""
    rows = _in_order(sheet)
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
            "category_id": person.number,
            "track_id": track,
            "bbox": [round(side, 2) for side in box],
            "area": round(box[2] * box[3], 2),
            "iscrowd": 0,
            "score": round(score, 4),
        }
        for number, (frame, person, track, box, score) in enumerate(rows, 1)
    ]
    told = {
        "info": {"description": sheet.film.name},
        "images": images,
        "categories": categories,
        "annotations": annotations,
    }
    return json.dumps(told) + "\n"


def to_cvat(sheet: Sheet) -> str:
    """Return CVAT's XML for video 1.1: a track for each track, labelled with the person.

    Its boxes are those of the looks; between them CVAT goes along a straight line, as we do.
    """
    root = Element("annotations")
    _said(root, "version", "1.1")
    task = SubElement(SubElement(root, "meta"), "task")
    _said(task, "name", plain(sheet.film.name))
    _said(task, "size", str(sheet.shots.frames))
    _said(task, "mode", "interpolation")
    labels = SubElement(task, "labels")
    for person in sheet.people:
        _said(SubElement(labels, "label"), "name", plain(person.name))
    size = SubElement(task, "original_size")
    _said(size, "width", str(sheet.width))
    _said(size, "height", str(sheet.height))
    for person in sheet.people:
        for one in sheet.followed(person):
            about = {"id": str(one.track), "label": plain(person.name), "source": "auto"}
            track = SubElement(root, "track", about)
            for frame, box in zip(one.frames.tolist(), one.boxes.tolist(), strict=True):
                _cvat_box(track, frame, box)
            if frame + 1 < sheet.shots.frames:
                _cvat_box(track, frame + 1, box, outside="1")
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _said(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _cvat_box(track: Element, frame: int, box: list[float], outside: str = "0") -> None:
    corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), (f"{side:.2f}" for side in box), strict=True))
    about = {"frame": str(frame), "outside": outside, "occluded": "0", "keyframe": "1"}
    SubElement(track, "box", about | corners | {"z_order": "0"})


def to_label_studio(sheet: Sheet) -> str:
    """Return a task of Label Studio, with a rectangle in time predicted for each track.

    It asks for a project with `<Video name="video" value="$video"/>`, `<VideoRectangle name="box"
    toName="video"/>` and `<Labels name="person" toName="video"/>`.
    """
    percent = 100 / np.array([sheet.width, sheet.height])
    results = []
    for person in sheet.people:
        for one in sheet.followed(person):
            corners = one.boxes[:, :2] * percent
            sizes = one.boxes[:, 2:] * percent - corners
            sequence = [
                {
                    "frame": frame + 1, "time": round(float(sheet.shots.times[frame]), 4),
                    "enabled": frame < int(one.frames[-1]), "rotation": 0,
                    "x": x, "y": y, "width": width, "height": height,
                }
                for frame, (x, y), (width, height) in zip(
                    one.frames.tolist(), corners.round(4).tolist(), sizes.round(4).tolist(),
                    strict=True,
                )
            ]  # fmt: skip
            value = {
                "framesCount": sheet.shots.frames, "duration": sheet.seconds,
                "sequence": sequence, "labels": [person.name],
            }  # fmt: skip
            results.append(
                {
                    "id": f"track{one.track}", "type": "videorectangle", "from_name": "box",
                    "to_name": "video", "value": value, "score": round(float(one.scores.mean()), 4),
                }
            )  # fmt: skip
    task = {
        "data": {"video": sheet.film.as_uri()},
        "predictions": [{"model_version": f"videoclusternet {__version__}", "result": results}],
    }
    return json.dumps([task]) + "\n"


def to_fiftyone(sheet: Sheet) -> str:
    """Return ETA's VideoLabels, as FiftyOne's `FiftyOneVideoLabelsDataset` holds them."""
    frames: dict[int, list[dict[str, object]]] = {}
    size = (sheet.width, sheet.height) * 2
    for frame, person, track, box, score in _boxes(sheet):
        x1, y1, x2, y2 = (
            round(min(1.0, max(0.0, side / whole)), 6)
            for side, whole in zip(box, size, strict=True)
        )
        corners = {"top_left": {"x": x1, "y": y1}, "bottom_right": {"x": x2, "y": y2}}
        found = {
            "label": person.name, "index": track, "bounding_box": corners,
            "confidence": round(score, 4), "frame_number": frame + 1,
        }  # fmt: skip
        frames.setdefault(frame + 1, []).append(found)
    told = {
        str(number): {"frame_number": number, "objects": {"objects": frames[number]}}
        for number in sorted(frames)
    }
    return json.dumps({"frames": told}) + "\n"


def _boxes(sheet: Sheet) -> Iterator[tuple[int, Person, int, list[float], float]]:
    """Yield frame, person, track, box and score of each frame of the chosen people's tracks."""
    for person in sheet.people:
        for one in sheet.followed(person):
            for frame, box, score in zip(*map(Array.tolist, one.everywhere()), strict=True):
                yield frame, person, one.track, box, score


def _in_order(sheet: Sheet) -> list[tuple[int, Person, int, list[float], float]]:
    """Return the same by frame, then person; boxes as left, top, width and height."""
    rows = [
        (frame, person, track, [x1, y1, x2 - x1, y2 - y1], score)
        for frame, person, track, (x1, y1, x2, y2), score in _boxes(sheet)
    ]
    return sorted(rows, key=lambda row: (row[0], row[1].number, row[2]))
