"""Give it a film; it tells you who is in it and when.

    import videoclusternet as vcn

    people = vcn.cluster_video("film.mp4")
    for person in people:
        ...  # person.name, person.seconds, person.appearances

The stages can be used one by one, too: each is a function in the module that is called after what
it does (`videoclusternet.video.shots.detect_shots`). The names below are imported when they are
first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from videoclusternet.errors import (
    BusyError,
    InputError,
    ResourceError,
    UsageError,
    VideoClusterNetError,
    WeightsError,
)

if TYPE_CHECKING:
    from videoclusternet.config import Config, load_config
    from videoclusternet.library.shelf import Library
    from videoclusternet.pipeline import cluster_video, process_film
    from videoclusternet.results.people import People, Person
    from videoclusternet.run_view import RunView, load_run
    from videoclusternet.season.process import process_season

__version__ = "0.1.0"

__all__ = [
    "BusyError",
    "Config",
    "InputError",
    "Library",
    "People",
    "Person",
    "ResourceError",
    "RunView",
    "UsageError",
    "VideoClusterNetError",
    "WeightsError",
    "cluster_video",
    "load_config",
    "load_run",
    "process_film",
    "process_season",
]

_HOME = {
    "Config": "config",
    "load_config": "config",
    "Library": "library.shelf",
    "cluster_video": "pipeline",
    "process_film": "pipeline",
    "process_season": "season.process",
    "People": "results.people",
    "Person": "results.people",
    "RunView": "run_view",
    "load_run": "run_view",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
