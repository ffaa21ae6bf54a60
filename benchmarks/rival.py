"""BoT-SORT as Roboflow's `trackers` has it (Apache-2.0), to compare our tracker with.

The package needs opencv-python, which writes into the folder of the opencv-python-headless that the
program needs, so one environment cannot hold both. It gets one of its own, made when it is first
asked for, and is given faces and gives ids through files.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.environment import Environment
from videoclusternet.config import TracksConfig
from videoclusternet.records import Array, Faces, Shots, Tracks

PACKAGES = ("trackers==2.6.1", "supervision==0.31.2")
SCRIPT = Path(__file__).with_name("botsort.py")


class BotSort:
    """BoT-SORT in its own environment, which lies below `work` and is made once."""

    def __init__(self, work: Path) -> None:
        self._environment = Environment(work, "BoT-SORT", *PACKAGES)

    def __call__(self, faces: Faces, shots: Shots, config: TracksConfig, reset: bool) -> Tracks:
        """Follow the faces of a film; with `reset`, ids are fresh in each shot.

        It is given what ours is given: the faces, how the camera moved, and from which score on a
        face is a strong one. All else is as it is by default. Raises ProgramFailedError.
        """
        steps = np.diff(shots.times[faces.looked])
        with TemporaryDirectory() as folder:
            np.savez(
                Path(folder, "scene.faces.npz"),
                frame=faces.frame,
                box=faces.box,
                score=faces.score,
                looked=faces.looked,
                motion=faces.motion,
                resets=_first_looks(faces, shots) if reset else [],
                rate=1 / np.median(steps) if len(steps) else 1.0,
                high=config.high,
            )
            self._environment.run("-P", str(SCRIPT), folder)
            with np.load(Path(folder, "scene.tracks.npz")) as told:
                return tracks_of(faces, told["track"])


def tracks_of(faces: Faces, ids: Array) -> Tracks:
    """Return the tracks that ids of the faces make; -1 is in none, and nothing is filled."""
    rows = np.flatnonzero(ids >= 0)
    _, first, track = np.unique(ids[rows], return_index=True, return_inverse=True)
    track = np.argsort(np.argsort(first))[track]  # by first face, as faces are in order of frames
    order = np.argsort(track, kind="stable")
    columns = {
        name: values[rows[order]]
        for name, values in faces.columns().items()
        if name in Tracks.empty().columns()
    }
    return Tracks(track=track[order], filled=np.zeros(len(rows), bool), **columns)


def _first_looks(faces: Faces, shots: Shots) -> Array:
    """Return the first frame of each shot that was looked at."""
    _, first = np.unique(shots.of(faces.looked), return_index=True)
    return faces.looked[first]
