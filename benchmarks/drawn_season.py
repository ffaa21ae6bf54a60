"""Grouping at a season's size: twelve real episodes of television with drawn faces (`drawn_faces`).

The usual pipeline is average linkage of the means of tracks, at the threshold that is best on the
other episodes of the series; a season has the best one of its own episodes, which nobody knows who
has not named them. As all episodes are drawn alike, no threshold could suit it better. Ours is told
nothing: it has the links that the film shows, and calibrates itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import TypeVar

import numpy as np

from benchmarks.drawn_faces import NETWORKS, Film, Network, draw, join, spread
from benchmarks.methods import COSINE
from benchmarks.methods.linkage import cut
from benchmarks.results_file import Goal, Row
from benchmarks.scenes import read_series
from videoclusternet.clustering.distance import RULES, Sides
from videoclusternet.clustering.group import group_tracks
from videoclusternet.records import Array
from videoclusternet.results.metrics import Scores, score
from videoclusternet.said import Said

EVERY = 3  # frames between two crops
SEASON = "season"
SIZES = ("episode", SEASON)
WAYS = ("usual", "ours")
PROTOCOLS = ("named", "all")  # without or with the people of the background, as they are drawn
NEAR = 0.05  # share by which a drawn median may miss the measured one
DRAWN = ("strangers", "same", "nearest_strangers", "farthest_same")
MEASURES = {"f1": "B³ F1", "precision": "B³ precision", "off": "|ratio - 1|"}

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Trial:
    """A series that was drawn once, and grouped in both ways."""

    series: str
    network: Network
    spread: Array  # (episodes, 4): see `drawn_faces.spread`
    found: Mapping[tuple[str, str, str], Scores]  # by film, protocol and way
    seconds: Mapping[tuple[str, str], float]  # of the processor, by film and way

    def films(self, size: str) -> list[str]:
        """Return the films of a size: the episodes, or the season."""
        names = dict.fromkeys(film for film, _ in self.seconds)
        return [name for name in names if (name == SEASON) == (size == SEASON)]

    def figures(self, size: str, protocol: str, way: str) -> list[float]:
        """Return each of `MEASURES`, the mean over the films of a size."""
        some = [self.found[film, protocol, way] for film in self.films(size)]
        each = [(one.bcubed_f1, one.bcubed_precision, abs(one.ratio - 1)) for one in some]
        return [fmean(values) for values in zip(*each, strict=True)]

    def took(self, size: str, way: str) -> float:
        """Return the mean of the seconds over the films of a size."""
        return fmean(self.seconds[film, way] for film in self.films(size))


def measure_seasons(folder: Path, seeds: Sequence[int]) -> Iterator[Trial]:
    """Try each series of a folder, each network and each seed. Raises InputError without one."""
    films = [Film.of(episode) for episode in read_series(folder)]
    series = {name: [*some] for name, some in groupby(films, lambda film: film.name.split("_")[0])}
    for name, parts in series.items():
        for network in NETWORKS:
            for seed in seeds:
                yield try_series(name, parts, network, seed)


def try_series(series: str, parts: Sequence[Film], network: Network, seed: int) -> Trial:
    """Draw the episodes of a series, two at least, and group each of them, and all as one film."""
    whole = join(SEASON, parts)
    unit = draw(whole, network, seed)
    films = {p.name: (p, unit[rows]) for p, rows in zip(parts, whole.episodes, strict=True)}
    told = best_on_others(films)
    found: dict[tuple[str, str, str], Scores] = {}
    seconds: dict[tuple[str, str], float] = {}
    for name, (film, vectors) in [*films.items(), (SEASON, (whole, unit))]:
        label, seconds[name, "ours"] = _timed(group, film, vectors, network.usual)
        for protocol in PROTOCOLS:
            names, limit = names_of(film, protocol), told[protocol][name]
            (plain,), seconds[name, "usual"] = _timed(cut, vectors, "average", [limit])
            found[name, protocol, "ours"] = score(label, names)
            found[name, protocol, "usual"] = score(plain, names)
    return Trial(series, network, spread(whole, np.arange(len(whole)), unit), found, seconds)


def group(film: Film, unit: Array, usual: float | None) -> Array:
    """Return our label of each track, by their mean embeddings (tracks, width)."""
    count = -(-film.frames // EVERY)
    sums = count[:, None] * unit
    sides = Sides(count, sums, sums, count.astype(np.float64), unit, unit)
    said, solid = Said.nothing(len(film)), np.ones(len(film), bool)
    return group_tracks(sides, RULES["cosine-average"], said, film.links, solid, usual).label


def names_of(film: Film, protocol: str) -> list[str | None]:
    """Return the name of each track, None where a protocol leaves it out."""
    judged = film.named | (protocol == "all")
    return [name if told else None for name, told in zip(film.person.tolist(), judged, strict=True)]


def best_on_others(films: Mapping[str, tuple[Film, Array]]) -> dict[str, dict[str, float]]:
    """Return the threshold of each film, by protocol: with the best mean F1 on all others.

    The season has the best one of all of them.
    """
    labels = {name: cut(unit, "average", COSINE) for name, (_, unit) in films.items()}
    told = {}
    for protocol in PROTOCOLS:
        curves = {
            name: np.array(
                [score(label, names_of(film, protocol)).bcubed_f1 for label in labels[name]]
            )
            for name, (film, _) in films.items()
        }
        total = np.sum([*curves.values()], axis=0)
        others = {name: total - curve for name, curve in curves.items()} | {SEASON: total}
        told[protocol] = {name: COSINE[int(np.argmax(x))] for name, x in others.items()}
    return told


def _timed(work: Callable[..., Value], *arguments: object) -> tuple[Value, float]:
    begin = time.process_time()
    value = work(*arguments)
    return value, time.process_time() - begin


def rows_of(trials: Sequence[Trial]) -> Iterator[Row]:
    """Yield the rows of each series and network: means over the seeds, and how these differ."""
    for kind, some in _by_kind(trials).items():
        yield from _drawn_rows(kind, some)
        for size in SIZES:
            for protocol in PROTOCOLS:
                yield from _score_rows(f"{kind}.{size}.{protocol}", some, size, protocol)
            for way in WAYS:
                taken = fmean(one.took(size, way) for one in some)
                yield Row.of(f"{kind}.{size}.{way}.seconds", taken, "seconds of processor")
        for film in some[0].films("episode"):
            for protocol in PROTOCOLS:
                for way in WAYS:
                    f1 = fmean(one.found[film, protocol, way].bcubed_f1 for one in some)
                    yield Row.of(f"{kind}.{film}.{protocol}.{way}.f1", f1, MEASURES["f1"])


def _drawn_rows(kind: str, some: Sequence[Trial]) -> Iterator[Row]:
    """Yield how far apart was drawn, beside what was measured."""
    asked = dict(zip(DRAWN, (some[0].network.strangers, some[0].network.same), strict=False))
    columns = np.concatenate([one.spread for one in some]).T
    for name, values in zip(DRAWN, columns, strict=True):
        middle = asked.get(name)
        goal = None if middle is None else Goal(middle * (1 - NEAR), middle * (1 + NEAR))
        yield Row.of(f"{kind}.drawn.{name}", float(np.median(values)), "1 - cos", goal)
        yield Row.of(f"{kind}.drawn.{name}.least", float(values.min()), "1 - cos, of an episode")
        yield Row.of(f"{kind}.drawn.{name}.most", float(values.max()), "1 - cos, of an episode")


def _score_rows(name: str, some: Sequence[Trial], size: str, protocol: str) -> Iterator[Row]:
    """Yield what a size scores under a protocol, in both ways, and what ours gains."""
    first = {}
    for way in WAYS:
        figures = np.array([one.figures(size, protocol, way) for one in some])
        for (measure, unit), value in zip(MEASURES.items(), figures.mean(axis=0), strict=True):
            yield Row.of(f"{name}.{way}.{measure}", float(value), unit)
        first[way] = figures[:, 0]
        yield Row.of(f"{name}.{way}.f1.spread", float(np.ptp(first[way])), "between the seeds")
    gain = float((first["ours"] - first["usual"]).mean())
    yield Row.of(f"{name}.gain", gain, "B³ F1 above the usual pipeline", Goal(0))


def _by_kind(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    kinds: dict[str, list[Trial]] = {}
    for one in trials:
        kinds.setdefault(f"{one.series}.{one.network.name}", []).append(one)
    return kinds


def table_of(trials: Sequence[Trial]) -> Iterator[str]:
    """Yield the lines of a Markdown table: F1 (precision, |ratio - 1|), and seconds."""
    yield "| | judged | usual | ours | seconds of usual | of ours |"
    yield "| --- |" + " --- |" * 5
    for kind, some in _by_kind(trials).items():
        for size in SIZES:
            taken = [fmean(one.took(size, way) for one in some) for way in WAYS]
            for protocol in PROTOCOLS:
                cells = []
                for way in WAYS:
                    figures = np.array([one.figures(size, protocol, way) for one in some])
                    f1, precision, off = figures.mean(axis=0)
                    cells.append(f"{f1:.3f} ({precision:.3f}, {off:.2f})")
                cells += [f"{seconds:.2f}" for seconds in taken]
                yield f"| {kind} {size} | {protocol} | " + " | ".join(cells) + " |"
