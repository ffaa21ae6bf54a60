"""A run that is being reviewed: its records, what was said of it, and what follows from both.

What follows is worked out once for each entry of the log; when a run in the same folder makes its
records anew, they are read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import RLock

import numpy as np

from videoclusternet.errors import InputError
from videoclusternet.manifest import MANIFEST
from videoclusternet.records import UNKNOWN, Array
from videoclusternet.results.people import People, Person, list_people, stretches
from videoclusternet.review.acts import Act
from videoclusternet.review.doubtful import Evidence, Question
from videoclusternet.review.log import Log
from videoclusternet.review.rerun import begin, follow, weight_of
from videoclusternet.review.state import State
from videoclusternet.run_view import RunView, load_run


@dataclass
class Now:
    """All that is true after one entry of the log."""

    revision: int
    state: State
    view: RunView

    @cached_property
    def people(self) -> People:
        """Everybody, with screen time and faces."""
        view = self.view
        return list_people(view.clusters, view.tracks, view.crops, view.shots, self.state.verdict())

    @cached_property
    def by_number(self) -> dict[int, Person]:
        """The people by number; Unknown is -1."""
        everyone = {person.number: person for person in self.people}
        return everyone | {UNKNOWN: self.people.unknown}

    @cached_property
    def sure(self) -> dict[int, float | None]:
        """How sure each track is; None where there is nothing to tell by."""
        return {
            track: value
            for person in self.by_number.values()
            for track, value in zip(person.tracks, person.sure, strict=True)
        }

    @cached_property
    def evidence(self) -> Evidence:
        """The film's own losses between these people."""
        view = self.view
        threshold = view.clusters.film_threshold
        return Evidence(self.state, view.signatures, threshold, view.links)

    @cached_property
    def questions(self) -> list[Question]:
        """What to ask, what is worth most first."""
        return self.evidence.questions(self.seconds)

    @cached_property
    def seconds(self) -> Array:
        """Screen time of each track, (tracks,)."""
        return self.times[:, 1] - self.times[:, 0]

    @cached_property
    def times(self) -> Array:
        """Start and end of each track in seconds, (tracks, 2)."""
        view = self.view
        return view.shots.times[stretches(view.tracks, view.shots)[:, 1:]]


@dataclass
class Session:
    """A run folder under review."""

    folder: Path
    film: Path | None = None  # where it can be watched, if it can
    cast: Sequence[str] = ()  # names that somebody may have
    likely: dict[int, str] = field(default_factory=dict)  # person to name, by photos of the cast
    _lock: RLock = field(default_factory=RLock, repr=False)
    _read: tuple[int, int] = (0, 0)
    _view: RunView | None = None
    _now: Now | None = None

    def __post_init__(self) -> None:
        self.log = Log(self.folder)

    def now(self) -> Now:
        """Return what is true now. Raises InputError where the run is not finished."""
        with self._lock:
            view = self.view()
            revision, facts = self.log.current()
            if self._now is None or self._now.revision != revision:
                self._now = Now(revision, State(facts, weight_of(view.crops)), view)
            return self._now

    def view(self) -> RunView:
        """Return the run's records, whatever was said of them. Raises as `now` does."""
        with self._lock:
            read = self._written()
            if self._view is None or read != self._read:
                view = load_run(self.folder)
                if "people" not in view.manifest.stages:
                    raise InputError(
                        f"The run in {self.folder} is not finished: run the film again."
                    )
                view.manifest.refuse_episode(self.folder, "review")
                steady = view.manifest.steady(view.tracks)
                begin(self.log, view.clusters, steady, view.made)
                follow(self.log, view.clusters, steady, view.crops)
                self._view, self._read, self._now = view, read, None
            return self._view

    def _written(self) -> tuple[int, int]:
        """Return what changes whenever a run writes its manifest."""
        try:
            state = (self.folder / MANIFEST).stat()
        except OSError:
            load_run(self.folder)  # raises the sentence for it
            raise
        return state.st_ino, state.st_mtime_ns

    def do(self, say: Callable[[State], Act], seen: int | None) -> int:
        """Say something of what is true at entry `seen`, and return the number of its entry.

        Raises ConflictError where somebody else said something since, UsageError where it cannot be
        meant.
        """
        now = self.now()
        act = say(now.state)
        seen = now.revision if seen is None else seen
        return self.log.write(act.kind, act.sentence, act.changes, seen=seen)

    def proposed(self, now: Now) -> dict[int, str]:
        """Return the names that the cast's photographs propose and nobody has, by person."""
        taken = {name.casefold() for name in now.state.name.values()}
        return {
            person: name
            for person, name in self.likely.items()
            if person not in now.state.name and name.casefold() not in taken
        }

    def rows(self, track: int, most: int) -> list[int]:
        """Return some of a track's crops, spread over its time: rows of Crops."""
        crops = self.view().crops
        first, last = np.searchsorted(crops.track, [track, track + 1])
        count = int(last - first)
        return [
            int(first) + (2 * n + 1) * count // (2 * min(most, count))
            for n in range(min(most, count))
        ]
