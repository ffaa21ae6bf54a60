"""The recipe: a film walks through the rooms once, from its shots to its people."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.distance import RULES
from videoclusternet.config import (
    Config,
    DetectConfig,
    Device,
    FinetuneConfig,
    ShotsConfig,
    load_config,
)
from videoclusternet.errors import UsageError
from videoclusternet.faces.crops import cut_crops
from videoclusternet.faces.detect import detect_faces
from videoclusternet.faces.detectors import DetectorSpec, load_detector
from videoclusternet.faces.filter import filter_faces
from videoclusternet.facts import differences, versions, warnings_of
from videoclusternet.processors import usable_threads
from videoclusternet.records import Clusters, Crops, Faces, Progress, Shots, Tracks
from videoclusternet.resources import check_resources
from videoclusternet.results.charts import lessons_of
from videoclusternet.results.people import People, list_people
from videoclusternet.results.report import RunFacts, render_report
from videoclusternet.review.log import Log
from videoclusternet.review.rerun import follow, said_of, verdict_of
from videoclusternet.run_view import RunView
from videoclusternet.said import Verdict
from videoclusternet.scenes.links import link_tracks
from videoclusternet.stages import STAGES
from videoclusternet.task import Task
from videoclusternet.tracks.tracker import track_faces
from videoclusternet.video.apart import open_apart
from videoclusternet.video.shots import detect_shots
from videoclusternet.video.stream import Video
from videoclusternet.weights.choice import WeightsFile
from videoclusternet.workspace import Run, StageProgress, default_folder, unwatched

log = logging.getLogger(__name__)

Film = str | os.PathLike[str]

SHOWN = ("facts", "people", "report")  # stages that only tell what others found


def cluster_video(
    film: Film,
    out: Film | None = None,
    preset: str = "standard",
    settings: Iterable[str] = (),
    *,
    device: Device = "auto",
    seed: int | None = None,
    progress: StageProgress = unwatched,
) -> People:
    """Tell who is in a film and when. `process_film` has the arguments and errors."""
    return process_film(
        film, out, preset, settings, device=device, seed=seed, progress=progress
    ).people


def process_film(
    film: Film,
    out: Film | None = None,
    preset: str = "standard",
    settings: Iterable[str] = (),
    *,
    device: Device = "auto",
    seed: int | None = None,
    until: str | None = None,
    redo: str | None = None,
    progress: StageProgress = unwatched,
) -> RunView:
    """Take a film through all stages, or up to the stage `until`, and return the run.

    `out` is the run folder (by default one in `runs/`, called after the film); a run that was
    interrupted or whose settings changed goes on from what still holds. `preset` and `settings`
    are those of `load_config`; `seed` overrides theirs. `redo` names a stage to do again in any
    case. Raises UsageError, InputError, WeightsError, ResourceError or BusyError.
    """
    if seed is not None:
        settings = [*settings, f"seed={seed}"]
    config = load_config(preset, settings)
    _check_stages(until, redo)
    film = Path(film)
    video = open_apart(film)
    task = Task.of(config, preset, device)
    folder = Path(out) if out is not None else default_folder(film)
    check_resources(folder, video.info, task.networks.backbone[0], config)
    with (
        Run.open(folder, film, config, redo=redo, progress=progress) as run,
        closing(_recipe(run, video, task)) as recipe,
    ):
        for stage in recipe:
            if stage == until:
                break
    return RunView(folder, run.manifest)


def _check_stages(until: str | None, redo: str | None) -> None:
    names = list(STAGES)
    for stage in (until, redo):
        if stage not in (None, *names):
            raise UsageError(f"There is no stage '{stage}': use one of {', '.join(names)}.")
    if until and redo and names.index(redo) > names.index(until):
        raise UsageError(
            f"The stage '{redo}' comes after '{until}': name a later one with --until."
        )


class Found(NamedTuple):
    """Who is seen where: all that is found out before anybody asks who is who."""

    shots: Shots
    faces: Faces
    tracks: Tracks
    crops: Crops


class Looks(NamedTuple):
    """What the report says of the pictures that a run has looked at."""

    width: int  # of the upright picture, pixels
    height: int
    warnings: tuple[str, ...]  # what its reader must know, a sentence each
    seconds: Mapping[str, float] = {}  # by stage, that were spent elsewhere than in this run


def _recipe(run: Run, video: Video, task: Task) -> Generator[str]:
    """Do one stage after the other and yield the name of each when it is done."""
    found = yield from find_tracks(run, video, task)
    warnings = warnings_of(video, found.shots, found.faces)
    yield from find_people(run, found, task, Looks(video.info.width, video.info.height, warnings))


def find_tracks(run: Run, video: Video, task: Task) -> Generator[str, None, Found]:
    """Do the stages that look at the film, yield the name of each, and return what they found."""
    config, networks = task.config, task.networks
    shots = run.once(
        "shots", _find_shots, video, config.shots,
        also=networks.cuts and networks.cuts.sha256, progress=run.progress("shots"),
    )  # fmt: skip
    yield "shots"
    faces = run.once(
        "faces", _find_faces, video, shots, *networks.detector, config.detect,
        progress=run.progress("faces"),
    )  # fmt: skip
    yield "faces"
    kept = run.once("kept", filter_faces, faces, config.filter)
    yield "kept"
    tracks = run.once("tracks", track_faces, kept, shots, config.tracks)
    yield "tracks"
    feed = networks.backbone[0].feed
    crops = run.once(
        "crops", cut_crops, video, tracks, feed, config.crops, config.filter,
        progress=run.progress("crops"),
    )  # fmt: skip
    yield "crops"
    return Found(shots, faces, tracks, crops)


def find_people(run: Run, found: Found, task: Task, looks: Looks) -> Generator[str]:
    """Do the stages that tell who is who, and yield the name of each."""
    shots, faces, tracks, crops = found
    config, (spec, weights) = task.config, task.networks.backbone
    manifest = run.manifest
    # Only now, because torch takes seconds to import, and an unreadable film should say so at once.
    from videoclusternet.clustering.signature import sign_tracks, signing
    from videoclusternet.finetune.train import finetune_model
    from videoclusternet.models.device import enough_memory, or_on_cpu, resolve_device, threads

    links = run.once("links", link_tracks, tracks, shots, faces)
    yield "links"
    review, steady = Log(run.folder), manifest.steady(tracks)
    said = said_of(review, steady)
    place, count = resolve_device(task.device), usable_threads()
    with threads(count), enough_memory():
        model = run.once(
            "model", or_on_cpu(finetune_model, attrgetter("events")), crops, spec, weights,
            tuning(config), links=links, seed=config.seed, device=place, also=count, told=said,
            progress=run.progress("model"),
        )  # fmt: skip
        yield "model"
        signatures = run.once(
            "signatures", or_on_cpu(sign_tracks), crops, model, signing(config.cluster),
            seed=config.seed, device=place, also=count, progress=run.progress("signatures"),
        )  # fmt: skip
        yield "signatures"
    clusters = run.once(
        "clusters", cluster_tracks, signatures, tracks, config.cluster, links, told=said
    )
    for lost in follow(review, clusters, steady, crops):
        log.warning("%s", lost)
    yield "clusters"
    facts = run.once(
        "facts",
        _as_they_are,
        RunFacts(
            film=manifest.film.name,
            width=looks.width,
            height=looks.height,
            date=manifest.stages["clusters"].finished,
            preset=task.preset,
            seed=config.seed,
            device=f"{place}, threads: {count}",
            faces=len(faces),
            seconds={
                name: round(note.seconds + looks.seconds.get(name, 0.0), 3)
                for name, note in manifest.stages.items()
                if name not in SHOWN
            },
            settings=differences(config),
            versions=versions(),
            lessons=lessons_of(model.log),
            pictures=config.pictures,
            events=tuple(model.events),
            warnings=looks.warnings,
        ),
    )
    yield "facts"
    yield from show(run, clusters, found, facts, verdict_of(review, tracks.count))


def tuning(config: Config) -> FinetuneConfig:
    """Return how to tune: a rule that compares by the loss has nothing to go by without a head."""
    by_loss = RULES[config.cluster.rule].distance == "loss"
    return config.finetune.model_copy(update={"when": "always"} if by_loss else {})


def _as_they_are(facts: RunFacts) -> RunFacts:
    return facts


def show(
    run: Run, clusters: Clusters, found: Found, facts: RunFacts, verdict: Verdict | None
) -> Generator[str]:
    """Do the stages that tell people and programs of the result, as a verdict has it."""
    shots, _, tracks, crops = found
    people = run.once("people", list_people, clusters, tracks, crops, shots, verdict)
    yield "people"
    run.once("report", render_report, people, crops, shots, clusters, facts, verdict)
    yield "report"


def _find_shots(video: Video, config: ShotsConfig, progress: Progress) -> Shots:
    """Tell of damage, too, which only the decoder sees."""
    shots = detect_shots(video, config, progress)
    if video.damaged:
        places = f"{video.damaged:,}"
        log.warning("Damaged places in the film: %s; who is seen only there is missed.", places)
    return shots


def _find_faces(
    video: Video,
    shots: Shots,
    detector: DetectorSpec,
    weights: WeightsFile,
    config: DetectConfig,
    progress: Progress,
) -> Faces:
    """Load the detector only where it has something to do."""
    return detect_faces(video, shots, load_detector(detector, weights), config, progress)
