"""What a season has found out, handed back to its episodes: who is who, by the season's names."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from videoclusternet.manifest import MANIFEST, EpisodeNote, Manifest
from videoclusternet.pipeline import Found, show
from videoclusternet.records import UNKNOWN, Clusters
from videoclusternet.results.people import People
from videoclusternet.results.remaining import clusters_among
from videoclusternet.results.report import RunFacts
from videoclusternet.review.log import Log
from videoclusternet.review.rerun import verdict_of
from videoclusternet.run_view import RunView
from videoclusternet.said import Verdict
from videoclusternet.workspace import Run, StageProgress, unwatched

log = logging.getLogger(__name__)

Given = TypeVar("Given")

FRONT = ("shots", "faces", "kept", "tracks", "crops")  # an episode's own stages


class Season(NamedTuple):
    """What a season tells its episodes, the last word where it was reviewed."""

    clusters: Clusters
    people: People
    facts: RunFacts


def show_again(folder: Path) -> None:
    """Write people, tables and report of a run anew, if a review changed who is who.

    Those of a season's episodes follow. Raises BusyError where another process works in the
    folder, InputError where it holds no run, UsageError where it is an episode's.
    """
    with Run.reopen(folder) as run:
        run.manifest.refuse_episode(folder, "review")
        clusters, facts = run.kept("clusters"), run.kept("facts")
        found = found_of(run)
        for _ in show(run, clusters, found, facts, verdict_of(Log(folder), found.tracks.count)):
            pass
        share(run)


def found_of(run: Run) -> Found:
    """Return what the stages of a run have found that look at the film."""
    return Found(*(run.kept(stage) for stage in ("shots", "faces", "tracks", "crops")))


def share(run: Run, progress: StageProgress = unwatched) -> None:
    """Give the episodes of a season their clusters, facts, people and report.

    Who is who, the numbers and the names are those of the season, after a review of it too; who is
    not in an episode is not told of there. `progress` is told of them as one stage, "episodes".
    A film has none.
    """
    if not run.manifest.episodes:
        return
    view = RunView(run.folder, run.manifest)
    season = Season(view.last_word, view.people, view.facts)
    count = len(run.manifest.episodes)
    for done, note in enumerate(run.manifest.episodes):
        folder = run.folder / note.folder
        if not is_joined(folder, note):
            log.warning(
                "%s is not what the season was made of any more: run the season again.", folder
            )
            continue

        def told(stage: str, step: int, steps: int, done: int = done) -> None:
            if step < steps:
                progress("episodes", done, count)

        with Run.reopen(folder, told) as episode:
            _share_with(episode, note, season)
    progress("episodes", count, count)


def is_joined(folder: Path, note: EpisodeNote) -> bool:
    """Tell whether an episode's run is there, and as it was when the season was joined."""
    if not (folder / MANIFEST).is_file():
        return False
    return digests_of(Manifest.load(folder)) == note.joined


def digests_of(manifest: Manifest) -> dict[str, str]:
    """Return what stands for the results of an episode that its season is made of, by stage."""
    return {name: manifest.stages[name].digest for name in FRONT if name in manifest.stages}


def _share_with(episode: Run, note: EpisodeNote, season: Season) -> None:
    """Do the last stages of an episode."""
    track = np.arange(len(season.clusters))
    mine = (track >= note.first_track) & (track < note.first_track + note.tracks)
    part = clusters_among(season.clusters, mine)
    clusters: Clusters = episode.once("clusters", partial(_as_it_is, part), also=part.digest())
    facts = episode.once("facts", _as_it_is, _facts_of(episode, note, season.facts))
    for _ in show(episode, clusters, found_of(episode), facts, verdict_for(note, season.people)):
        pass


def _as_it_is(given: Given) -> Given:
    return given


def _facts_of(episode: Run, note: EpisodeNote, facts: RunFacts) -> RunFacts:
    """Return what an episode's report says of its making: how the season was tuned, and when."""
    stages = episode.manifest.stages
    seconds = {name: one.seconds for name, one in stages.items() if name in FRONT}
    return replace(
        facts, film=note.name, width=note.width, height=note.height, faces=note.faces,
        seconds=seconds, warnings=note.warnings,
    )  # fmt: skip


def verdict_for(note: EpisodeNote, people: People) -> Verdict | None:
    """Return who is who in an episode by the people of its season; None where it has no track."""
    if not note.tracks:
        return None
    person = np.full(note.tracks, UNKNOWN)
    here = {}
    for one in people:
        mine = np.array(one.tracks, np.int64) - note.first_track
        mine = mine[(mine >= 0) & (mine < note.tracks)]
        if len(mine):
            person[mine] = one.number
            here[one.number] = one
    named = [here[number] for number in sorted(here)]
    return Verdict(
        person=person,
        number=np.array([one.number for one in named], np.int64),
        name=np.array([one.given for one in named], np.str_),
        ignored=np.array([one.ignored for one in named], np.bool_),
    )
