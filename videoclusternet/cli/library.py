"""The commands about many films: library init, add, run, status, people, find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from videoclusternet.cli.app import AsJson, Changes, ComputeOn, Preset, Question, app, err, out
from videoclusternet.terminal import ROWS, one_line, table_of, to_paste, watch

if TYPE_CHECKING:
    from videoclusternet.library.corrections import Known
    from videoclusternet.library.engines import Engine
    from videoclusternet.library.shelf import Library
    from videoclusternet.library.store import Film

library = typer.Typer(help="Many films, and the people they share.", no_args_is_help=True)
app.add_typer(library, name="library")

Folder = Annotated[
    Path, typer.Argument(metavar="LIB", readable=False, help="The folder of a library.")
]


@library.command()
def init(
    folder: Folder,
    preset: Preset = "standard",
    changes: Changes = None,
) -> None:
    """Make a library; all its films are run with these settings."""
    from videoclusternet.library.shelf import Library

    Library.init(folder, preset, changes or ())
    add_to = to_paste(["vcn", "library", "add", str(folder)])
    out.print(f"Made {one_line(folder)}. To add films: {add_to} FILM...")


@library.command()
def add(
    folder: Folder,
    films: Annotated[
        list[Path], typer.Argument(metavar="FILM", readable=False, help="Film files.")
    ],
) -> None:
    """Take films in; they stay where they are."""
    from videoclusternet.library.shelf import Library

    for path, new in Library(folder).add(films):
        out.print(f"{one_line(path)}: {'added' if new else 'there already'}")


@library.command()
def run(
    folder: Folder,
    device: ComputeOn = "auto",
    again: Annotated[
        bool, typer.Option("--again", help="Take up films that are done, too.")
    ] = False,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Processes of this machine, or a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where the Ray cluster is.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Films at a time; as many as there is room for if not given."
        ),
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop with the first film that fails.")
    ] = False,
) -> None:
    """Run all films that are not done, and find out who of one is who of another."""
    from videoclusternet.errors import UsageError
    from videoclusternet.library.engines import LocalEngine, RayEngine
    from videoclusternet.library.shelf import Library
    from videoclusternet.stages import STAGES

    if engine == "local" and address:
        raise UsageError("Only a Ray cluster has an address: use --engine ray.")
    shelf = Library(folder)
    chosen: Engine | None = LocalEngine(jobs) if jobs else None
    if engine == "ray":
        chosen = RayEngine(address, gpus=device == "cuda")
    names = {film.id: one_line(film.name) for film in shelf.films()}
    stages = list(STAGES)
    with watch(err) as progress:

        def told(film: int, stage: str, done: int, total: int) -> None:
            progress(names[film], stages.index(stage) + (done == total), len(stages))

        done = shelf.run(chosen, device=device, again=again, told=told)
        for film, outcome in done:
            if outcome.code:
                err.print(f"{one_line(film.name)}: {one_line(outcome.sentence)}")
            if outcome.code and fail_fast:
                done.close()
                raise typer.Exit(1)
    _print_films(shelf.films())
    tell_doubts(shelf)


@library.command()
def status(folder: Folder, as_json: AsJson = False) -> None:
    """Print what came of each film."""
    from videoclusternet.library.shelf import Library

    films = Library(folder).films()
    if not as_json:
        _print_films(films)
        return
    rows = [
        {"film": film.name, "path": str(film.path), "run": str(film.folder), "state": film.state,
         "code": film.code, "sentence": film.sentence, "seconds": film.seconds}
        for film in films
    ]  # fmt: skip
    print(json.dumps(rows, indent=1))


@library.command()
def people(folder: Folder, as_json: AsJson = False) -> None:
    """Print who is in the films, who is in most of them first."""
    from videoclusternet.library.shelf import Library
    from videoclusternet.results.people import spell

    shelf = Library(folder)
    known, films = shelf.people(), {film.id: film.name for film in shelf.films()}
    if as_json:
        print(json.dumps([_plain(one, films) for one in known], indent=1))
        return
    out.print(
        table_of(
            ("person", "films", "screen time", "first film"),
            [
                (
                    one.name,
                    f"{one.films}",
                    spell(one.seconds),
                    films[min(member.film for member in one.members)],
                )
                for one in known[:ROWS]
            ],
        )
    )
    if len(known) > ROWS:
        out.print(f"and {len(known) - ROWS} more, all with --json")


@library.command()
def find(
    folder: Folder,
    question: Question,
    as_json: AsJson = False,
) -> None:
    """Print the moments of all films with some people and without others."""
    from videoclusternet.library.shelf import Library
    from videoclusternet.results.people import timecode

    found = Library(folder).find(question)
    if as_json:
        rows = [
            {"film": one.film.name, "path": str(one.film.path), "start": round(one.start, 3),
             "end": round(one.end, 3)}
            for one in found
        ]  # fmt: skip
        print(json.dumps(rows, indent=1))
        return
    for one in found:
        out.print(f"{one_line(one.film.name)}  {timecode(one.start)} - {timecode(one.end)}")
    if not found:
        out.print("There is no such moment.")


def tell_doubts(shelf: Library) -> None:
    """Say how many doubts there are, if any, and how to see them."""
    doubts = len(shelf.doubts())
    if doubts:
        see = to_paste(["vcn", "library", "review", str(shelf.folder)])
        out.print(f"Worth a look: {doubts}. To see them: {see}")


def _plain(known: Known, films: dict[int, str]) -> dict[str, object]:
    return {
        "number": known.number,
        "name": known.name,
        "seconds": round(known.seconds, 3),
        "films": [
            {"film": films[one.film], "number": one.number, "seconds": round(one.seconds, 3)}
            for one in known.members
        ],
    }


def _print_films(films: list[Film]) -> None:
    from videoclusternet.results.people import spell

    out.print(
        table_of(
            ("film", "state", "took", ""),
            [
                (film.name, film.state, "" if film.seconds is None else spell(film.seconds),
                 film.sentence)
                for film in films
            ],
        )
    )  # fmt: skip
