"""Write the manual page of the command line: `python docs/write_man.py`, or `make man`.

All of it comes from the program: the commands with what they say of themselves, the exit codes of
`errors`, the files of `stages`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from videoclusternet import __version__, errors
from videoclusternet.cli import INTERNAL
from videoclusternet.cli.app import app
from videoclusternet.stages import STAGES
from videoclusternet.weights.assets import CACHE

PAGE = Path(__file__).with_name("vcn.1")

ENVIRONMENT = {
    CACHE: "The folder of fetched networks, in the place of the one in the user's cache.",
    "VCN_DEBUG": "Set to 1: show where an error comes from, as --debug does.",
    "OMP_NUM_THREADS": "The most threads that a run computes and decodes with.",
}
EXAMPLES = {
    "vcn setup": "Fetch the networks, once.",
    "vcn doctor": "Ask whether a run can start.",
    "vcn run film.mp4 --out runs/film": "Find out who is in a film and when.",
    'vcn name runs/film "Person 3" Ada': "Call somebody by a name.",
    "vcn export runs/film edl -o people.edl": "Hand it on to an editor.",
}


def page() -> str:
    """Return the page, as roff with the macros of man(7)."""
    root = typer.main.get_command(app)
    lines = [
        '.\\" Written by docs/write_man.py: change the program and run `make man`.',
        f'.TH VCN 1 "" "videoclusternet {__version__}" "User commands"',
        ".SH NAME",
        r"vcn \- find out who is in a film and when",
        ".SH SYNOPSIS",
        f"{bold('vcn')} [options] {italic('command')} [options] [arguments]",
        ".SH DESCRIPTION",
        roff(root.help),
        "No labels, no threshold, no number of people to guess, and nothing leaves the machine.",
        "A network is used by",
        f"{bold('vcn setup')}, {bold('vcn demo')} and {bold('vcn models fetch')} alone.",
        "A command that was interrupted goes on when it is typed again.",
        ".SH OPTIONS",
        *parameters("vcn", root),
        ".SH COMMANDS",
        *(line for name, command in root.commands.items() for line in section(name, command)),
    ]
    entries = {
        "EXIT STATUS": exit_codes(), "ENVIRONMENT": ENVIRONMENT, "FILES": files(),
        "EXAMPLES": EXAMPLES,
    }  # fmt: skip
    for title, rows in entries.items():
        lines.append(f".SH {title}")
        lines += (line for name, about in rows.items() for line in entry(bold(name), about))
    return "\n".join(lines) + "\n"


def section(name: str, command: Any) -> Iterator[str]:
    """Yield what is told of a command, or of each command of a group."""
    subcommands = getattr(command, "commands", {})
    if not subcommands or command.invoke_without_command:
        arguments = [spelt(one) for one in command.params if one.param_type_name == "argument"]
        yield f".SS {' '.join([roff(f'vcn {name}'), *arguments])}"
        yield roff(command.callback.__doc__)  # the help of a group is about all that is in it
        yield from parameters(f"vcn {name}", command)
    for below, subcommand in subcommands.items():
        yield from section(f"{name} {below}", subcommand)


def parameters(name: str, command: Any) -> Iterator[str]:
    """Yield an entry for each argument and option that says something of itself."""
    context = command.make_context(name, [], resilient_parsing=True)
    for one in command.params:
        names, about = one.get_help_record(context) or ("", "")
        if not one.help:
            continue
        if one.param_type_name == "argument":
            yield from entry(spelt(one), one.help)
        else:
            words = names.replace("<", "").replace(">", "").split(" ")
            yield from entry(
                " ".join(bold(word) if word.startswith("-") else italic(word) for word in words),
                about,
            )


def spelt(argument: Any) -> str:
    """Return an argument as it is typed: DIR, or [DIR] where it can be left out."""
    name = italic(argument.metavar or argument.name.upper())
    return name if argument.required else f"[{name}]"


def exit_codes() -> dict[str, str]:
    """Return what each exit code means."""
    codes = {"0": "Done.", "1": "Somebody answered no, or a film failed under --fail-fast."}
    for error in all_below(errors.VideoClusterNetError):
        code = str(error.exit_code)
        codes[code] = " ".join(filter(None, [codes.get(code), error.__doc__]))
    codes[str(INTERNAL)] = "A fault of the program, or a library of it that does not load."
    return codes | {"130, 143": "Stopped by a signal: type the same command again to go on."}


def all_below(kind: type[Any]) -> Iterator[type[Any]]:
    """Yield the kinds of errors below one, as they are written down."""
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:  # others are of one of these kinds
            yield below
            yield from all_below(below)


def files() -> dict[str, str]:
    """Return the files that the program leaves."""
    made = {", ".join(row.files): f"The stage '{name}'." for name, row in STAGES.items()}
    return {
        "~/.cache/videoclusternet": "The networks, once fetched.",
        "runs": "Where the folder of a run lies that is given no other. It holds:",
        "run.json": "Settings, seconds of each stage, and the hash of every file.",
        "review.sqlite": "What was said in a review.",
        **made,
    }


def entry(tag: str, about: str) -> tuple[str, str, str]:
    """Return a paragraph under its tag, both but the text in roff."""
    return ".TP", tag, roff(about)


def bold(text: str) -> str:
    """Return text in bold."""
    return rf"\fB{roff(text)}\fR"


def italic(text: str) -> str:
    """Return text in italics, which terminals underline."""
    return rf"\fI{roff(text)}\fR"


def roff(text: str) -> str:
    """Return plain text as roff: one line, hyphens as they are typed, no line that is a request."""
    line = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
