"""`run.json`: what a run folder belongs to, and which of its stages are done."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from videoclusternet.durable import digest, write_text
from videoclusternet.errors import InputError
from videoclusternet.stages import STAGES

SCHEMA = 1
MANIFEST = "run.json"

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


class Manifest(BaseModel):
    """All that `run.json` says; what it does not say is not done."""

    model_config = ConfigDict(validate_by_name=True)

    schema_: int = Field(SCHEMA, alias="schema")
    film: FilmNote
    settings: dict[str, Any] = {}  # of the latest run
    stages: dict[str, StageNote] = {}

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a run folder.

        Raises InputError where there is none or a newer version made it, and ValueError where it
        is damaged.
        """
        try:
            values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{folder} holds no run: {error.strerror}.") from None
        if isinstance(values, dict) and _is_newer(values.get("schema")):
            raise InputError(
                f"The run in {folder} was made by a newer version of this program: update it, or "
                "name another folder."
            )
        return cls.model_validate(values)

    @classmethod
    def take_up(cls, folder: Path, film: FilmNote) -> Manifest:
        """Return the manifest that this folder has for this film, or a new one.

        Raises InputError where the folder belongs to another film or a newer version.
        """
        if not (folder / MANIFEST).exists():
            return cls(film=film)
        try:
            found = cls.load(folder)
        except ValueError:
            log.warning("%s is damaged, so every stage is done again.", folder / MANIFEST)
            return cls(film=film)
        if found.film.fingerprint != film.fingerprint:
            raise InputError(
                f"{folder} belongs to another film, or to another version of this one "
                f"({found.film.name!r}): name another folder."
            )
        return found.model_copy(update={"film": film})

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


def _is_newer(schema: Any) -> bool:
    return isinstance(schema, int) and schema > SCHEMA


def hash_of(value: Any) -> str:
    """Return the SHA-256 of plain values and dates, the same whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, default=datetime.isoformat)
    return hashlib.sha256(text.encode()).hexdigest()
