"""What tuning gives to each base network: before, with the usual pipeline, and after, with ours.

Before is average linkage of the untuned embeddings, at the threshold that is best on the other
films; after is the program. A film is decoded and tracked once; each network goes on from there, in
a folder of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import videoclusternet as vcn
from benchmarks.compare import compare, film_entry
from benchmarks.results_file import Row
from benchmarks.runs import Case
from benchmarks.standings import MEASURES, OURS, Figures, Key, Summary

BEFORE = "HAC average"
WAYS = {"before": BEFORE, "after": OURS}


def measure_base(
    cases: Sequence[Case],
    setting: str,
    seeds: Sequence[int],
    work: Path,
    preset: str,
    changes: Sequence[str],
) -> dict[Key, Figures]:
    """Return the figures of both ways with a backbone, NAME or NAME=FILE."""
    folder = work / name_of(setting)
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        tracked, first = work / f"{case.name}-tracks", folder / f"{case.name}-0"
        if not first.exists():
            vcn.process_film(case.film, tracked, preset, changes, seed=0, until="tracks")
            shutil.copytree(tracked, first)
    changes = [*changes, f"backbone={setting}"]
    entries = [film_entry(case, folder, preset, changes) for case in cases]
    return compare(entries, [BEFORE], seeds, folder)


def name_of(setting: str) -> str:
    """Return what the results call a backbone: its row and, of a file, what it is called."""
    name, _, file = setting.partition("=")
    return f"{name} {Path(file).stem}" if file else name


def rows_of(bases: Mapping[str, Mapping[Key, Figures]]) -> Iterator[Row]:
    """Yield every figure of every seed, then the mean over the films, before and after."""
    for base, figures in bases.items():
        for when, method in WAYS.items():
            for (film, name, seed), found in figures.items():
                if name == method:
                    for (measure, unit), value in zip(MEASURES.items(), found, strict=True):
                        yield Row.of(f"{base}.{film}.{when}.{measure}.seed_{seed}", value, unit)
            for measure, value in _means(figures, method).items():
                yield Row.of(f"{base}.{when}.{measure}.mean", value, "mean of the films")


def table_of(bases: Mapping[str, Mapping[Key, Figures]]) -> Iterator[str]:
    """Yield the lines of a Markdown table: before → after."""
    yield "| base network | WCP | B³ F1 | NMI | \\|ratio − 1\\| |"
    yield "| --- | --- | --- | --- | --- |"
    for base, figures in bases.items():
        before, after = (_means(figures, method) for method in WAYS.values())
        cells = [f"{before[measure]:.3f} → {after[measure]:.3f}" for measure in after]
        yield f"| {base} | " + " | ".join(cells) + " |"


def _means(figures: Mapping[Key, Figures], method: str) -> dict[str, float]:
    """Return the means over films and seeds."""
    summary = Summary.of(method, figures)
    return {name: fmean(getattr(summary, name)) for name in ("wcp", "bcubed_f1", "nmi", "off")}
