"""The run folder: each stage's result is made once, kept whole, and made anew only when it must.

A stage's key is made of its name and version, the film, and all that its function is given: of
settings and constants the values, of other stages' results the digests of their files. What a
change touches is therefore done again, and nothing else is; nothing but this caches.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel

from videoclusternet.config import Config
from videoclusternet.durable import LOCK, aside, locked, make_private, settle, sweep, writing
from videoclusternet.errors import InputError
from videoclusternet.manifest import (
    MANIFEST,
    RUNS,
    EpisodeNote,
    FileNote,
    FilmNote,
    Manifest,
    StageNote,
    hash_of,
)
from videoclusternet.records import Progress, Record
from videoclusternet.said import Said, Verdict
from videoclusternet.stages import STAGES, Stage
from videoclusternet.video.file import fingerprint, quoted
from videoclusternet.video.stream import Video
from videoclusternet.weights.choice import WeightsFile

log = logging.getLogger(__name__)

Result = TypeVar("Result")
StageProgress = Callable[[str, int, int], None]
"""How a run tells how far it is: called with (stage, steps done, steps in all)."""


def unwatched(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def default_folder(film: Path) -> Path:
    """Return `runs/<name>-<fingerprint>`, whatever characters the film's name is made of."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", film.stem)[:48].strip("-").lower() or "film"
    return RUNS / f"{name}-{fingerprint(film)[:8]}"


class Run:
    """A run folder that is open for work, and locked; made by `open`."""

    def __init__(
        self,
        folder: Path,
        film: Path | None,
        manifest: Manifest,
        redo: str | None,
        hook: StageProgress,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self._film = film
        self._state = film and _state(film)
        self._redo = redo
        self._hook = hook
        self._known: dict[
            int, tuple[object, str]
        ] = {}  # results by id, kept so that ids stay theirs

    @classmethod
    @contextmanager
    def open(
        cls,
        folder: Path,
        film: Path,
        config: Config,
        *,
        redo: str | None = None,
        of_season: bool = False,
        progress: StageProgress = unwatched,
    ) -> Iterator[Self]:
        """Make or take up the run of this film in this folder, and hold its lock.

        `redo` names a stage that is done again in any case; `of_season` tells that a season works
        in a folder of its own. Raises BusyError where another process holds the folder, InputError
        where it belongs to something else or the film cannot be read, and ResourceError where it
        cannot be written.
        """
        note = FilmNote.of(film, fingerprint(film))
        with _held(folder):
            manifest = Manifest.take_up(folder, note, of_season=of_season)
            manifest.settings = config.model_dump(mode="json")
            manifest.save(folder)
            yield cls(folder, film, manifest, redo, progress)

    @classmethod
    @contextmanager
    def open_season(
        cls,
        folder: Path,
        note: FilmNote,
        episodes: list[EpisodeNote],
        config: Config,
        progress: StageProgress = unwatched,
    ) -> Iterator[Self]:
        """Make or take up the run of a season, as it was last, and hold its lock.

        Raises as `open` does.
        """
        with _held(folder):
            manifest = Manifest.take_up_season(folder, note, episodes)
            manifest.settings = config.model_dump(mode="json")
            manifest.save(folder)
            yield cls(folder, None, manifest, None, progress)

    @classmethod
    @contextmanager
    def reopen(cls, folder: Path, progress: StageProgress = unwatched) -> Iterator[Self]:
        """Take up a run without its film, for what needs no picture of it. Raises as `open` does,
        and InputError where the folder holds no run.
        """
        with locked(folder):
            sweep(folder)
            try:
                yield cls(folder, None, Manifest.load(folder), None, progress)
            finally:
                sweep(folder)

    def kept(self, stage: str) -> Any:
        """Return the result of a stage that is done, as an input of later ones."""
        result = STAGES[stage].read(*(self.folder / name for name in STAGES[stage].files))
        self._known[id(result)] = (result, self.manifest.stages[stage].digest)
        return result

    def progress(self, stage: str) -> Progress:
        """Return what a stage's function calls to tell how far it is."""
        return partial(self._hook, stage)

    def once(
        self,
        stage: str,
        function: Callable[..., Result],
        *inputs: Any,
        also: Any = None,
        told: Said | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> Result:
        """Return the result of `function(*inputs, **options)`, made now or earlier.

        Inputs and options are results of this run, its video, settings, files of parameters,
        dataclasses of plain values, and plain values; `also` is what the result depends on though
        the function is not given it. `told`, where there is anything, is what a person said: the
        function is given it as `said`, but it is no reason to do a stage again, so that nothing of
        a film that was gone over moves before somebody asks for it.

        What is returned is what the files hold, so a run that was interrupted goes on from the same
        bytes as one that was not.
        """
        row = STAGES[stage]
        given = [self._token(value) for value in inputs]
        keyed = {name: self._token(value) for name, value in options.items()}
        key = hash_of([stage, row.version, self.manifest.film.fingerprint, given, keyed, also])
        if not self._is_done(stage, key):
            self._hook(stage, 0, 1)
            if progress is not None:
                options["progress"] = progress
            if told is not None:
                options["said"] = told
            self._make(stage, row, key, partial(function, *inputs, **options))
        result: Result = self.kept(stage)
        self._hook(stage, 1, 1)
        return result

    def _token(self, value: Any) -> Any:
        """Return what stands for a value in a key."""
        if id(value) in self._known:
            return self._known[id(value)][1]
        match value:
            case Verdict():
                return value.digest()
            case Record():
                raise TypeError(f"these {type(value).__name__} are no result of this run")
            case Video():
                return self.manifest.film.fingerprint
            case WeightsFile():
                return value.sha256
            case BaseModel():
                return value.model_dump(mode="json")
            case str() | int() | float() | None:
                return value
        return dataclasses.asdict(value)

    def _is_done(self, stage: str, key: str) -> bool:
        note = self.manifest.stages.get(stage)
        if note is None or note.key != key or stage == self._redo:
            return False
        damaged = self.manifest.damage(self.folder, stage)
        if damaged:
            log.warning("%s is damaged or missing: the stage '%s' is done again.", damaged, stage)
        return not damaged

    def _make(self, stage: str, row: Stage, key: str, work: Callable[..., Any]) -> None:
        self._check_film()
        begin = time.monotonic()
        parts = [aside(self.folder / name) for name in row.files]
        scratch = [self.folder / name for name in row.scratch]
        if scratch:
            from videoclusternet.finetune.kept import Kept  # torch, only where it is wanted

            start, latest = scratch
            work = partial(work, kept=Kept(start, latest, key))
        if row.streams:
            with writing(parts[0]):
                result = work(out=parts[0])
        else:
            result = work()
        with writing(parts[0]):
            row.write(result, *parts)
        self._check_film()
        files = {name: FileNote.of(part) for name, part in zip(row.files, parts, strict=True)}
        settle(parts)
        self.manifest.note(
            stage,
            StageNote(
                key=key,
                seconds=round(time.monotonic() - begin, 3),
                finished=datetime.now(UTC).replace(microsecond=0),
                files=files,
            ),
        )
        self.manifest.save(self.folder)
        for path in scratch:
            path.unlink(missing_ok=True)

    def _check_film(self) -> None:
        if self._film and _state(self._film) != self._state:
            raise InputError(
                f"{quoted(self._film)} was changed during the run: start the run again."
            )


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Make the folder if it is not there, hold its lock, and leave nothing half written in it."""
    _refuse_foreign(folder)
    make_private(folder)
    with locked(folder):
        sweep(folder)
        try:
            yield
        finally:
            sweep(folder)


def _state(film: Path) -> tuple[str, int]:
    return fingerprint(film), film.stat().st_mtime_ns


def _refuse_foreign(folder: Path) -> None:
    with writing(folder):
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and not names & {MANIFEST, LOCK}:
        raise InputError(f"{folder} holds other things: name a new or empty folder.")
