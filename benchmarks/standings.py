"""How the methods of a comparison stand: figures by film and seed, and over all films."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from benchmarks.methods import METHODS
from benchmarks.results_file import Row

OURS = "VideoClusterNet"
TOLD = {
    "nothing": "nothing",
    "threshold": "a threshold of other films",
    "people": "how many people",
    "names": "some of the names",
}
HELPED = (TOLD["people"], TOLD["names"])
"""What a user does not know: ours is not ranked among the methods that are told it."""

POOLED = "all films"
"""What stands for a film where the counts of all films are summed."""
MEASURES = {"wcp": "share", "bcubed_f1": "share", "nmi": "share", "ratio": "predicted / true"}


class Figures(NamedTuple):
    """What is told of one method on one film with one seed."""

    wcp: float
    bcubed_f1: float
    nmi: float
    ratio: float


Key = tuple[str, str, int]
"""Film, method and seed."""


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
            (film, seed): found
            for (film, name, seed), found in scores.items()
            if name == method and film != POOLED
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

    Ours is judged against the rivals that are told neither the number of people nor names.
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
    rivals = [s for s in table if s.method != OURS and told_of(s.method) not in HELPED]
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
