"""The commands that ask something of finished runs: stats, find, compare."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.app import AsJson, Question, RunFolder, app, out
from videoclusternet.errors import UsageError
from videoclusternet.terminal import one_line


@app.command()
def stats(folder: RunFolder, as_json: AsJson = False) -> None:
    """Count screen time, first and last appearance, and who is on the screen with whom."""
    from videoclusternet.results.people import spell, timecode
    from videoclusternet.results.together import count_pairs, count_screens
    from videoclusternet.run_view import load_run

    people = load_run(folder).people
    screens, pairs = count_screens(people), count_pairs(people)
    if as_json:
        rows = [
            {
                "name": one.person.name, "seconds": one.person.seconds, "share": one.share,
                "appearances": len(one.person.appearances), "first": one.first, "last": one.last,
                "longest": one.longest,
            }
            for one in screens
        ]  # fmt: skip
        print(json.dumps({"people": rows, "together": [asdict(pair) for pair in pairs]}, indent=1))
        return
    for one in screens:
        out.print(
            f"{one_line(one.person.name)}: {spell(one.person.seconds)}, {100 * one.share:.1f} %, "
            f"first {timecode(one.first, decimals=0)}, last {timecode(one.last, decimals=0)}, "
            f"longest {spell(one.longest)}"
        )
    for pair in pairs:
        out.print(
            f"{one_line(pair.left)} with {one_line(pair.right)}: {spell(pair.seconds)}, "
            f"moments: {pair.moments}"
        )


@app.command()
def find(
    folder: RunFolder,
    question: Question,
    as_json: AsJson = False,
) -> None:
    """Print the moments in which all of some people are seen, and none of others."""
    from videoclusternet.results.people import timecode
    from videoclusternet.results.together import find_moments
    from videoclusternet.run_view import load_run

    moments = find_moments(load_run(folder).people, question)
    if as_json:
        print(json.dumps([asdict(moment) for moment in moments], indent=1))
        return
    for moment in moments:
        out.print(f"{timecode(moment.start)}  {timecode(moment.end)}")
    if not moments:
        out.print("There is no such moment.")


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A", readable=False, help="A run folder.")],
    after: Annotated[
        Path, typer.Argument(metavar="B", readable=False, help="A later one of the same film.")
    ],
    as_json: AsJson = False,
) -> None:
    """Print which tracks are somebody else in another run of the same film."""
    from videoclusternet.results.people import timecode
    from videoclusternet.review.compared import compare_runs
    from videoclusternet.run_view import load_run

    left, right = load_run(before), load_run(after)
    if left.manifest.film.fingerprint != right.manifest.film.fingerprint:
        raise UsageError("These are runs of two films: compare two runs of one.")
    first = right.tracks.spans[:, 0]
    told = compare_runs(
        (left.tracks, left.people), (right.tracks, right.people), right.shots.times[first]
    )
    if as_json:
        print(json.dumps(asdict(told), indent=1))
        return
    out.print(f"{len(told.changes)} of {told.found} tracks are somebody else.")
    if told.found < told.tracks:
        out.print(f"{told.tracks - told.found} of {told.tracks} tracks were not there before.")
    for one in told.changes:
        out.print(
            f"{timecode(one.start)}  track {one.track}: {one_line(one.before)}, now "
            f"{one_line(one.after)}"
        )
