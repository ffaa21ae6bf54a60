"""What it costs to export a long film to each format, and how large its report is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results_file import Goal, Row
from benchmarks.review import draw_run
from videoclusternet.results.exports.formats import FORMATS
from videoclusternet.results.report import render_report
from videoclusternet.run_view import load_run

TRACKS, PEOPLE = 6750, 60  # three hours of drawn film


def measure_exports(work: Path, tracks: int = TRACKS, people: int = PEOPLE) -> Iterator[Row]:
    """Export a drawn run to each format, and tell the processor's seconds."""
    view = load_run(draw_run(work / f"exports-{tracks}", tracks, people))
    yield Row.of("exports.film", view.people.duration / 3600, "hours")
    yield Row.of("exports.appearances", sum(len(p.appearances) for p in view.people), "of people")
    report = render_report(view.people, view.crops, view.shots, view.clusters, view.facts)
    yield Row.of("exports.report", len(report.encode()) / 1e6, "MB", Goal(most=5))
    for name, row in FORMATS.items():
        begin = time.process_time()
        data = row.bytes_of(view.sheet())
        seconds = time.process_time() - begin
        unit = f"s of processor, {len(data) / 1e6:.1f} MB"
        yield Row.of(f"exports.{name}", seconds, unit, Goal(most=10))
