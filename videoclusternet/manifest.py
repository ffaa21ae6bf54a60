"""`run.json`: what a run folder belongs to, and which of its stages are done."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from videoclusternet.durable import digest, write_text
from videoclusternet.errors import InputError, UsageError
from videoclusternet.records import Tracks
from videoclusternet.stages import STAGES

SCHEMA = 1
MANIFEST = "run.json"
RUNS = Path("runs")  # where a run lies that is given no folder
EPISODES = "episodes"  # the folder in a season's that holds the runs of its films
FRAMES = 24  # bits of an episode's frame: a week and more

log = logging.getLogger(__name__)


class FileNote(BaseModel):
    """One file of a stage."""

    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: Path) -> FileNote:
        """Take note of a file as it is now."""
        return cls(sha256=digest(path), bytes=path.stat().st_size)

    def fits(self, path: Path) -> bool:
        """Tell whether the file is still as it was noted."""
        try:
            return path.stat().st_size == self.bytes and digest(path) == self.sha256
        except OSError:
            return False


class StageNote(BaseModel):
    """One stage that is done."""

    key: str
    seconds: float
    finished: datetime
    files: dict[str, FileNote]

    @property
    def digest(self) -> str:
        """One hash that stands for the contents of all its files."""
        return hash_of({name: file.sha256 for name, file in self.files.items()})


class FilmNote(BaseModel):
    """The film that the folder belongs to."""

    name: str
    fingerprint: str
    path: str = ""  # where it was; only who reviews a run looks there, and checks what it is

    @classmethod
    def of(cls, film: Path, fingerprint: str) -> FilmNote:
        """Name a film; bytes of its file name that are no text become question marks."""
        return cls(
            name=os.fsencode(film.name).decode("utf-8", "replace"),
            fingerprint=fingerprint,
            path=os.fsdecode(os.fsencode(film.absolute()).decode("utf-8", "replace")),
        )


class EpisodeNote(BaseModel):
    """One film of a season: where its own run lies, and where it begins in the season."""

    name: str
    fingerprint: str
    folder: str  # its run folder, in that of the season
    first_frame: int = 0  # of the season, likewise the next two
    first_track: int = 0
    first_second: float = 0.0
    frames: int = 0
    tracks: int = 0
    faces: int = 0  # found by the detector
    width: int = 0  # of the upright picture, pixels
    height: int = 0
    warnings: tuple[str, ...] = ()
    joined: dict[str, str] = {}  # digests of its stages that the season is made of; {}: none yet


class Manifest(BaseModel):
    """All that `run.json` says; what it does not say is not done."""

    model_config = ConfigDict(validate_by_name=True)

    schema_: int = Field(SCHEMA, alias="schema")
    film: FilmNote
    settings: dict[str, Any] = {}  # of the latest run
    stages: dict[str, StageNote] = {}
    episodes: list[EpisodeNote] = []  # of a season, in order; a film has none
    of_season: bool = False  # an episode, which its season works in

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a run folder.

        Raises InputError where there is none or a newer version made it, and ValueError where it
        is damaged.
        """
        try:
            values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(
                f"{folder} holds no run ({error.strerror}): name a run folder."
            ) from None
        if isinstance(values, dict) and _is_newer(values.get("schema")):
            raise InputError(
                f"The run in {folder} was made by a newer version of this program: update the "
                "program, or name another folder."
            )
        return cls.model_validate(values)

    @classmethod
    def take_up(cls, folder: Path, film: FilmNote, *, of_season: bool = False) -> Manifest:
        """Return the manifest that this folder has for this film, or a new one.

        `of_season` tells that the season it is an episode of asks. Raises InputError where the
        folder belongs to another film, to a season, or to a newer version.
        """
        found = cls._found(folder)
        if found is None:
            return cls(film=film, of_season=of_season)
        if found.of_season and not of_season:
            raise InputError(
                f"{folder} is an episode of the season in {_season_of(folder)}: run the season, or "
                "name another folder."
            )
        if found.episodes:
            raise InputError(
                f"{folder} belongs to a season ({found.film.name}): name another folder, or run "
                "all of its episodes with --together."
            )
        if found.film.fingerprint != film.fingerprint:
            raise InputError(
                f"{folder} belongs to another film, or to another version of this one "
                f"({found.film.name!r}): name another folder."
            )
        return found.model_copy(update={"film": film, "of_season": of_season})

    @classmethod
    def take_up_season(cls, folder: Path, film: FilmNote, episodes: list[EpisodeNote]) -> Manifest:
        """Return the manifest that this folder has for a season as it was last, or a new one.

        Episodes may have come or gone since; `gather` takes note of that. Raises InputError where
        the folder belongs to a film, to a season that has none of these episodes, or to a newer
        version.
        """
        found = cls._found(folder)
        if found is None:
            return cls(film=film, episodes=episodes)
        if found.of_season:
            raise InputError(
                f"{folder} is an episode of the season in {_season_of(folder)}: name the season's "
                "folder, or another one."
            )
        if not found.episodes:
            raise InputError(
                f"{folder} belongs to a single film ({found.film.name!r}): name another folder for "
                "the season."
            )
        known = {episode.fingerprint for episode in found.episodes}
        if not known & {episode.fingerprint for episode in episodes}:
            raise InputError(
                f"{folder} belongs to another season ({found.film.name}): name another folder."
            )
        return found

    @classmethod
    def _found(cls, folder: Path) -> Manifest | None:
        """Return the manifest that is there; None, and a warning, where it is damaged."""
        if not (folder / MANIFEST).exists():
            return None
        try:
            return cls.load(folder)
        except ValueError:
            log.warning("%s is damaged: every stage is done again.", folder / MANIFEST)
            return None

    def gather(self, film: FilmNote, episodes: list[EpisodeNote]) -> None:
        """Say what a season is made of now; if that is something else than before, nothing is done.

        No stage of before could be used: the keys of all hold the season's fingerprint, or digests
        of its episodes.
        """
        if [one.joined for one in episodes] != [one.joined for one in self.episodes]:
            self.stages.clear()
        self.film, self.episodes = film, episodes

    def steady(self, tracks: Tracks) -> Tracks:
        """Return tracks whose frames stay theirs when other episodes come or go before them.

        In a season they are counted from a number that follows from the episode's fingerprint; a
        film's are as they are.
        """
        if not self.episodes:
            return tracks
        first = np.array([one.first_frame for one in self.episodes])
        base = np.array([int(one.fingerprint[:8], 16) << FRAMES for one in self.episodes])
        episode = np.searchsorted(first, tracks.frame, side="right") - 1
        return replace(tracks, frame=tracks.frame - first[episode] + base[episode])

    def refuse_episode(self, folder: Path, task: str) -> None:
        """Raise UsageError where this is an episode, and the season's folder is to be named."""
        if self.of_season:
            raise UsageError(
                f"{folder} is an episode of the season in {_season_of(folder)}: {task} the season."
            )

    def save(self, folder: Path) -> None:
        """Write the manifest so that the old one stays until the new one is whole."""
        values = self.model_dump(mode="json", by_alias=True)
        write_text(folder / MANIFEST, json.dumps(values, indent=1) + "\n")

    def note(self, stage: str, note: StageNote) -> None:
        """Say that a stage is done; if its files are not what they were, the later ones are not."""
        before = self.stages.get(stage)
        if before is None or before.digest != note.digest:
            names = list(STAGES)
            for later in names[names.index(stage) + 1 :]:
                self.stages.pop(later, None)
        self.stages[stage] = note

    def damage(self, folder: Path, stage: str) -> str:
        """Return the first file of a noted stage that is not as it was written, or ""."""
        files = self.stages[stage].files
        for name in STAGES[stage].files:
            if name not in files or not files[name].fits(folder / name):
                return name
        return ""


def _season_of(episode: Path) -> Path:
    return episode.absolute().parents[1]


def _is_newer(schema: Any) -> bool:
    return isinstance(schema, int) and schema > SCHEMA


def hash_of(value: Any) -> str:
    """Return the SHA-256 of plain values and dates, the same whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, default=datetime.isoformat)
    return hashlib.sha256(text.encode()).hexdigest()
