"""The command that hands a run on to other tools: export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.app import app, out
from videoclusternet.errors import UsageError


@app.command()
def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", readable=False, help="A run folder.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="FORMAT", help="One of --list.")] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", readable=False, help="The standard output if not given."
        ),
    ] = None,
    people: Annotated[
        list[str] | None,
        typer.Option("--person", metavar="WHO", help="A name or number; may be repeated."),
    ] = None,
    least: Annotated[
        float, typer.Option("--min-seconds", metavar="S", help="Leave out what is shorter.")
    ] = 0.0,
    fps: Annotated[
        str | None,
        typer.Option(metavar="R", help="Count frames at this rate: 25, 23.976, 30000/1001."),
    ] = None,
    as_list: Annotated[bool, typer.Option("--list", help="Print the formats.")] = False,
) -> None:
    """Write who is in a film and when as another tool reads it."""
    from videoclusternet.results.exports.formats import FORMATS

    if as_list:
        for key, row in FORMATS.items():
            out.print(f"{key:<14} {row.about}")
        return
    if folder is None or name is None:
        raise UsageError("Name a run folder and a format: 'vcn export --list' has them.")
    if name not in FORMATS:
        raise UsageError(f"There is no format '{name}': use one of {', '.join(FORMATS)}.")
    from videoclusternet.durable import write_text
    from videoclusternet.results.exports.sheet import Sheet
    from videoclusternet.run_view import load_run

    view = load_run(folder)
    facts = view.facts
    sheet = Sheet.of(
        Path(view.manifest.film.path), (facts.width, facts.height), view.people, view.tracks,
        view.shots, only=people or (), least=least, rate=fps,
    )  # fmt: skip
    text = FORMATS[name].write(sheet)
    if to is None:
        sys.stdout.buffer.write(text.encode())
    else:
        write_text(to, text)
