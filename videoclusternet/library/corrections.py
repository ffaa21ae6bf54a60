"""What people say of a library: names, who is one person and who is not, kept in a log.

Each act may name the last entry that was seen, and is refused where it is not any more. The log
speaks of members, people of a film, whose numbers stay theirs when it is run again; so nothing
that was said is lost, and every act can be taken back.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.errors import UsageError
from videoclusternet.library.link import Bonds
from videoclusternet.library.store import Member
from videoclusternet.records import Array
from videoclusternet.review.log import FIXED, Log


@dataclass(frozen=True)
class Known:
    """Somebody of the library: one person of one film or several."""

    number: int
    name: str
    members: tuple[Member, ...]  # most screen time first
    named: bool  # by somebody; others are called by their number

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.members)

    @property
    def films(self) -> int:
        """In how many they are seen; photographs are none."""
        return len({one.film for one in self.members if one.seconds})


class Corrections:
    """The log of one library."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.log = Log(folder)

    def said(self, members: Sequence[Member]) -> tuple[Array, Bonds]:
        """Return the name of each member, "" without one, and what is said of pairs of them."""
        _, facts = self.log.current()
        row = {one.id: n for n, one in enumerate(members)}
        names = [facts.get(f"name/{one.id}", one.name) for one in members]
        pairs: dict[str, list[list[int]]] = {"same": [], "apart": []}
        for key in facts:
            kind, *ids = key.split("/")
            if kind in pairs and all(int(id_) in row for id_ in ids):
                pairs[kind].append([row[int(id_)] for id_ in ids])
        same, apart = (np.array(found, np.int64).reshape(-1, 2) for found in pairs.values())
        return np.array(names, np.str_), Bonds(same, apart)

    def name(self, known: Known, name: str, seen: int | None = None) -> None:
        """Call somebody by a name, in every film. Raises UsageError for an empty one."""
        name = " ".join(name.split())
        if not name:
            raise UsageError("A name needs a letter.")
        changes = {f"name/{one.id}": name for one in known.members}
        self.log.write("name", f"{known.name} is called {name}", changes, seen=seen)

    def same(self, one: Known, other: Known, left: int, seen: int | None = None) -> None:
        """Say that two are one person, as the left, a member of the one, shows.

        So are all that they are linked with, whatever else would keep them apart.
        """
        both = [member.id for member in (*one.members, *other.members) if member.id != left]
        changes: dict[str, Any] = {f"same/{_pair(left, id_)}": True for id_ in both}
        for a in one.members:
            for b in other.members:
                changes[f"apart/{_pair(a.id, b.id)}"] = None
        names = [known.name for known in (one, other) if known.named]
        if names and one.number != other.number:
            changes |= {f"name/{m.id}": names[0] for m in (*one.members, *other.members)}
        self.log.write("same", f"{one.name} and {other.name} are one person", changes, seen=seen)

    def apart(
        self, one: Known, other: Known, left: int, right: int, seen: int | None = None
    ) -> None:
        """Say that these members are two people; linked ones part, the left from all others."""
        linked = one.number == other.number
        others = [m.id for m in other.members if m.id != left] if linked else [right]
        changes: dict[str, Any] = {}
        for id_ in others:
            pair = _pair(left, id_)
            changes |= {f"apart/{pair}": True, f"same/{pair}": None}
        if linked and one.named:
            changes[f"name/{left}"] = ""  # it was a name of both
        sentence = (
            f"{one.name} is somebody else in one film"
            if linked
            else f"{one.name} and {other.name} are two people"
        )
        self.log.write("apart", sentence, changes, seen=seen)

    def forget(self, members: Sequence[int]) -> None:
        """Begin a new log without these, whose history nobody is to read any more."""
        _, facts = self.log.current()
        gone = set(map(str, members))
        told = {key: value for key, value in facts.items() if not gone & set(key.split("/")[1:])}
        if not self.log.exists:
            return
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            new = Log(Path(place))
            new.write(FIXED, "Somebody was erased, and the history with them", told)
            os.replace(new.path, self.log.path)
        self.log = Log(self._folder)


def _pair(left: int, right: int) -> str:
    return f"{min(left, right)}/{max(left, right)}"
