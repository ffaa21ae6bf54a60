"""What a run tells of itself: settings that differ, versions, and what its reader must know."""

from __future__ import annotations

import logging
from importlib import metadata
from pathlib import Path
from typing import Any

from videoclusternet import __version__
from videoclusternet.config import Config, by_name
from videoclusternet.records import Faces, Shots
from videoclusternet.video.stream import Video

log = logging.getLogger(__name__)

LIBRARIES = ("av", "numpy", "onnxruntime", "torch")
SHORT = 0.95  # of the announced length; a film that ends before it was cut off


def differences(config: Config) -> dict[str, Any]:
    """Return the settings that are not as they are by default; of a file, only what it is called.

    The report may go to others, whom the folders of its maker do not concern.
    """
    defaults, values = by_name(Config()), by_name(config)
    for key in ("backbone", "detector"):
        name, equals, path = values[key].partition("=")
        values[key] = name + equals + Path(path).name
    return {name: value for name, value in values.items() if value != defaults[name]}


def versions() -> dict[str, str]:
    ours = {"videoclusternet": __version__}
    return ours | {library: metadata.version(library) for library in LIBRARIES}


def warnings_of(video: Video, shots: Shots, faces: Faces) -> tuple[str, ...]:
    """Return, and say at once, what the reader of the report must know."""
    warnings = []
    announced, seen = video.info.seconds, float(shots.times[-1] - shots.times[0])
    if announced and seen < SHORT * announced:
        warnings.append(
            f"The film ends at {seen:.1f} s, though {announced:.1f} s were announced: a whole copy "
            "would show more."
        )
    damaged = int((~faces.usable).sum())
    if damaged:
        warnings.append(
            f"{damaged:,} of {len(faces):,} faces lie in damaged pictures: nobody is recognised by "
            "them."
        )
    for warning in warnings:
        log.warning("%s", warning)
    return tuple(warnings)
