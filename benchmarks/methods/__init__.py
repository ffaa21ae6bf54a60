"""Rivals: other ways of telling who is who among the same tracks, by the same embeddings.

Each way is a row of `METHODS` and a function in a module of this folder. It is shown what a method
may see (`TrackSet`) and told what its row says that it must be told; true names it never sees.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from videoclusternet.records import Array

Told = Literal["nothing", "threshold", "people", "names"]
"""Nothing, a threshold that is best on other films, how many people there are, or some names."""


@dataclass(frozen=True, eq=False)
class TrackSet:
    """What is known of the tracks of one film; each has at least one crop."""

    embeddings: Array  # float32 (crops, d), by the untuned network, track by track
    counts: Array  # int64 (tracks,): crops of each track, in the order of the embeddings
    first: Array  # int64 (tracks,): the frames in which a track begins
    last: Array  # int64 (tracks,): and ends, included

    def __len__(self) -> int:
        return len(self.counts)

    @cached_property
    def track(self) -> Array:
        """The track of each crop, int64 (crops,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def unit(self) -> Array:
        """The embeddings at unit length, float64 (crops, d)."""
        values = self.embeddings.astype(np.float64)
        unit: Array = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        return unit

    @cached_property
    def means(self) -> Array:
        """The mean of each track's unit embeddings, at unit length, float64 (tracks, d)."""
        sums = np.zeros((len(self), self.unit.shape[1]))
        np.add.at(sums, self.track, self.unit)
        means: Array = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
        return means

    @cached_property
    def together(self) -> Array:
        """Which tracks share a frame, and so are two people: bool (tracks, tracks)."""
        shared: Array = (self.first[:, None] <= self.last) & (self.first <= self.last[:, None])
        np.fill_diagonal(shared, False)
        return shared


ToldOf = Sequence[int | float | None]
"""All that a method is told, to answer each: thresholds as floats, a number of people as an int, or
one None where it is told nothing."""

Group = Callable[[TrackSet, ToldOf, int], list[Array]]
"""What a method is: tracks, what it is told, and a seed, to labels for each thing that it is told,
int64 (tracks,), -1 where it leaves a track out. The same arguments give the same labels. One module
may serve rows that are told a threshold and rows that are told the people."""

Names = Array
"""The name of each track, str (tracks,), "" where it has none: of these, some are shown."""

Teacher = Sequence[tuple[TrackSet, Array]]
"""The other films, and the name of each of their tracks, str (tracks,), "" where it has none. One
name is one person wherever it stands."""


@dataclass(frozen=True)
class Method:
    """A row of the table."""

    name: str
    module: str  # of this folder, and behind a colon its function, if that is not `group`
    told: Told
    source: str  # who published it, and where
    differs: str  # what is not as published, and why
    thresholds: tuple[float, ...] = ()  # among which the one of other films is sought
    learns: bool = False  # from the labelled tracks of other films: `group` has a `teacher`, too

    def tells(self, people: int) -> ToldOf:
        """Return all that the method is told of a film with so many people."""
        if self.told == "threshold":
            return self.thresholds
        return [people if self.told == "people" else None]

    def group(
        self,
        tracks: TrackSet,
        told: ToldOf,
        seed: int = 0,
        teacher: Teacher = (),
        names: Names | None = None,
    ) -> list[Array]:
        """Group the tracks: see `Group`.

        Nobody is shown the teacher but who `learns`, nor names but who is told some of them.
        """
        module, _, function = self.module.partition(":")
        methods = importlib.import_module(f"benchmarks.methods.{module}")
        group: Callable[..., list[Array]] = getattr(methods, function or "group")
        shown = [teacher] if self.learns else [names] if self.told == "names" else []
        return group(tracks, told, seed, *shown)


COSINE = tuple(np.geomspace(0.002, 1, 120).round(5).tolist())
"""Cosine distances, from dlib's narrow cone to networks that fill the sphere."""

WARD = tuple(np.geomspace(0.1, 20, 80).round(4).tolist())
"""Ward's distances of unit vectors; 100 tracks of one person and 100 of another come to 14."""

PARTITIONS = tuple(float(number) for number in range(6))
"""Of FINCH, the first one first; where a film has fewer, the last one it has."""

_USUAL = "the usual pipeline"
_DBSCAN = "Ester, Kriegel, Sander, Xu, KDD 1996, by scikit-learn"
_HDBSCAN = "Campello, Moulavi, Sander, PAKDD 2013, by scikit-learn"
_FINCH = "Sarfraz, Sharma, Stiefelhagen, CVPR 2019, by finch-clust"
_WHISPERS = "Biemann, TextGraphs 2006; for faces as in dlib, all edges alike"
_FEWEST = "two tracks are enough for a person, where the default is five points"
_PARTITION = "which of its partitions counts is chosen on other films"
_SWEEPS = "all are asked once a sweep, as published, where dlib draws whom it asks"
_ICCV2013 = "Wu, Lyu, Hu, Ji, ICCV 2013"
_SCTL = "made from its abstract; tracks are told by their embeddings, and links by those and time"
_CVPR2013 = "Bäuml, Tapaswi, Stiefelhagen, CVPR 2013"
_MLR = (
    "made from its abstract; a fifth of the names are told, drawn by lot, where theirs came from "
    "subtitles and transcripts; these tracks are scored, too"
)
_TMM = "Wang, Dong, Shen, Luo, Lin, Ma, Petridis, Pantic, arXiv 2203.13166"
_VCTRSF = "made from its abstract; its transformer sees embeddings, not pictures"
_FG2019 = "Sharma, Tapaswi, Sarfraz, Stiefelhagen, FG 2019, arXiv 1903.01000"
_FG2020 = "Sharma, Tapaswi, Sarfraz, Stiefelhagen, FG 2020, arXiv 2004.02195"
_SIAMESE = (
    "the network and the optimizer are those of the public code of SSiam, but for a few of its "
    "batches (1000), on embeddings of length √d, which its rate needs"
)
_TSIAM = (
    f"{_SIAMESE}; tracks that meet nobody are told from the 25 farthest, but no more than a "
    "quarter of the others, as our films have few"
)
_SSIAM = (
    f"{_SIAMESE}; at most 1000 crops, and no more than half of them, are ranked for a batch, where "
    "the public code ranks 3000 of ten times as many"
)
_CCL = (
    f"{_SIAMESE}, as none was found of CCL; clusters are of tracks and not of frames, of which the "
    "nearest are of one track anyway"
)
_BCL = (
    "learns from some tens of people in other films, not from more than a thousand actors; a tenth "
    "of the batches at ten times the rates, which do not fall; one in five people is held out, and "
    "the balls that group these best are taken"
)
_THRESHOLD = "; told a threshold, where it is published with the number of people"

METHODS: dict[str, Method] = {
    row.name: row
    for row in (
        Method("HAC average", "hac:average", "threshold", _USUAL, "nothing", COSINE),
        Method("HAC average, told people", "hac:average", "people", _USUAL, "nothing"),
        Method("HAC complete", "hac:complete", "threshold", _USUAL, "nothing", COSINE),
        Method("HAC complete, told people", "hac:complete", "people", _USUAL, "nothing"),
        Method("HAC Ward", "hac:ward", "threshold", _USUAL, "nothing", WARD),
        Method("HAC Ward, told people", "hac:ward", "people", _USUAL, "nothing"),
        Method("DBSCAN", "dbscan", "threshold", _DBSCAN, _FEWEST, COSINE),
        Method("HDBSCAN", "dbscan:by_density", "nothing", _HDBSCAN, _FEWEST),
        Method("FINCH", "finch", "threshold", _FINCH, _PARTITION, PARTITIONS),
        Method("FINCH, told people", "finch", "people", _FINCH, "nothing"),
        Method("Chinese Whispers", "whispers", "threshold", _WHISPERS, _SWEEPS, COSINE),
        Method("TSiam", "tsiam", "threshold", _FG2019, _TSIAM + _THRESHOLD, WARD),
        Method("TSiam, told people", "tsiam", "people", _FG2019, _TSIAM),
        Method("SSiam", "ssiam", "threshold", _FG2019, _SSIAM + _THRESHOLD, WARD),
        Method("SSiam, told people", "ssiam", "people", _FG2019, _SSIAM),
        Method("CCL", "ccl", "threshold", _FG2020, _CCL + _THRESHOLD, WARD),
        Method("CCL, told people", "ccl", "people", _FG2020, _CCL),
        Method(
            "BCL",
            "bcl",
            "nothing",
            "Tapaswi, Law, Fidler, ICCV 2019, arXiv 1908.03381",
            _BCL,
            learns=True,
        ),
        Method("SCTL, told people", "sctl", "people", _ICCV2013, _SCTL),
        Method("MLR", "mlr", "names", _CVPR2013, _MLR),
        Method("VCTRSF, told people", "vctrsf", "people", _TMM, _VCTRSF),
    )
}
