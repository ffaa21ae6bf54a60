"""What the command line of the benchmarks takes: a command for each measurement."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import videoclusternet as vcn
from benchmarks.methods import METHODS
from videoclusternet.models.registry import BACKBONES

RESULTS = Path(__file__).parent / "results"

Measure = Callable[[argparse.Namespace], None]


def _alike(name: str, **how: Any) -> argparse.ArgumentParser:
    """Return an argument that several commands have, as a parent of theirs."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(name, **how)
    return parent


WORKS = _alike(
    "--work", type=Path, default=Path("runs/benchmarks"), metavar="DIR",
    help="where the run folders lie; what is done there is not done again",
)  # fmt: skip
PLACED = _alike("--preset", default="standard", metavar="NAME")
SHARED = _alike(
    "--set", dest="changes", action="append", default=[], metavar="KEY=VALUE",
    help="change a setting; may be repeated",
)  # fmt: skip
SEEDED = _alike("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N")
SCORED = [WORKS, PLACED, SEEDED]


class Commands:
    """The commands, each with what measures it."""

    def __init__(self, measures: Mapping[str, Measure]) -> None:
        self.parser = argparse.ArgumentParser(prog="python -m benchmarks")
        self._commands = self.parser.add_subparsers(required=True)
        self._measures = measures

    def add(
        self,
        name: str,
        parents: Sequence[argparse.ArgumentParser],
        about: str,
        out: Path | None = None,
    ) -> argparse.ArgumentParser:
        """Add a command whose results go to a file of its name, if `out` names no other."""
        command = self._commands.add_parser(name, parents=parents, help=about)
        command.add_argument(
            "--out", type=Path, default=out or RESULTS / f"{name}.json", metavar="FILE"
        )
        command.set_defaults(measure=self._measures[name])
        return command


def parser_of(measures: Mapping[str, Measure]) -> argparse.ArgumentParser:
    """Return the parser of all commands, given what measures each."""
    commands = Commands(measures)
    _add_scores(commands)
    _add_costs(commands)
    _add_trials(commands)
    return commands.parser


def _add_scores(commands: Commands) -> None:
    """What scores methods, on films whose truth is known."""
    run = commands.add(
        "run", [*SCORED, SHARED], "ours and every rival on the same tracks of labelled films",
        RESULTS / "methods.json",
    )  # fmt: skip
    run.add_argument("cases", nargs="*", metavar="FILM:TRUTH")
    run.add_argument(
        "--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="NAME",
        help="rivals; all, if none are named",
    )  # fmt: skip
    run.add_argument(
        "--dataset", metavar="NAME=FOLDER", help="the films of a data set instead: see datasets/"
    )
    run.add_argument("--named", action="store_true", help="leave out its background people")
    run.add_argument("--combined", action="store_true", help="take its films as one")
    bases = commands.add(
        "bases", [*SCORED, SHARED], "score each base network before and after tuning"
    )
    bases.add_argument("cases", nargs="+", metavar="FILM:TRUTH")
    bases.add_argument(
        "--backbones", nargs="+", default=[vcn.Config().backbone], metavar="NAME[=FILE]"
    )
    levers = commands.add(
        "levers", [WORKS], "what each part of the default gives on films, network by network"
    )
    levers.add_argument("cases", nargs="+", metavar="FILM:TRUTH")
    levers.add_argument(
        "--backbones", nargs="+", default=[vcn.Config().backbone], metavar="NAME[=FILE]"
    )
    films = commands.add("films", [*SCORED, SHARED], "score films whose truth is known")
    films.add_argument("cases", nargs="+", metavar="FILM:TRUTH")
    season = commands.add(
        "season", [*SCORED, SHARED], "score films alone, and as the episodes of a season"
    )
    season.add_argument("cases", nargs="+", metavar="FILM:TRUTH")
    ablation = commands.add("ablation", SCORED, "score every tuning with every rule of merging")
    ablation.add_argument("cases", nargs="+", metavar="FILM:TRUTH")
    tracking = commands.add(
        "tracking", [WORKS, PLACED, SHARED],
        "compare the tracker with BoT-SORT, drawn cases first",
    )  # fmt: skip
    tracking.add_argument("cases", nargs="*", metavar="FILM:TRUTH")
    tracking.add_argument(
        "--every", type=int, nargs="+", default=[3, 1], metavar="N",
        help="look for faces in each n-th frame: 3 is the program's way, 1 the paper's",
    )  # fmt: skip
    confidence = commands.add(
        "confidence", [], "fit the confidence to finished runs, and tell how it holds"
    )
    confidence.add_argument("runs", nargs="+", metavar="RUN:TRUTH")
    scenes = commands.add(
        "scenes", [WORKS, PLACED, SHARED], "how right a film's own links between tracks are"
    )
    scenes.add_argument("cases", nargs="*", metavar="FILM:TRUTH")
    scenes.add_argument(
        "--tv", type=Path, metavar="FOLDER",
        help="the face tracks of twelve television episodes instead: see scenes.py",
    )  # fmt: skip
    scenes.set_defaults(out=None)  # scenes.json, or scenes-tv.json
    drawn = commands.add(
        "drawn-season", [SEEDED], "group real episodes and their seasons, whose faces are drawn"
    )
    drawn.add_argument(
        "folder", type=Path, metavar="FOLDER",
        help="the face tracks of television episodes: see scenes.py",
    )  # fmt: skip
    report = commands.add(
        "report", [], "write the page of results, and its pictures, from `run`",
        Path("docs/results.md"),
    )  # fmt: skip
    report.add_argument("run", metavar="RUN:TRUTH", help="the run whose tuning is drawn")
    report.add_argument("--results", type=Path, default=RESULTS / "methods.json", metavar="FILE")

    join = commands.add("join", [], "make a film of truth/ of the files that it comes from")
    join.add_argument("film", metavar="NAME")
    join.add_argument(
        "--sources", type=Path, required=True, metavar="DIR", help="holds OWNER/REPOSITORY/PATH"
    )
    join.set_defaults(out=None)  # NAME.mp4


def _add_costs(commands: Commands) -> None:
    """What measures time, memory and the work of people."""
    speed = commands.add("speed", [WORKS, PLACED], "how near to the floor of the machine")
    speed.add_argument(
        "films", nargs="+", type=Path, metavar="FILM",
        help="the first is measured; all are strung together for long films",
    )  # fmt: skip
    speed.add_argument(
        "--only", nargs="+", metavar="WHAT",
        choices=["help", "front", "whole", "step", "clusters", "long"],
    )  # fmt: skip
    backbones = commands.add(
        "backbones", [WORKS], "run a film with every backbone, its parameters drawn"
    )
    backbones.add_argument("film", type=Path, metavar="FILM")
    backbones.add_argument(
        "--rows", nargs="+", metavar="NAME",
        default=[row.name for row in BACKBONES.values() if row.asset is None and row.parameters],
        help="of the table; all whose file is to be brought, if none are named",
    )  # fmt: skip
    backbones.add_argument(
        "--onnx", nargs="+", type=Path, default=[], metavar="FILE",
        help="ONNX files, which are also compared with their runtime",
    )  # fmt: skip
    commands.add("exports", [WORKS], "what it costs to export a film of three hours")
    commands.add("scale", [WORKS], "a library of a thousand films on paper")
    review = commands.add("review", [WORKS], "what it costs to correct a run, and many tracks")
    review.add_argument("runs", nargs="+", metavar="RUN:TRUTH", help="finished runs with errors")


def _add_trials(commands: Commands) -> None:
    """What tries the program where it may break."""
    faults = commands.add("faults", [WORKS], "everything that goes wrong, tried")
    faults.add_argument("--quick", action="store_true", help="each case a few times; no results")
    faults.add_argument("--only", type=int, nargs="+", default=[], metavar="N", help="these rows")
    commands.add("mutants", [WORKS], "what the tests of the method's core let through")
    install = commands.add("install", [], "the wheel in empty environments, and the quickstart")
    install.add_argument(
        "--python", dest="pythons", type=Path, action="append", required=True, metavar="FILE",
        help="may be repeated; the extras are tried with the first",
    )  # fmt: skip
    install.add_argument(
        "page", type=Path, nargs="?", default=Path("docs/quickstart.md"), metavar="PAGE",
        help="whose blocks for the shell are typed; docs/quickstart.md",
    )  # fmt: skip
    install.add_argument("--work", type=Path, metavar="DIR", help="outside the checkout")
    engines = commands.add("engines", [WORKS], "a library here and on Ray, where a node is killed")
    engines.add_argument("--films", type=int, default=20, metavar="N")
    readers = commands.add("readers", [WORKS], "whether other tools read what is exported")
    readers.add_argument("run", type=Path, metavar="RUN")
    repeat = commands.add("repeat", [WORKS, PLACED, SHARED], "run a film thrice and compare")
    repeat.add_argument("film", type=Path, metavar="FILM")
    repeat.add_argument("--seed", type=int, default=0, metavar="N")
