"""A season: its episodes are looked at one by one, then taken together as one film."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from videoclusternet.config import Device, load_config
from videoclusternet.durable import make_private
from videoclusternet.errors import UsageError
from videoclusternet.facts import warnings_of
from videoclusternet.manifest import EPISODES, EpisodeNote, FilmNote, hash_of
from videoclusternet.pipeline import Film, Found, Looks, find_people, find_tracks
from videoclusternet.resources import as_one, check_resources
from videoclusternet.run_view import RunView, load_run
from videoclusternet.season.join import join_crops, join_faces, join_shots, join_tracks
from videoclusternet.season.share import FRONT, digests_of, share
from videoclusternet.task import Task
from videoclusternet.video.apart import open_apart
from videoclusternet.video.file import fingerprint, quoted
from videoclusternet.video.stream import Video
from videoclusternet.workspace import Run, StageProgress, default_folder, unwatched

log = logging.getLogger(__name__)

NAMED = 3  # episodes in the name of a season


def process_season(
    films: Iterable[Film],
    out: Film | None = None,
    preset: str = "standard",
    settings: Iterable[str] = (),
    *,
    device: Device = "auto",
    seed: int | None = None,
    progress: StageProgress = unwatched,
) -> RunView:
    """Take the episodes of a season as one film: one network is tuned to all, and they are
    clustered together. Return the season's run.

    `out` is the season's folder (by default one in `runs/`, called after the first episode). Below
    it each episode has a run folder of its own, with its part of the result. What was done before
    is not done again: a new episode is looked at, then all are joined and tuned to anew. The other
    arguments are those of `process_film`. Raises UsageError, InputError, WeightsError,
    ResourceError or BusyError; what is done by then is kept.
    """
    if seed is not None:
        settings = [*settings, f"seed={seed}"]
    config = load_config(preset, settings)
    paths = [Path(film) for film in films]
    if not paths:
        raise UsageError("Name the episodes of the season, one film at least.")
    videos = [open_apart(path) for path in paths]
    notes = _notes_of(paths)
    task = Task.of(config, preset, device)
    first = default_folder(paths[0])
    folder = Path(out) if out is not None else first.with_name(f"season-of-{first.name}")
    size = as_one([video.info for video in videos])
    check_resources(folder, size, task.networks.backbone[0], config, copies=2)
    film = FilmNote(name=_called(notes), fingerprint=hash_of([one.fingerprint for one in notes]))
    with Run.open_season(folder, film, notes, config, progress) as run:
        make_private(folder / EPISODES)
        notes = [*_take_episodes(folder, paths, videos, notes, task, progress)]
        _tell_of_left_out(run, notes)
        run.manifest.gather(film, notes)
        run.manifest.save(folder)
        found = _join(run, notes)
        for _ in find_people(run, found, task, _looks(run, notes)):
            pass
        share(run, progress)
    return RunView(folder, run.manifest)


def _notes_of(films: Sequence[Path]) -> list[EpisodeNote]:
    """Return what is known of the episodes before they are looked at.

    Raises UsageError where one film is there twice.
    """
    known: dict[str, Path] = {}
    notes = []
    for film in films:
        note = FilmNote.of(film, fingerprint(film))
        if note.fingerprint in known:
            raise UsageError(
                f"{quoted(film)} is the same film as {quoted(known[note.fingerprint])}: name each "
                "episode once."
            )
        known[note.fingerprint] = film
        place = f"{EPISODES}/{default_folder(film).name}"
        notes.append(EpisodeNote(name=note.name, fingerprint=note.fingerprint, folder=place))
    return notes


def _called(notes: Sequence[EpisodeNote]) -> str:
    """Return what a season is called: how many episodes, and the first and last of them."""
    names = [note.name for note in notes]
    if len(names) > NAMED + 1:
        names = [*names[:NAMED], "…", names[-1]]
    return f"{len(notes)} episode{'s' * (len(notes) > 1)}: {', '.join(names)}"


def _take_episodes(
    folder: Path,
    paths: Sequence[Path],
    videos: Sequence[Video],
    notes: Sequence[EpisodeNote],
    task: Task,
    progress: StageProgress,
) -> Iterator[EpisodeNote]:
    """Look at each episode in a run folder of its own, and yield where it begins in the season."""
    frame, track, second = 0, 0, 0.0
    for number, (path, video, note) in enumerate(zip(paths, videos, notes, strict=True), start=1):

        def told(stage: str, done: int, total: int, number: int = number) -> None:
            progress(f"e{number}: {stage}", done, total)

        with Run.open(
            folder / note.folder, path, task.config, of_season=True, progress=told
        ) as run:
            shots, faces, tracks, _ = _all_of(find_tracks(run, video, task))
            joined = digests_of(run.manifest)
        yield note.model_copy(
            update={
                "first_frame": frame,
                "first_track": track,
                "first_second": second,
                "frames": shots.frames,
                "tracks": tracks.count,
                "faces": len(faces),
                "width": video.info.width,
                "height": video.info.height,
                "warnings": warnings_of(video, shots, faces),
                "joined": joined,
            }
        )
        frame, track = frame + shots.frames, track + tracks.count
        second += float(shots.times[-1] - shots.times[0]) if shots.frames else 0.0


def _all_of(stages: Generator[str, None, Found]) -> Found:
    """Do all stages of a recipe, and return what they found."""
    while True:
        try:
            next(stages)
        except StopIteration as end:
            found: Found = end.value
            return found


def _tell_of_left_out(run: Run, notes: Sequence[EpisodeNote]) -> None:
    """Warn of episodes that the season had before."""
    now = {note.fingerprint for note in notes}
    for note in run.manifest.episodes:
        if note.fingerprint not in now:
            log.warning(
                "%s is not in the season any more; what was found out about it stays in %s.",
                note.name,
                run.folder / note.folder,
            )


def _join(run: Run, notes: Sequence[EpisodeNote]) -> Found:
    """Do the first stages of a season: what its episodes have found, as of one film."""
    views = [load_run(run.folder / note.folder) for note in notes]
    frames = [note.first_frame for note in notes]
    tracks = [note.first_track for note in notes]

    def once(stage: str, join: Callable[..., Any], *first: Any, **options: Any) -> Any:
        def joined(**how: Any) -> Any:  # loaded where it is made anew, not before
            return join([getattr(view, stage) for view in views], *first, **how)

        of = [note.joined[stage] for note in notes]
        return run.once(stage, joined, also=[of, *first], **options)

    shots = once("shots", join_shots)
    faces = once("faces", join_faces, frames)
    once("kept", join_faces, frames)
    return Found(
        shots,
        faces,
        once("tracks", join_tracks, frames, tracks),
        once("crops", join_crops, frames, tracks, progress=run.progress("crops")),
    )


def _looks(run: Run, notes: Sequence[EpisodeNote]) -> Looks:
    """Return what the report says of the pictures of all episodes, and of the time they took."""
    seconds = dict.fromkeys(FRONT, 0.0)
    for note in notes:
        stages = load_run(run.folder / note.folder).manifest.stages
        for stage in FRONT:
            seconds[stage] += stages[stage].seconds
    return Looks(
        max(note.width for note in notes),
        max(note.height for note in notes),
        tuple(f"{note.name}: {warning}" for note in notes for warning in note.warnings),
        seconds,
    )
