"""What a run looks like in a terminal: how far it is, and the people at its end.

Nothing here prints; the console is given.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from videoclusternet.catalogue import Entry
    from videoclusternet.results.people import People, Person

PATIENCE = 15.0  # seconds between two lines about one stage
SPEED = 60.0  # seconds of work from which the time that is left is guessed
ROWS = 25  # people in a table; people.csv has all


class Watch(Protocol):
    """A context that is called with (stage, steps done, steps in all)."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def __call__(self, stage: str, done: int, total: int) -> None: ...


def watch(console: Console) -> Watch:
    """Return what suits the console."""
    return Bars(console) if console.is_terminal else Lines(console)


class Bars:
    """A bar for each stage, with the time that it still takes, and in the end took."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            speed_estimate_period=SPEED,
        )
        self._of: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._of:
            label = f"{stage} (as before)" if done == total else stage
            self._of[stage] = self._bars.add_task(label, total=total)
        self._bars.update(self._of[stage], completed=done, total=total)


class Lines:
    """A line when a stage begins and ends, and from time to time in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._said = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage in self._ended:
            return
        new = stage not in self._begun
        self._begun.add(stage)
        if done == total:
            self._ended.add(stage)
            self._say(f"{stage}: as before" if new else f"{stage}: done")
        elif new or time.monotonic() - self._said > PATIENCE:
            self._say(f"{stage}: {done / total:.0%}" if done else f"{stage} ...")

    def _say(self, line: str) -> None:
        self._said = time.monotonic()
        self._console.print(line)


def table_of(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return rows of texts, whatever they contain, under their titles."""
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(one_line, row))
    return table


def people_table(people: People) -> Table:
    """Return a row for each of the first `ROWS` people, and one for Unknown."""
    table = Table(box=None, pad_edge=False)
    table.add_column("person")
    for title in ("screen time", "appearances", "tracks", "first seen"):
        table.add_column(title, justify="right")
    for person in people.people[:ROWS]:
        table.add_row(*_row(person))
    if people.unknown.tracks:
        table.add_row(*_row(people.unknown))
    return table


def models_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield two lines for each network that a setting can name."""
    kind = ""
    for entry in entries:
        if entry.kind != kind:
            kind = entry.kind
            yield f"{kind.capitalize()}s, for --{kind} NAME or --{kind} NAME=FILE"
        size = f"{entry.parameters / 1e6:.1f} M" if entry.parameters else ""
        here = "here" if entry.path else f"brought by {entry.brought_by}"
        terms = f"code {entry.code_licence}, network {entry.weights_licence}"
        yield f"  {entry.name:<14}{size:>7}  {entry.feed:<14}  {here}: {terms}"
        yield f"    {entry.source}" + (f"; sha256 {entry.sha256}" if entry.sha256 else "")


def _row(person: Person) -> tuple[str, ...]:
    from videoclusternet.results.people import spell, timecode  # numpy; `vcn --help` needs none

    return (
        one_line(person.name),
        spell(person.seconds),
        str(len(person.appearances)),
        str(len(person.tracks)),
        timecode(person.appearances[0].start, 0) if person.appearances else "",
    )


def one_line(text: object) -> str:
    """Return a text, such as a file name, as one line that a terminal can only print."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def to_paste(words: Iterable[str]) -> str:
    """Return a command as one line that a shell reads back, whatever its words contain."""
    return " ".join(
        shlex.quote(word) if word.isprintable() else f"$'{''.join(map(_escape, word))}'"
        for word in words
    )


def _escape(character: str) -> str:
    if character.isprintable() and character not in "'\\":
        return character
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
