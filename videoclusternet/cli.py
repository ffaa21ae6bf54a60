"""The command line: the only place that prints, and where errors become exit codes.

Results go to the standard output, progress and complaints to the standard error.
"""

from __future__ import annotations

import errno
import json
import logging
import signal
import sys
import tempfile
import traceback
import warnings
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console

from videoclusternet import __version__
from videoclusternet.errors import ResourceError, VideoClusterNetError
from videoclusternet.terminal import ROWS, one_line, people_table, to_paste, watch

if TYPE_CHECKING:
    from videoclusternet.run_view import RunView

INTERNAL = 6  # the exit code of our own faults

out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
err = Console(highlight=False, markup=False, emoji=False, soft_wrap=True, stderr=True)
package_log = logging.getLogger("videoclusternet")

app = typer.Typer(
    help="Give it a film; it tells you who is in it and when.",
    no_args_is_help=True,
    add_completion=False,
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


@app.command()
def run(
    film: Annotated[Path, typer.Argument(metavar="FILM", readable=False, help="A film file.")],
    folder: OutFolder = None,
    preset: Annotated[
        str, typer.Option(metavar="NAME", help="fast, standard, paper, or a TOML file.")
    ] = "standard",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where random numbers start.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="STAGE", help="Stop when this stage is done.")
    ] = None,
    redo: Annotated[
        str | None,
        typer.Option(metavar="STAGE", help="Do this stage again, and what its result changes."),
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")
    ] = "auto",
) -> None:
    """Find out who is in a film and when; go on where an earlier run stopped."""
    from videoclusternet.pipeline import process_film

    with watch(err) as progress:
        view = process_film(
            film, folder, preset, changes or (), device=device, seed=seed, until=until, redo=redo,
            progress=progress,
        )  # fmt: skip
    if until in (None, "report"):
        _print_people(view)
    else:
        out.print(f"Done until '{until}': {one_line(view.folder)}")


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
    as_json: AsJson = False,
) -> None:
    """Score a run against the truth."""
    from videoclusternet.run_view import load_run

    _print_scores(load_run(folder), truth, as_json)


@app.command()
def demo(folder: OutFolder = None) -> None:
    """Cut a film of known people together, find them in it, and score the result."""
    from videoclusternet.demo import DEMO_ASSETS, build_demo_film
    from videoclusternet.pipeline import process_film
    from videoclusternet.weights.assets import ASSETS
    from videoclusternet.weights.fetch import fetch_assets

    home = folder or Path("runs") / "demo"
    with watch(err) as progress:
        assets = [*ASSETS.values(), *DEMO_ASSETS.values()]
        fetch_assets(assets, partial(progress, "fetched files"))
        film, truth = build_demo_film(home, partial(progress, "demo film"))
        view = process_film(film, home / "run", progress=progress)
    _print_people(view)
    _print_scores(view, truth)


@app.command()
def setup(
    with_demo: Annotated[
        bool, typer.Option("--demo", help="And the pictures of the demo.")
    ] = False,
    with_all: Annotated[
        bool, typer.Option("--all", help="And the networks that only a setting asks for.")
    ] = False,
) -> None:
    """Fetch the model files; nothing but this and `vcn demo` uses the network."""
    from videoclusternet.demo import DEMO_ASSETS
    from videoclusternet.weights.assets import ASSETS, OPTIONAL, locate
    from videoclusternet.weights.fetch import fetch_assets

    assets = [*ASSETS.values(), *(OPTIONAL.values() if with_all else ())]
    assets += DEMO_ASSETS.values() if with_demo else ()
    with watch(err) as progress:
        fetch_assets(assets, partial(progress, "fetched files"))
    for asset in assets:
        where = one_line(locate(asset))
        out.print(f"{asset.name}: {where} ({asset.licence}; {asset.source})")


@app.command()
def settings() -> None:
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


def _print_scores(view: RunView, truth: Path, as_json: bool = False) -> None:
    from videoclusternet.results.metrics import evaluate
    from videoclusternet.results.truth import read_truth

    scores = asdict(evaluate(view.tracks, view.clusters.label, read_truth(truth)))
    if not scores["tracks_scored"]:
        err.print("Warning: No box of the truth lies on a face of the run: is it of this film?")
    if as_json:
        print(json.dumps(scores, indent=1))
        return
    for name, value in scores.items():
        number = f"{value:.3f}" if isinstance(value, float) else str(value)
        out.print(f"{name.replace('_', ' '):<20}{number:>8}")


class _Stopped(BaseException):
    """A signal asked the program to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _Stopped(number)


class _Complaints(logging.Handler):
    """Shows what the package warns of, a sentence each."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"Warning: {one_line(record.getMessage())}")


def main() -> None:
    """Run the command line and exit with the code of what happened (see `errors`)."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    package_log.addHandler(_Complaints(logging.WARNING))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as it is where the caller has closed it
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app(prog_name="vcn")
    except _Stopped as stopped:
        err.print(f"Stopped. To go on: {to_paste(['vcn', *sys.argv[1:]])}")
        sys.exit(128 + stopped.number)
    except Exception as error:
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    """Say in a sentence what is wrong, and return its exit code.

    Where it comes from is for those who ask for it; a fault of ours is written down for us.
    """
    if package_log.isEnabledFor(logging.DEBUG):
        traceback.print_exception(error)
    known = _known(error)
    if known is not None:
        err.print(one_line(known))
        return known.exit_code
    with tempfile.NamedTemporaryFile(
        "w", prefix="vcn-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as log:
        traceback.print_exception(error, file=log)
    what = f"{type(error).__name__}: {one_line(error)}"
    err.print(f"This is a fault of the program ({what}); please report it with {log.name}.")
    return INTERNAL


def _known(error: Exception) -> VideoClusterNetError | None:
    """Return what an error means for the user, or None where it should not have happened."""
    match error:
        case VideoClusterNetError():
            return error
        case MemoryError():
            return ResourceError(f"There is not enough memory: {error or 'none is left'}.")
        case OSError(errno=errno.ENOSPC):  # files of ours say so themselves
            return ResourceError("There is no room for the output.")
    return None
