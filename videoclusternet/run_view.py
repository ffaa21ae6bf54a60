"""A run folder to read from, room by room, while nothing works in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from videoclusternet.errors import InputError
from videoclusternet.manifest import EPISODES, MANIFEST, Manifest
from videoclusternet.records import Clusters, Crops, Faces, Links, Shots, Signatures, Tracks
from videoclusternet.results.exports.sheet import Sheet
from videoclusternet.results.people import People, list_people
from videoclusternet.results.report import RunFacts
from videoclusternet.results.reviewed import reviewed
from videoclusternet.results.why import Why, explain_pair
from videoclusternet.review.log import Log
from videoclusternet.review.rerun import verdict_of
from videoclusternet.said import Verdict
from videoclusternet.stages import STAGES
from videoclusternet.video.file import fingerprint

if TYPE_CHECKING:
    from videoclusternet.models.face_model import FaceModel
    from videoclusternet.video.stream import Video

Part = TypeVar("Part")


class RunView:
    """What a run has made so far; each part is checked and loaded when it is first asked for.

    Asking raises InputError where the stage is not done, or where its files are damaged or of
    another version.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @cached_property
    def shots(self) -> Shots:
        """The film cut into shots, and its clock."""
        return self._load("shots", Shots)

    @cached_property
    def faces(self) -> Faces:
        """Every face that was detected."""
        return self._load("faces", Faces)

    @cached_property
    def kept(self) -> Faces:
        """The faces with the decision of the filters."""
        return self._load("kept", Faces)

    @cached_property
    def tracks(self) -> Tracks:
        """Faces followed through their shots."""
        return self._load("tracks", Tracks)

    @cached_property
    def crops(self) -> Crops:
        """What the network sees of each track; the images are a read-only memory map."""
        return self._load("crops", Crops)

    @cached_property
    def links(self) -> Links:
        """What the film itself shows of who is who; nothing where the run has yet to look, as after
        a person was erased.
        """
        return self._load("links", Links) if "links" in self.manifest.stages else Links.empty()

    @cached_property
    def model(self) -> FaceModel:
        """The network of this film."""
        from videoclusternet.models.face_model import FaceModel  # torch, only for who asks for it

        return self._load("model", FaceModel)

    @cached_property
    def signatures(self) -> Signatures:
        """What the network makes of each track."""
        return self._load("signatures", Signatures)

    @cached_property
    def clusters(self) -> Clusters:
        """Who is who, and why, as the program found it."""
        return self._load("clusters", Clusters)

    @property
    def last_word(self) -> Clusters:
        """The clusters as a review left them; as they were found where there was none."""
        verdict = self._verdict
        return self.clusters if verdict is None else reviewed(self.clusters, verdict)[0]

    @property
    def _verdict(self) -> Verdict | None:
        return verdict_of(Log(self.folder), self.tracks.count)

    @property
    def people(self) -> People:
        """Who is in the film, when and for how long: the last word, where it was reviewed."""
        verdict = self._verdict
        if verdict is None:
            return self.made
        return list_people(self.clusters, self.tracks, self.crops, self.shots, verdict)

    @cached_property
    def made(self) -> People:
        """The people as the run left them in its files."""
        return self._load("people", People)

    def why(self, left: int, right: int) -> Why:
        """Return why two tracks are one person, or two, merge by merge.

        Raises UsageError for a track that the film does not have.
        """
        names = {person.label: person.name for person in self.people}
        return explain_pair(self.last_word, left, right, names, self.links)

    @cached_property
    def facts(self) -> RunFacts:
        """What the report says of the run itself."""
        return self._load("facts", RunFacts)

    @cached_property
    def report(self) -> Path:
        """Where the page to show lies."""
        self._load("report", str)
        return self.folder / STAGES["report"].files[0]

    def sheet(self, only: Sequence[str] = (), least: float = 0.0, rate: str | None = None) -> Sheet:
        """Return what exports are written from: `Sheet.of` has the arguments and errors.

        Raises InputError for a season, which is no film that an export could point into.
        """
        if self.manifest.episodes:
            raise InputError(
                f"{self.folder} holds a season: export its episodes, each from its folder in "
                f"{self.folder / EPISODES}."
            )
        return Sheet.of(
            Path(self.manifest.film.path), (self.facts.width, self.facts.height), self.people,
            self.tracks, self.shots, only=only, least=least, rate=rate,
        )  # fmt: skip

    def find_film(self, named: Path | None = None) -> Path | None:
        """Return where the film is: as named, or where it was; None where it is gone.

        Raises InputError where the one that is named is another film.
        """
        note = self.manifest.film
        if named:
            if fingerprint(named) != note.fingerprint:
                raise InputError(
                    f"{named} is not the film of this run ({note.name}): name that one."
                )
            return named
        path = Path(note.path)
        with suppress(InputError):
            if fingerprint(path) == note.fingerprint:
                return path
        return None

    @property
    def no_film(self) -> str:
        """What to say where `find_film` finds none."""
        if self.manifest.episodes:
            return "A season is not one film: its moments can only be watched in its episodes."
        return f"The film is not at {self.manifest.film.path} any more: name it with --film."

    def open_film(self, named: Path | None = None) -> Video:
        """Open the film: see `find_film`. Raises InputError where it is gone or cannot be read."""
        from videoclusternet.video.stream import open_video  # the decoder, only for who asks for it

        path = self.find_film(named)
        if path is None:
            raise InputError(self.no_film)
        return open_video(path)

    def _load(self, stage: str, kind: type[Part]) -> Part:
        if stage not in self.manifest.stages:
            raise InputError(
                f"The run in {self.folder} has not come as far as '{stage}': run the film again, "
                "and it goes on from where it stopped."
            )
        damaged = self.manifest.damage(self.folder, stage)
        if damaged:
            raise InputError(f"{self.folder / damaged} is damaged or missing: run the film again.")
        row = STAGES[stage]
        try:
            part = row.read(*(self.folder / name for name in row.files))
            if not isinstance(part, kind):
                raise TypeError(f"it holds a {type(part).__name__}")
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The stage '{stage}' in {self.folder} was made by another version of this program "
                f"({error}): run the film again."
            ) from error
        return part


def load_run(folder: str | os.PathLike[str]) -> RunView:
    """Open a run folder to read from. Raises InputError where it is none."""
    folder = Path(folder)
    try:
        return RunView(folder, Manifest.load(folder))
    except ValueError as error:
        raise InputError(f"{folder / MANIFEST} is damaged: run the film again.") from error
