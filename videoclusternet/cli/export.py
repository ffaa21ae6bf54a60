"""The commands that hand a run on to other tools: export, overlay, stringout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli import completion
from videoclusternet.cli.app import FilmFile, RunFolder, app, err, out
from videoclusternet.errors import UsageError
from videoclusternet.terminal import watch

People = Annotated[
    list[str] | None,
    typer.Option(
        "--person", metavar="WHO", help="Only this person: a name or number; may be repeated."
    ),
]
Least = Annotated[
    float, typer.Option("--min-seconds", metavar="SECONDS", help="Leave out what is shorter.")
]
NewFilm = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="FILE", readable=False, help="The film to make: .mp4, .mov or .mkv."
    ),
]


@app.command()
def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", readable=False, help="A run folder.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(metavar="FORMAT", help="One of --list.", autocompletion=completion.formats),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", readable=False, help="The standard output if not given."
        ),
    ] = None,
    people: People = None,
    least: Least = 0.0,
    fps: Annotated[
        str | None,
        typer.Option(metavar="RATE", help="Count frames at this rate: 25, 23.976, 30000/1001."),
    ] = None,
    film: FilmFile = None,
    as_list: Annotated[bool, typer.Option("--list", help="Print the formats.")] = False,
) -> None:
    """Write who is in a film and when as another tool reads it."""
    from videoclusternet.results.exports.formats import ALL, FOLDERS, FORMATS

    if as_list:
        for key, row in ALL.items():
            out.print(f"{key:<14} {row.about}")
        return
    if folder is None or name is None:
        raise UsageError("Name a run folder and a format: 'vcn export --list' prints the formats.")
    if name not in ALL:
        raise UsageError(f"There is no format '{name}': use one of {', '.join(ALL)}.")
    from videoclusternet import durable
    from videoclusternet.run_view import load_run

    view = load_run(folder)
    sheet = view.sheet(people or (), least, fps)
    if name in FOLDERS:
        if to is None:
            raise UsageError(f"'{name}' makes a folder: name a new one with -o.")
        files = FOLDERS[name].files(sheet, view.crops, lambda: view.open_film(film))
        out.print(f"Files: {durable.write_folder(to, files)}, in {to}")
    elif to is None:
        sys.stdout.buffer.write(FORMATS[name].bytes_of(sheet))
    else:
        durable.write_bytes(to, FORMATS[name].bytes_of(sheet))


@app.command()
def overlay(
    folder: RunFolder,
    to: NewFilm,
    people: People = None,
    film: FilmFile = None,
) -> None:
    """Make the film anew with a box and a name around each face; its sound is copied."""
    from videoclusternet.results.exports.overlay import Overlay
    from videoclusternet.run_view import load_run
    from videoclusternet.video.remake import redraw

    view = load_run(folder)
    video = view.open_film(film)
    drawn = Overlay(view.sheet(people or ()), strangers=not people)
    with watch(err) as progress:
        redraw(video, to, drawn.draw, lambda done, total: progress("overlay", done, total))
    out.print(f"Overlay: {to}")


@app.command()
def stringout(
    folder: RunFolder,
    to: NewFilm,
    people: People = None,
    least: Least = 0.0,
    film: FilmFile = None,
) -> None:
    """Cut every moment of somebody together into a film, with its sound."""
    from videoclusternet.run_view import load_run
    from videoclusternet.video.remake import string_out

    view = load_run(folder)
    video = view.open_film(film)
    moments = view.sheet(people or (), least).moments()
    if not moments:
        raise UsageError(
            "There is no moment to cut together: name others with --person, or fewer --min-seconds."
        )
    with watch(err) as progress:
        string_out(video, to, moments, lambda done, total: progress("string-out", done, total))
    out.print(f"String-out: {to}")
