"""Roboflow's BoT-SORT on given faces; runs in an environment of its own (`benchmarks.rival`).

    python botsort.py FOLDER

It reads `scene.faces.npz` in the folder and writes `scene.tracks.npz` beside it: `track`, the id of
each face, and -1 where it has none.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
from trackers import BoTSORTTracker

NO_PICTURE = np.empty((0, 0, 3), np.uint8)


class KnownCamera:
    """Tells the motion that was measured beforehand, instead of measuring it in the picture."""

    def __init__(self) -> None:
        self.motion = np.eye(2, 3, dtype=np.float32)

    def estimate(self, frame: Any, boxes: Any) -> Any:
        """Return the affine map (2, 3) from the look before."""
        return self.motion

    def reset(self) -> None:
        """Nothing is remembered."""


def follow(scene: Any) -> Any:
    """Return the id of each face, int64 (n,); ids are fresh after each of `scene["resets"]`."""
    tracker = BoTSORTTracker(
        frame_rate=float(scene["rate"]),
        track_activation_threshold=float(scene["high"]),
        high_conf_det_threshold=float(scene["high"]),
    )
    tracker.cmc = camera = KnownCamera()
    resets = set(scene["resets"].tolist())
    ids = np.full(len(scene["frame"]), -1, np.int64)
    offset = 0
    for frame, motion in zip(scene["looked"].tolist(), scene["motion"], strict=True):
        if frame in resets:
            tracker.reset()
            offset = ids.max(initial=-1) + 1
        camera.motion = motion
        rows = np.flatnonzero(scene["frame"] == frame)
        found = sv.Detections(
            xyxy=scene["box"][rows], confidence=scene["score"][rows], data={"row": rows}
        )
        told = tracker.update(found, NO_PICTURE)
        named = told.tracker_id >= 0
        if np.any(named):
            ids[told.data["row"][named]] = offset + told.tracker_id[named]
    return ids


def main() -> None:
    """Follow the faces of the scene in the folder."""
    folder = Path(sys.argv[1])
    with np.load(folder / "scene.faces.npz") as scene:
        ids = follow(dict(scene))
    np.savez(folder / "scene.tracks.npz", track=ids)


if __name__ == "__main__":
    main()
