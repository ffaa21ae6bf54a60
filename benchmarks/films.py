"""How well people are told apart in films whose truth is known, and what it costs.

Every film is run with every seed in a folder of its own. Only `model` and `clusters` depend on the
seed, but a shared folder would keep the last seed alone: nothing could be resumed or looked at
afterwards, and the memory of later seeds would not be that of a whole run. So each seed is one more
independent measurement of every stage. A run that is there already is loaded, which takes seconds;
its times and memory are those of its making, and the file says how many runs were made now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.results_file import Goal, Row, write_results
from benchmarks.runs import Case, Trial

UNITS = {
    "wcp": "share",
    "bcubed_f1": "share",
    "bcubed_precision": "share",
    "bcubed_recall": "share",
    "nmi": "share",
    "nmi_geometric": "share",
    "ari": "1 = the same",
    "pairwise_precision": "share",
    "pairwise_recall": "share",
    "pairwise_f1": "share",
    "ratio": "predicted / true",
    "predicted": "people",
    "true": "people",
    "unknown": "tracks",
    "tracks_scored": "tracks",
    "truth_tracks_missed": "tracks",
}

GOALS = {
    "composed_180s": {"bcubed_f1": Goal(0.98), "wcp": Goal(0.97), "ratio": Goal(0.95, 1.05)},
    "sitcom_26s": {"bcubed_f1": Goal(0.90), "wcp": Goal(0.95), "ratio": Goal(most=1.3)},
}
"""By film and measure. They are asked of every seed, so the worst one decides."""

SPREAD: dict[str, Callable[[Sequence[float]], float]] = {"mean": fmean, "min": min, "max": max}


def measure_films(
    cases: Sequence[Case],
    seeds: Sequence[int],
    attempt: Callable[[Case, int], Trial],
    out: Path,
    head: Mapping[str, Any],
) -> list[Trial]:
    """Try each film with each seed; the results file is written anew after each trial."""
    trials: list[Trial] = []
    for case in cases:
        for seed in seeds:
            trials.append(attempt(case, seed))
            made = sum(trial.made_now for trial in trials)
            runs = {"asked": len(cases) * len(seeds), "done": len(trials), "made_now": made}
            write_results(out, {**head, "runs": runs}, rows_of(trials))
    return trials


def rows_of(trials: Sequence[Trial]) -> list[Row]:
    """Return the rows of all films: each measure by seed and over the seeds, then the costs."""
    return [
        row
        for film, mine in _by_film(trials).items()
        for row in (*_score_rows(film, mine), *_cost_rows(film, mine))
    ]


def table_of(trials: Sequence[Trial]) -> Iterator[str]:
    """Yield the lines of a compact table for the terminal."""
    for film, mine in _by_film(trials).items():
        yield f"{film}, seeds {', '.join(str(trial.seed) for trial in mine)}"
        yield f"  {'':<22}{'mean':>9}{'min':>9}{'max':>9}  goal"
        for measure in UNITS:
            values = [trial.scores[measure] for trial in mine]
            judged = [Row.of("", value, "", _goal(film, measure)) for value in values]
            verdict = "holds" if all(row.holds for row in judged) else "fails"
            goal = f"  {judged[0].goal}: {verdict}" if judged[0].goal else ""
            numbers = "".join(f"{spread(values):>9.3f}" for spread in SPREAD.values())
            yield f"  {measure:<22}{numbers}{goal}"
        for row in _cost_rows(film, mine):
            yield f"  {row.name.removeprefix(film + '.'):<22}{row.value:>9.1f} {row.unit}"


def _by_film(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    films: dict[str, list[Trial]] = {}
    for trial in trials:
        films.setdefault(trial.film, []).append(trial)
    return films


def _goal(film: str, measure: str) -> Goal | None:
    return GOALS.get(film, {}).get(measure)


def _score_rows(film: str, trials: Sequence[Trial]) -> Iterator[Row]:
    for measure, unit in UNITS.items():
        values = {f"seed_{trial.seed}": trial.scores[measure] for trial in trials}
        values |= {name: spread([*values.values()]) for name, spread in SPREAD.items()}
        for name, value in values.items():
            yield Row.of(f"{film}.{measure}.{name}", value, unit, _goal(film, measure))


def _cost_rows(film: str, trials: Sequence[Trial]) -> Iterator[Row]:
    """Yield mean seconds of each stage and in all, and the largest memory."""
    for stage in trials[0].seconds:
        seconds = fmean(trial.seconds[stage] for trial in trials)
        yield Row.of(f"{film}.seconds.{stage}", seconds, "s")
    total = fmean(sum(trial.seconds.values()) for trial in trials)
    yield Row.of(f"{film}.seconds.all", total, "s")
    peaks = [trial.peak for trial in trials if trial.peak is not None]
    if peaks:
        yield Row.of(f"{film}.peak_memory", max(peaks), "MB")
