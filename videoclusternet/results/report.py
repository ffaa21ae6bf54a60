"""The page to show: one HTML file with everybody's faces, times and reasons, that asks no network.

It has no script, and its content security policy refuses any; every name is escaped by jinja2.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from videoclusternet.records import Clusters, Crops, Shots
from videoclusternet.results import charts
from videoclusternet.results.charts import Lesson
from videoclusternet.results.drawing import WIDTH, Timeline, extras, small_face, templates
from videoclusternet.results.people import People, Person, spell, timecode
from videoclusternet.results.reviewed import reviewed
from videoclusternet.results.together import count_pairs
from videoclusternet.said import Verdict

PICTURES = 900  # in the whole page, which keeps it under 5 MB
APPEARANCES = 60  # listed for a person; people.csv has all
MERGES = 40  # listed for a person, the most doubtful first
PAIRS = 60  # listed of people who are seen together
ZOOMS = (1, 4, 16)  # of the timeline; report.css has a rule for each
DOUBTED = 12  # people named at the top whom something is worth a look of
DOUBTS = 4  # shown for a person, two groups first; people.json has all


@dataclass(frozen=True)
class RunFacts:
    """What the report says of the run itself."""

    film: str  # file name
    width: int  # of the upright picture, pixels
    height: int
    date: datetime
    preset: str
    seed: int
    device: str
    faces: int  # found by the detector
    seconds: Mapping[str, float] = field(default_factory=dict)  # of each stage, in order
    settings: Mapping[str, object] = field(default_factory=dict)  # those that differ from defaults
    versions: Mapping[str, str] = field(default_factory=dict)
    lessons: tuple[Lesson, ...] = ()  # how the training went
    pictures: bool = True  # whether the page shows faces
    events: tuple[str, ...] = ()  # what happened in training, a sentence each
    warnings: tuple[str, ...] = ()  # what the reader must know, a sentence each


@dataclass(frozen=True)
class Merge:
    """One row of "why together": two groups of tracks, when they start, and what joined them."""

    round: int
    left: str
    right: str
    loss: float
    left_limit: float
    right_limit: float

    @property
    def margin(self) -> float:
        """How far the loss stayed below the limit that let it pass."""
        return max(self.left_limit, self.right_limit) - self.loss


def render_report(
    people: People,
    crops: Crops,
    shots: Shots,
    clusters: Clusters,
    facts: RunFacts,
    verdict: Verdict | None = None,
) -> str:
    """Return the page as HTML text.

    Shown large are all but those who appear once and briefly, or are ignored. The page grows
    with the number of people and stays under 5 MB for a feature film with a hundred of them.
    """
    if verdict is not None:
        clusters, _ = reviewed(clusters, verdict)
    small = extras(people)
    brief = [p for p in people if p.ignored or p.number in small]
    main = [p for p in people if p not in brief]
    in_doubt = 2 * sum(len(person.doubts[:DOUBTS]) for person in people)  # pictures
    faces_each = max(1, (PICTURES - len(brief) - in_doubt) // max(1, len(main)))
    film = _Film(people, crops, shots)
    return (
        templates("videoclusternet.results")
        .get_template("report.html.j2")
        .render(
            people=people,
            main=main,
            brief=brief,
            film=film,
            facts=facts,
            faces_each=faces_each,
            appearances_listed=APPEARANCES,
            merges=_merges(clusters, film),
            merges_listed=MERGES,
            threshold=clusters.film_threshold,
            doubted=[person for person in people if person.doubts],
            doubted_named=DOUBTED,
            doubts_listed=DOUBTS,
            counts={
                "Shots": f"{people.shots:,}",
                "Faces": f"{facts.faces:,}",
                "Tracks": f"{len(clusters):,}",
                "Crops": f"{len(crops):,}",
            },
            spent=spell(sum(facts.seconds.values())),
            zooms=ZOOMS,
            pairs_listed=PAIRS,
            charts=_charts(people, main, clusters, facts, film),
            uncropped=sum(crops.counts[track] == 0 for track in people.unknown.tracks),
        )
    )


def _charts(
    people: People, main: list[Person], clusters: Clusters, facts: RunFacts, film: _Film
) -> dict[str, Any]:
    """Return what the charts of the page are drawn from, by the macro that draws it."""
    pairs = count_pairs(people)
    return {
        "screen": charts.screen_bars(main, {p.label: film.share(p) for p in main}),
        "stages": charts.stage_bars(facts.seconds),
        "graph": (*charts.circle(main, pairs), pairs),
        "losses": charts.loss_curve(facts.lessons),
        "qualities": charts.quality_histogram(clusters),
        "merged": charts.merge_scatter(clusters),
    }


class _Film(Timeline):
    """Turns rows and seconds into what the template can put on the page."""

    def __init__(self, people: People, crops: Crops, shots: Shots) -> None:
        super().__init__(people.duration, float(shots.times[0]) if shots.frames else 0.0)
        self.crops = crops
        self.shots = shots

    def bands(self) -> str:
        """Return the outline of every second shot on the timeline, as an SVG path."""
        scale = WIDTH / self.duration
        first, stop = (
            ((self.shots.times[frames] - self.origin) * scale).round(1).tolist()
            for frames in (self.shots.first[1::2], self.shots.stop[1::2])
        )
        return "".join(f"M{a} 0H{b}V10H{a}Z" for a, b in zip(first, stop, strict=True))

    def picture(self, row: int) -> str:
        """Return a crop as a data URI."""
        data = base64.b64encode(small_face(self.crops.images[row])).decode("ascii")
        return f"data:image/jpeg;base64,{data}"

    def moment(self, row: int) -> float:
        """Return when a crop was taken, seconds."""
        return float(self.shots.times[self.crops.frame[row]])

    def face_of(self, tracks: tuple[int, ...]) -> int:
        """Return the most frontal crop of these tracks."""
        rows = np.flatnonzero(np.isin(self.crops.track, tracks))
        return int(rows[np.argmax(self.crops.frontal[rows])])

    def moment_of_track(self, track: int) -> float:
        """Return when the first crop of a track was taken, seconds."""
        return self.moment(int(np.searchsorted(self.crops.track, track)))


def _merges(clusters: Clusters, film: _Film) -> dict[int, list[Merge]]:
    """Return the merges that made each person, by label, the most doubtful first."""
    of: dict[int, list[Merge]] = {}
    for left, right, *numbers in zip(
        clusters.left.tolist(), clusters.right.tolist(), clusters.round.tolist(),
        clusters.loss.tolist(), clusters.left_limit.tolist(), clusters.right_limit.tolist(),
        strict=True,
    ):  # fmt: skip
        name_left, name_right = (
            f"track {track} at {timecode(film.moment_of_track(track), decimals=0)}"
            for track in (left, right)
        )
        merge = Merge(numbers[0], name_left, name_right, *numbers[1:])
        of.setdefault(int(clusters.label[left]), []).append(merge)
    for merges in of.values():
        merges.sort(key=lambda merge: merge.margin)
    return of
