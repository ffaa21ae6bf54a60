"""Ours and every rival on the same tracks and the same embeddings, film by film and seed by seed.

A film is decoded and tracked once. Rivals get the embeddings of the untuned network, ours tunes it;
all are scored on the same tracks, and a track without a crop is Unknown to all. A rival that needs
a threshold gets the one with the best mean B-cubed F1 on the *other* films, as a user would have to
find it; one that needs the number of people gets the true one, and is marked. What a method made of
a film is kept below the work folder, so a comparison that was stopped goes on where it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

import videoclusternet as vcn
from benchmarks.methods import METHODS, Method, TrackSet
from benchmarks.results_file import Row
from benchmarks.runs import Case
from videoclusternet.clustering.quality import seen_and_scored
from videoclusternet.config import load_config
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import choose_backbone
from videoclusternet.records import Array
from videoclusternet.results.metrics import Scores, score
from videoclusternet.results.truth import name_tracks, read_truth

OURS = "VideoClusterNet"
TOLD = {
    "nothing": "nothing",
    "threshold": "a threshold of other films",
    "people": "how many people",
}
MEASURES = {"wcp": "share", "bcubed_f1": "share", "nmi": "share", "ratio": "predicted / true"}


class Figures(NamedTuple):
    """What is told of one method on one film with one seed."""

    wcp: float
    bcubed_f1: float
    nmi: float
    ratio: float


@dataclass(frozen=True, eq=False)
class Film:
    """What one film's methods begin with, and the truth about it."""

    name: str
    tracks: TrackSet  # those that have a crop
    kept: Array  # int64: which of the run's tracks these are
    names: tuple[str | None, ...]  # of all tracks of the run; None is not scored

    @property
    def people(self) -> int:
        """How many people there are among the tracks that are scored."""
        return len({name for name in self.names if name is not None})

    @property
    def kept_names(self) -> Array:
        """The names of the tracks that are kept, str (tracks,), "" where there is none.

        A name is one person within its film only, so the film's name stands before it.
        """
        names = [self.names[track] for track in self.kept]
        return np.array([f"{self.name}: {name}" if name else "" for name in names], np.str_)

    def scored(self, labels: Array) -> Scores:
        """Score a label for each track of the run."""
        return score(labels, self.names)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a method made of one film with one seed: a row for each thing that it was told."""

    told: Array  # float64 (n,); NaN where it is told nothing
    labels: Array  # int64 (n, tracks)
    film: Film

    @cached_property
    def scores(self) -> list[Scores]:
        """The scores of each row."""
        return [self.film.scored(labels) for labels in self.labels]


Key = tuple[str, str, int]
"""Film, method and seed."""


def read_film(case: Case, work: Path, preset: str, changes: Sequence[str]) -> Film:
    """Track a film, and embed its crops with the network as it came, or read that again."""
    folder = work / f"{case.name}-0"
    run = vcn.process_film(case.film, folder, preset, changes, seed=0, until="crops")
    kept, crops = work / f"{case.name}-base.npz", run.crops
    names = name_tracks(run.tracks, read_truth(case.truth)).names
    if not kept.exists():
        config = load_config(preset, changes)
        model = FaceModel.create(*choose_backbone(config.backbone), config.finetune, 0).eval()
        embeddings = seen_and_scored(model, crops.images, 1, config.cluster, 0)[0][:, 0]
        columns = {
            "embeddings": embeddings.cpu().numpy(),
            "names": np.array([name or "" for name in names], np.str_),
        }
        with kept.open("wb") as file:
            np.savez(file, allow_pickle=False, **columns)
    with np.load(kept, allow_pickle=False) as columns:
        embeddings = columns["embeddings"]
    there = np.flatnonzero(crops.counts > 0)
    first, last = run.tracks.spans[there].T
    return Film(case.name, TrackSet(embeddings, crops.counts[there], first, last), there, names)


def run_ours(
    case: Case, film: Film, seed: int, work: Path, preset: str, changes: Sequence[str]
) -> Answers:
    """Run the program with a seed, in a folder that begins with the tracks of the first."""
    first, folder = work / f"{case.name}-0", work / f"{case.name}-{seed}"
    if not folder.exists():
        shutil.copytree(first, folder)
    run = vcn.process_film(case.film, folder, preset, changes, seed=seed)
    return Answers(np.array([np.nan]), run.clusters.label[None], film)


def run_rival(
    method: Method, film: Film, seed: int, work: Path, others: Sequence[Film] = ()
) -> Answers:
    """Group a film's tracks by a rival in all ways that it may be told, or read that again.

    One that learns is shown the other films with their names.
    """
    kept = work / f"{film.name}-{method.name.replace(', ', '-').replace(' ', '-')}-{seed}.npz"
    if not kept.exists():
        told = method.tells(film.people)
        teacher = [(other.tracks, other.kept_names) for other in others]
        found = method.group(film.tracks, told, seed, teacher)
        labels = np.full((len(told), len(film.names)), -1)
        labels[:, film.kept] = found
        values = np.array([np.nan if value is None else value for value in told])
        with kept.open("wb") as file:
            np.savez(file, allow_pickle=False, told=values, labels=labels)
    with np.load(kept, allow_pickle=False) as columns:
        return Answers(columns["told"], columns["labels"], film)


def compare(
    cases: Sequence[Case],
    methods: Sequence[str],
    seeds: Sequence[int],
    work: Path,
    preset: str,
    changes: Sequence[str],
) -> dict[Key, Figures]:
    """Run ours and these rivals on all films with all seeds, and return what counts."""
    answers: dict[Key, Answers] = {}
    films = [read_film(case, work, preset, changes) for case in cases]
    for case, film in zip(cases, films, strict=True):
        others = [other for other in films if other is not film]
        for seed in seeds:
            answers[film.name, OURS, seed] = run_ours(case, film, seed, work, preset, changes)
            for name in methods:
                answers[film.name, name, seed] = run_rival(METHODS[name], film, seed, work, others)
    return counted(answers)


def chosen(answers: Mapping[Key, Answers], key: Key) -> int | None:
    """Return the row of a method's answers that counts for a film: the best one of the others.

    None where there is something to choose and no other film to choose it on.
    """
    film, method, seed = key
    if len(answers[key].told) == 1:
        return 0
    others = [
        [scores.bcubed_f1 for scores in found.scores]
        for (other, name, number), found in answers.items()
        if (name, number) == (method, seed) and other != film
    ]
    return int(np.argmax(np.mean(others, axis=0))) if others else None


def counted(answers: Mapping[Key, Answers]) -> dict[Key, Figures]:
    """Return the figures that count, of all answers for which there are any."""
    rows = {key: chosen(answers, key) for key in answers}
    return {
        key: Figures(*(float(getattr(answers[key].scores[row], name)) for name in MEASURES))
        for key, row in rows.items()
        if row is not None
    }


def read_figures(rows: Sequence[Mapping[str, Any]]) -> dict[Key, Figures]:
    """Return the figures that `rows_of` made rows of, from a results file."""
    found: dict[Key, dict[str, float]] = {}
    for row in rows:
        name = row["name"].split(".")
        if len(name) == 4 and name[3].startswith("seed_"):
            key = name[0], name[1], int(name[3].removeprefix("seed_"))
            found.setdefault(key, {})[name[2]] = row["value"]
    return {key: Figures(**values) for key, values in found.items()}


def told_of(method: str) -> str:
    """Return what a method is told beside the tracks."""
    return TOLD["nothing" if method == OURS else METHODS[method].told]


@dataclass(frozen=True)
class Summary:
    """One method over all films, each figure one a seed."""

    method: str
    wcp: tuple[float, ...]
    bcubed_f1: tuple[float, ...]
    nmi: tuple[float, ...]
    off: tuple[float, ...]  # how far the ratio is from 1, on average over the films

    @classmethod
    def of(cls, method: str, scores: Mapping[Key, Figures]) -> Summary:
        """Average over the films, seed by seed."""
        mine = {
            (film, seed): found for (film, name, seed), found in scores.items() if name == method
        }
        seeds = sorted({seed for _, seed in mine})
        each = [[found for (_, number), found in mine.items() if number == seed] for seed in seeds]
        return cls(
            method,
            tuple(fmean(found.wcp for found in one) for one in each),
            tuple(fmean(found.bcubed_f1 for found in one) for one in each),
            tuple(fmean(found.nmi for found in one) for one in each),
            tuple(fmean(abs(found.ratio - 1) for found in one) for one in each),
        )


def summaries(scores: Mapping[Key, Figures]) -> list[Summary]:
    """Return every method, the best mean B-cubed F1 first."""
    methods = dict.fromkeys(method for _, method, _ in scores)
    found = [Summary.of(method, scores) for method in methods]
    return sorted(found, key=lambda summary: -fmean(summary.bcubed_f1))


def rows_of(scores: Mapping[Key, Figures]) -> Iterator[Row]:
    """Yield every figure of every seed, then each method over all films, then how ours stands.

    Ours is judged against the rivals that are not told the number of people.
    """
    for (film, method, seed), found in scores.items():
        for (measure, unit), value in zip(MEASURES.items(), found, strict=True):
            yield Row.of(f"{film}.{method}.{measure}.seed_{seed}", value, unit)
    table = summaries(scores)
    for summary in table:
        for measure in ("wcp", "bcubed_f1", "nmi", "off"):
            values = getattr(summary, measure)
            yield Row.of(f"{summary.method}.{measure}.mean", fmean(values), "mean of the films")
            yield Row.of(
                f"{summary.method}.{measure}.spread", max(values) - min(values), "of seeds"
            )
    rivals = [s for s in table if s.method != OURS and told_of(s.method) != TOLD["people"]]
    ours = next((summary for summary in table if summary.method == OURS), None)
    if ours is not None and rivals:
        best = max(rivals, key=lambda summary: fmean(summary.bcubed_f1))
        nearest = min(rivals, key=lambda summary: fmean(summary.off))
        mine, theirs = fmean(ours.bcubed_f1), fmean(best.bcubed_f1)
        goal = f"at least {theirs:.4f}: {best.method}"
        yield Row(f"{OURS}.bcubed_f1", round(mine, 4), "mean of the films", goal, mine >= theirs)
        mine, theirs = fmean(ours.off), fmean(nearest.off)
        goal = f"at most {theirs:.4f}: {nearest.method}"
        yield Row(f"{OURS}.off", round(mine, 4), "mean of the films", goal, mine <= theirs)


def table_of(scores: Mapping[Key, Figures]) -> Iterator[str]:
    """Yield the lines of a Markdown table: a row for each method, the best B-cubed F1 first."""
    films = list(dict.fromkeys(film for film, _, _ in scores))
    yield (
        "| method | is told | mean B³ F1 | \\|ratio − 1\\| | WCP | NMI | "
        + " | ".join(films)
        + " |"
    )
    yield "| --- " * (6 + len(films)) + "|"
    for summary in summaries(scores):
        cells = [
            f"{fmean(summary.bcubed_f1):.3f} ±{_half_range(summary.bcubed_f1):.3f}",
            f"{fmean(summary.off):.3f}", f"{fmean(summary.wcp):.3f}", f"{fmean(summary.nmi):.3f}",
        ]  # fmt: skip
        for film in films:
            mine = [s for key, s in scores.items() if key[:2] == (film, summary.method)]
            cells.append(_cell(mine) if mine else "")
        yield f"| {summary.method} | {told_of(summary.method)} | " + " | ".join(cells) + " |"


def _cell(mine: Sequence[Figures]) -> str:
    f1 = [found.bcubed_f1 for found in mine]
    ratio = fmean(found.ratio for found in mine)
    return f"{fmean(f1):.3f} ±{_half_range(f1):.3f}, {ratio:.2f}"


def _half_range(values: Sequence[float]) -> float:
    return (max(values) - min(values)) / 2
