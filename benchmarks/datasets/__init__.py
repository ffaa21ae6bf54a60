"""Data sets on which telling faces apart in films is measured, from where they lie on this machine.

Nothing is fetched: a data set that is missing is one sentence that says where it is told of. A
loader gives `LabelledFilm`s; which of the names count, those of the cast or those of all, is for
the measures to say. A run of one's own with a truth file is loaded by `own.load_own`; for
pictures, `own.untuned` gives a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import videoclusternet as vcn
from benchmarks.datasets.film import LabelledFilm
from benchmarks.datasets.matlab import ASK as ASK_SSIAM
from benchmarks.datasets.matlab import load_ssiam
from benchmarks.datasets.pictures import ASK as ASK_PICTURES
from benchmarks.datasets.pictures import ASK_MOVIES, Network, load_movies, load_pictures
from benchmarks.datasets.series import ASK as ASK_SERIES
from benchmarks.datasets.series import BBT, BVS, load_series
from benchmarks.datasets.vpcd import ASK as ASK_VPCD
from benchmarks.datasets.vpcd import load_vpcd

__all__ = ["DATASETS", "DataSet", "LabelledFilm", "Network", "load_dataset"]


Load = Callable[[Path, Network | None], list[LabelledFilm]]
"""How a data set is loaded: its folder and, where it is pictures, a network."""


@dataclass(frozen=True)
class DataSet:
    """A row of the table."""

    name: str
    holds: str
    ask: str  # where it is to be had
    load: Load
    pictures: bool = False  # it needs a network


def _movies(folder: Path, network: Network | None) -> list[LabelledFilm]:
    return load_movies(folder, _needed(network))


def _film(folder: Path, network: Network | None) -> list[LabelledFilm]:
    return [load_pictures(folder, _needed(network))]


def _needed(network: Network | None) -> Network:
    if network is None:
        raise vcn.UsageError("The data set is pictures: name the network that sees them.")
    return network


DATASETS: dict[str, DataSet] = {
    row.name: row
    for row in (
        DataSet(
            "BBT",
            "The Big Bang Theory, season 1, episodes 1 to 6, with background people",
            ASK_SERIES,
            lambda folder, _: load_series(folder, BBT),
        ),
        DataSet(
            "BVS",
            "Buffy the Vampire Slayer, season 5, episodes 1 to 6, with background people",
            ASK_SERIES,
            lambda folder, _: load_series(folder, BVS),
        ),
        DataSet(
            "BBT-0101",
            "The Big Bang Theory, season 1, episode 1, without background people",
            ASK_SSIAM,
            lambda folder, _: load_ssiam(folder),
        ),
        DataSet(
            "VPCD",
            "faces of six program sets, films and series",
            ASK_VPCD,
            lambda folder, _: load_vpcd(folder),
        ),
        DataSet("MovieFaceCluster", "nine films", ASK_MOVIES, _movies, pictures=True),
        DataSet("pictures", "a film as folders of pictures", ASK_PICTURES, _film, pictures=True),
    )
}


def load_dataset(name: str, folder: Path, network: Network | None = None) -> list[LabelledFilm]:
    """Load all films of a data set of the table.

    Raises UsageError for a name that is none, or pictures without a network, and InputError, in one
    sentence, for what is missing or damaged.
    """
    if name not in DATASETS:
        raise vcn.UsageError(f"There is no data set '{name}': there are {', '.join(DATASETS)}.")
    return DATASETS[name].load(folder, network)
