"""The commands by which a person has the last word on a run: review, name, merge, and so on."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.app import FilmFile, RunFolder, app, err, out
from videoclusternet.errors import BusyError, UsageError
from videoclusternet.terminal import one_line

if TYPE_CHECKING:
    from videoclusternet.review.acts import Act
    from videoclusternet.review.doubtful import Evidence
    from videoclusternet.review.state import State
    from videoclusternet.web.guard import Key
    from videoclusternet.web.session import Session

Port = Annotated[
    int, typer.Option(metavar="N", help="Where to listen; 0 is any port that is free.")
]
Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Serve at this address of the machine, for others.")
]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Only print the address, open no browser.")]
Who = Annotated[str, typer.Argument(metavar="WHO", help="A person: a name or number.")]


@app.command()
def review(
    folder: RunFolder,
    port: Port = 0,
    host: Host = "127.0.0.1",
    no_open: NoOpen = False,
    film: FilmFile = None,
    cast: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            readable=False,
            help="A cast list with the columns name and, if you like, photo.",
        ),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Print what was said, and end.")] = False,
) -> None:
    """Name and correct the people of a run in the browser; nothing that you say is ever lost."""
    if log:
        _print_log(folder)
        return
    from videoclusternet.run_view import load_run
    from videoclusternet.web.app import build_app
    from videoclusternet.web.photos import propose, read_cast
    from videoclusternet.web.serve import serve
    from videoclusternet.web.session import Session

    names = read_cast(cast) if cast else {}
    view = load_run(folder)
    found = view.find_film(film)
    if found is None:
        err.print(f"Warning: {view.no_film}")
    session = Session(folder, film=found, cast=list(names))
    now = session.now()
    if any(names.values()):
        session.likely = propose(now, names)

    serve(partial(build_app, session), opened(no_open), host, port)
    _show_again(folder)


def opened(no_open: bool) -> Callable[[Key], None]:
    """Return what tells where a review is served, and opens it."""

    def tell(key: Key) -> None:
        if not key.local:
            err.print(
                "Warning: Faces and names leave this machine unencrypted: end the review soon."
            )
        out.print(f"Review: {key.address}")
        out.print("Everything is saved at once. Ctrl+C ends the review.")
        if not no_open:
            webbrowser.open(key.address)

    return tell


@app.command()
def name(
    folder: RunFolder,
    who: Who,
    text: Annotated[str, typer.Argument(metavar="NAME", help="The name; '' takes it away.")],
) -> None:
    """Call a person by a name."""
    from videoclusternet.review import acts

    _say(folder, lambda state: acts.name(state, state.find(who), text))


@app.command()
def merge(
    folder: RunFolder,
    into: Who,
    others: Annotated[list[str], typer.Argument(metavar="WHO", help="Who is the same person.")],
) -> None:
    """Say that people are one; the first keeps their number."""
    from videoclusternet.review import acts

    _say(folder, lambda state: acts.merge(state, state.find(into), map(state.find, others)))


@app.command()
def split(
    folder: RunFolder,
    who: Who,
    tracks: Annotated[
        list[int] | None,
        typer.Option(
            "--track", metavar="TRACK", help="A track that is somebody else; may be repeated."
        ),
    ] = None,
) -> None:
    """Say that a person is two: as the machine would part them, or by the tracks that you name."""
    from videoclusternet.review import acts

    def act(state: State, evidence: Evidence) -> Act:
        person = state.find(who)
        if tracks:
            strangers = sorted(set(tracks) - set(state.tracks(person)))
            if strangers:
                raise UsageError(
                    f"Track {strangers[0]} is not one of {state.called(person)}: 'vcn review' "
                    "shows whose it is."
                )
            return acts.move(state, tracks, None)
        question = evidence.split(person)
        if question is None:
            raise UsageError(
                f"Nothing tells two parts of {state.called(person)} apart: name the tracks of one "
                "with --track."
            )
        return acts.different(state, question.left, question.right)

    _with_log(folder, lambda session: session.do(lambda s: act(s, session.now().evidence), None))


@app.command()
def ignore(folder: RunFolder, who: Who) -> None:
    """Fold a person away who does not matter; said again, they count again."""
    from videoclusternet.review import acts

    _say(folder, lambda state: acts.ignore(state, state.find(who)))


@app.command()
def undo(folder: RunFolder) -> None:
    """Take back the last thing that was said of a run."""
    _with_log(folder, lambda session: session.log.undo())


@app.command()
def redo(folder: RunFolder) -> None:
    """Do again what was taken back last."""
    _with_log(folder, lambda session: session.log.redo())


def _say(folder: Path, act: Callable[[State], Act]) -> None:
    _with_log(folder, lambda session: session.do(act, None))


def _with_log(folder: Path, work: Callable[[Session], object]) -> None:
    """Do what makes an entry of the log, print the entry, and write the results anew."""
    from videoclusternet.web.session import Session

    session = Session(folder)
    session.now()
    work(session)
    out.print(f"{one_line(session.log.entries()[-1].sentence)}.")
    _show_again(folder)


def _show_again(folder: Path) -> None:
    """Write the results anew; where a run works in the folder, it does so itself in the end."""
    from videoclusternet.season.share import show_again

    try:
        show_again(folder)
    except BusyError:
        err.print("Warning: A run works in this folder: it will show in its results what you said.")


def _print_log(folder: Path) -> None:
    from videoclusternet.review.log import Log
    from videoclusternet.run_view import load_run

    for entry in Log(load_run(folder).folder).entries():
        out.print(f"{entry.revision:>5}  {entry.time}  {one_line(entry.sentence)}")
        for note in entry.notes:
            out.print(f"       {one_line(note)}")
