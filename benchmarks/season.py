"""What it brings to take films together: each film alone, and all of them as one season.

Every film is scored by itself, once as it was run alone and once as its episode of the season was
told by it; then all tracks of all films are scored as of one film. There a name is one person
in whichever films it stands: the files of truth must call everybody by one name throughout, and
nobody else by it. Of films that were run alone no label is the same in two of them, for nothing
told those runs of each other; so somebody in three films is three people there, at best. A third
way is to link the people of runs alone, as a library does where it asks nobody.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import videoclusternet as vcn
from benchmarks.films import SPREAD, UNITS
from benchmarks.results_file import Row
from benchmarks.runs import Case
from videoclusternet.library.job import Job, Part, parts_of
from videoclusternet.library.link import Bonds, Cast, link_cast
from videoclusternet.processors import usable_threads
from videoclusternet.records import Array
from videoclusternet.results.metrics import Scores, score
from videoclusternet.results.truth import name_tracks, read_truth

MEASURES = ("bcubed_f1", "wcp", "ratio", "predicted", "true", "nmi", "tracks_scored", "unknown")
COMBINED = "combined"
WAYS = ("alone", "together")  # of each film; all films together can also be linked

Names = tuple[str | None, ...]


@dataclass(frozen=True)
class Trial:
    """All films with one seed: scores by film, `COMBINED` among them, and by way."""

    seed: int
    scores: Mapping[tuple[str, str], Scores]


@dataclass(frozen=True, eq=False)
class Told:
    """What a run made of a film, and the truth."""

    label: Array  # of each track, -1 Unknown
    names: Names


def try_season(
    cases: Sequence[Case], seed: int, work: Path, preset: str, changes: Sequence[str], first: int
) -> Trial:
    """Run films with a seed alone and together, each in its folder below `work`, and score them.

    What does not depend on the seed is taken from the folders of the seed `first`, where they are.
    """
    given = preset, changes
    alone, runs = {}, []
    for case in cases:
        folder = _begun(work, case.name, seed, first)
        runs.append(vcn.process_film(case.film, folder, *given, seed=seed))
        alone[case.name] = _told(runs[-1], case)
    name = "season-" + "-".join(case.name for case in cases)
    folder = _begun(work, name, seed, first)
    season = vcn.process_season([case.film for case in cases], folder, *given, seed=seed)
    episodes = {
        case.name: _told(vcn.load_run(season.folder / note.folder), case)
        for case, note in zip(cases, season.manifest.episodes, strict=True)
    }
    names = tuple(name for told in episodes.values() for name in told.names)
    scores = {
        (name, way): score(told.label, told.names)
        for way, all_of in zip(WAYS, (alone, episodes), strict=True)
        for name, told in all_of.items()
    }
    scores[COMBINED, "alone"] = as_strangers([*alone.values()])
    job = Job("", "", preset, tuple(changes), threads=usable_threads())
    linked = linked_labels(runs, [parts_of(run, job) for run in runs])
    scores[COMBINED, "linked"] = score(linked, names)
    scores[COMBINED, "together"] = score(season.last_word.label, names)
    return Trial(seed, scores)


def _begun(work: Path, name: str, seed: int, first: int) -> Path:
    """Return the folder of a run, which begins as that of the first seed did."""
    folder, before = (work / f"{name}-{number}" for number in (seed, first))
    if before.exists() and not folder.exists():
        shutil.copytree(before, folder)
    return folder


def _told(run: vcn.RunView, case: Case) -> Told:
    return Told(run.last_word.label, name_tracks(run.tracks, read_truth(case.truth)).names)


def as_strangers(films: Sequence[Told]) -> Scores:
    """Return the scores of films as of one, no label of which is the same in two of them."""
    labels: list[Array] = []
    names: list[str | None] = []
    first = 0
    for told in films:
        labels.append(np.where(told.label < 0, -1, told.label + first))
        names += told.names
        first += int(told.label.max(initial=-1)) + 1
    return score(np.concatenate(labels), names)


def linked_labels(runs: Sequence[vcn.RunView], parts: Sequence[tuple[Part, ...]]) -> Array:
    """Return the labels of all tracks as a library links these runs, which nobody was asked about.

    `parts` are what it knows of each run's people.
    """
    everyone = [part for of_run in parts for part in of_run]
    film = np.repeat(np.arange(len(runs)), [len(of_run) for of_run in parts])
    cast = Cast(
        film,
        np.array([part.count for part in everyone]),
        np.array([part.total for part in everyone]),
        np.full(len(everyone), ""),
    )
    person, _, _ = link_cast(cast, Bonds.none())
    labels, other = [], len(everyone)  # who has no crop is linked with nobody
    for number, run in enumerate(runs):
        mine = np.flatnonzero(film == number)
        of = dict(zip((part.number for part in parts[number]), person[mine].tolist(), strict=True))
        label = np.full(run.tracks.count, -1)
        for one in run.people:
            label[list(one.tracks)] = of.get(one.number, other + one.number)
        labels.append(label)
        other += len(run.people) + 1
    return np.concatenate(labels)


def rows_of(trials: Sequence[Trial]) -> Iterator[Row]:
    """Yield each measure by film, way and seed, and over the seeds."""
    for film, way in trials[0].scores:
        for measure in MEASURES:
            values = _by_seed(trials, film, way, measure)
            values |= {name: spread([*values.values()]) for name, spread in SPREAD.items()}
            for name, value in values.items():
                yield Row.of(f"{film}.{way}.{measure}.{name}", value, UNITS[measure])


def table_of(trials: Sequence[Trial]) -> Iterator[str]:
    """Yield the lines of a compact table for the terminal: the mean over the seeds."""
    shown = ("bcubed_f1", "wcp", "ratio", "nmi")
    yield f"{'':<34}" + "".join(f"{measure:>11}" for measure in shown)
    for film in dict.fromkeys(film for film, _ in trials[0].scores):
        for way in (way for name, way in trials[0].scores if name == film):
            means = [SPREAD["mean"]([*_by_seed(trials, film, way, m).values()]) for m in shown]
            yield f"{film:<24}{way:<10}" + "".join(f"{mean:>11.3f}" for mean in means)


def _by_seed(trials: Sequence[Trial], film: str, way: str, measure: str) -> dict[str, float]:
    return {
        f"seed_{trial.seed}": float(getattr(trial.scores[film, way], measure)) for trial in trials
    }
