"""The commands by which people have the last word on a library: name, enrol, review, purge."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.app import AsJson, ComputeOn, out
from videoclusternet.cli.library import Folder, library, tell_doubts
from videoclusternet.cli.purge import ask_first, print_proofs
from videoclusternet.cli.review import Host, NoOpen, Port, opened
from videoclusternet.terminal import one_line, table_of

Who = Annotated[
    str, typer.Argument(metavar="WHO", help="A person of the library: a name or number.")
]


@library.command()
def name(
    folder: Folder, who: Who, text: Annotated[str, typer.Argument(metavar="NAME", help="The name.")]
) -> None:
    """Call somebody by a name, in every film."""
    from videoclusternet.library.shelf import Library

    Library(folder).name(who, text)


@library.command()
def undo(folder: Folder) -> None:
    """Take back what was said last."""
    from videoclusternet.library.shelf import Library

    out.print(one_line(Library(folder).undo()))


@library.command()
def enrol(
    folder: Folder,
    photos: Annotated[
        Path,
        typer.Argument(
            metavar="PHOTOS", readable=False, help="A folder of NAME.jpg, or of folders NAME."
        ),
    ],
    device: ComputeOn = "auto",
) -> None:
    """Take in photographs of people you know, to name them in every film."""
    from videoclusternet.library.enrol import enrol as take_in
    from videoclusternet.library.shelf import Library

    shelf = Library(folder)
    names = take_in(shelf, photos, device)
    found = {known.name: known.films for known in shelf.people() if known.named}
    rows = [(name, f"{found.get(name, 0)}") for name in names]
    out.print(table_of(("person", "films"), rows))
    tell_doubts(shelf)


@library.command()
def review(
    folder: Folder, port: Port = 0, host: Host = "127.0.0.1", no_open: NoOpen = False
) -> None:
    """See, name and correct the people of all films in the browser."""
    from videoclusternet.library.shelf import Library
    from videoclusternet.web.library_app import build_library_app
    from videoclusternet.web.serve import serve

    shelf = Library(folder)
    shelf.people()  # what is no library is told before anything opens
    serve(partial(build_library_app, shelf), opened(no_open), host, port)


@library.command()
def purge(
    folder: Folder,
    film: Annotated[
        str | None, typer.Option("--film", metavar="FILM", help="Only one film: a name or path.")
    ] = None,
    who: Annotated[
        str | None,
        typer.Option(
            "--person", metavar="WHO", help="Only one person, in every film: a name or number."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what was found out about people, in the library and in its runs, with proof."""
    from videoclusternet.errors import UsageError
    from videoclusternet.library.erase import erase_film, erase_library, erase_somebody
    from videoclusternet.library.shelf import Library

    if film is not None and who is not None:
        raise UsageError("Name a film or a person, not both.")
    if not yes:
        what = f"all about '{who or film}'" if who or film else "all"
        ask_first(what, folder)
    shelf = Library(folder)
    if film is not None:
        proofs = erase_film(shelf, film)
    else:
        proofs = erase_library(shelf) if who is None else erase_somebody(shelf, who)
    print_proofs(dict(proofs), as_json)
