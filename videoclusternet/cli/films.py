"""The commands about a film: run, show, eval, demo, settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from videoclusternet.cli import completion
from videoclusternet.cli.app import (
    AsJson,
    Changes,
    ComputeOn,
    OutFolder,
    Preset,
    RunFolder,
    app,
    err,
    out,
)
from videoclusternet.errors import UsageError
from videoclusternet.terminal import ROWS, one_line, people_table, watch

if TYPE_CHECKING:
    from videoclusternet.run_view import RunView

Backbone = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[=FILE]",
        help="The face network: see 'vcn models'.",
        autocompletion=completion.backbones,
    ),
]
Detector = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[=FILE]",
        help="What finds faces: see 'vcn models'.",
        autocompletion=completion.detectors,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="STAGE", help="Stop when this stage is done.", autocompletion=completion.stages
    ),
]
Redo = Annotated[
    str | None,
    typer.Option(
        metavar="STAGE",
        help="Do this stage again, and what its result changes.",
        autocompletion=completion.stages,
    ),
]


@app.command()
def run(
    films: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILM",
            readable=False,
            help="A film; with --together, all of a season.",
        ),
    ],
    folder: OutFolder = None,
    together: Annotated[
        bool,
        typer.Option("--together", help="The films are episodes of one season: take them as one."),
    ] = False,
    preset: Preset = "standard",
    changes: Changes = None,
    backbone: Backbone = None,
    detector: Detector = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Where random numbers start.")
    ] = None,
    until: Until = None,
    redo: Redo = None,
    device: ComputeOn = "auto",
) -> None:
    """Find out who is in a film and when; go on where an earlier run stopped."""
    from videoclusternet.pipeline import process_film

    if len(films) > 1 and not together:
        raise UsageError(
            "Several films are taken as one with --together, as episodes of a season; for films "
            "that are not of one cast there is 'vcn library'."
        )
    if together and (until or redo):
        raise UsageError("--until and --redo are for one film: leave them out with --together.")
    networks = {"backbone": backbone, "detector": detector}
    settings = [*(changes or ()), *(f"{key}={name}" for key, name in networks.items() if name)]
    if together:
        _run_together(films, folder, preset, settings, device=device, seed=seed)
        return
    with watch(err) as progress:
        view = process_film(
            films[0], folder, preset, settings, device=device, seed=seed, until=until, redo=redo,
            progress=progress,
        )  # fmt: skip
    if until in (None, "report"):
        _print_people(view)
    else:
        out.print(f"Done until '{until}': {one_line(view.folder)}")


def _run_together(
    films: Sequence[Path], folder: Path | None, preset: str, settings: Sequence[str], **how: Any
) -> None:
    from videoclusternet.season.process import process_season

    with watch(err) as progress:
        view = process_season(films, folder, preset, settings, progress=progress, **how)
    _print_people(view)
    for episode in view.manifest.episodes:
        out.print(f"{one_line(episode.name)}: {one_line(view.folder / episode.folder)}")


@app.command()
def show(
    folder: RunFolder,
    as_json: AsJson = False,
    why: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="TRACK TRACK", help="Tell why two tracks are one person, or two."),
    ] = None,
) -> None:
    """Print the people of a run, or why two of its tracks are one person."""
    from videoclusternet.results.people import to_json
    from videoclusternet.run_view import load_run

    view = load_run(folder)
    answer = view.why(*why) if why else None
    if as_json:
        print(json.dumps(asdict(answer) if answer else to_json(view.people), indent=1))
    elif answer:
        for line in answer.text.splitlines():
            out.print(one_line(line))
    else:
        _print_people(view)


@app.command(name="eval")
def evaluate(
    folder: RunFolder,
    truth: Annotated[
        Path, typer.Option(metavar="FILE", readable=False, help="A CSV file of true boxes.")
    ],
    level: Annotated[
        Literal["track", "frame"],
        typer.Option(help="What counts as one: a track, or each of its frames."),
    ] = "track",
    as_json: AsJson = False,
) -> None:
    """Score a run against the truth."""
    from videoclusternet.run_view import load_run

    _print_scores(load_run(folder), truth, level, as_json)


@app.command()
def demo(folder: OutFolder = None) -> None:
    """Cut a film of known people together, find them in it, and score the result."""
    from videoclusternet.demo import DEMO_ASSETS, build_demo_film
    from videoclusternet.manifest import RUNS
    from videoclusternet.pipeline import process_film
    from videoclusternet.weights.assets import ASSETS
    from videoclusternet.weights.fetch import fetch_assets

    home = folder or RUNS / "demo"
    with watch(err) as progress:
        assets = [*ASSETS.values(), *DEMO_ASSETS.values()]
        fetch_assets(assets, partial(progress, "files"))
        film, truth = build_demo_film(home, partial(progress, "demo film"))
        view = process_film(film, home / "run", progress=progress)
    _print_people(view)
    _print_scores(view, truth)


@app.command(name="settings")
def list_settings() -> None:
    """Print every setting with its default, as --set takes it."""
    from videoclusternet.config import Config, by_name

    for name, value in by_name(Config()).items():
        out.print(f"{name}={json.dumps(value)}")


def _print_people(view: RunView) -> None:
    table = people_table(view.people)
    if table.row_count:
        out.print(table)
    else:
        out.print("No faces were found in this film.")
    if len(view.people) > ROWS:
        out.print(
            f"and {len(view.people) - ROWS} more, all in {one_line(view.folder / 'people.csv')}"
        )
    out.print(f"Report: {one_line(view.report)}")


def _print_scores(
    view: RunView, truth: Path, level: Literal["track", "frame"] = "track", as_json: bool = False
) -> None:
    from videoclusternet.results.metrics import evaluate
    from videoclusternet.results.truth import read_truth

    scores = asdict(evaluate(view.tracks, view.last_word.label, read_truth(truth), level))
    if not scores["tracks_scored"]:
        err.print("Warning: No box of the truth lies on a face of the run: is it of this film?")
    if as_json:
        print(json.dumps(scores, indent=1))
        return
    for name, value in scores.items():
        number = f"{value:.3f}" if isinstance(value, float) else str(value)
        out.print(f"{name.replace('_', ' '):<20}{number:>8}")
