"""What all commands share: the application, the two streams, and the arguments they have alike."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from videoclusternet import __version__
from videoclusternet.cli import completion

out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
err = Console(highlight=False, markup=False, emoji=False, soft_wrap=True, stderr=True)
package_log = logging.getLogger("videoclusternet")

app = typer.Typer(
    help="Give it a film; it tells you who is in it and when.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# Of each path `readable=False`: what cannot be read is for those to tell who would read it.
RunFolder = Annotated[Path, typer.Argument(metavar="DIR", readable=False, help="A run folder.")]
OutFolder = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", readable=False, help="The run folder; one in runs/ if not given."
    ),
]
FilmFile = Annotated[
    Path | None,
    typer.Option(metavar="FILM", readable=False, help="Where the film is, if it was moved."),
]
Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The settings to begin with: fast, standard, paper, or a TOML file.",
        autocompletion=completion.presets,
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting; may be repeated.",
        autocompletion=completion.settings,
    ),
]
ComputeOn = Annotated[
    Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute; cuda is a GPU.")
]
Question = Annotated[
    str,
    typer.Argument(metavar="WHO", help="Who is seen, and after - who is not: 'Ada & Bo - Cy'."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="VCN_DEBUG", help="Show where an error comes from.")
    ] = False,
) -> None:
    if debug:
        package_log.setLevel(logging.DEBUG)
