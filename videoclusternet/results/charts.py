"""What the report draws besides faces: the geometry of its charts, in units of their pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from videoclusternet.records import Array, Clusters
from videoclusternet.results.people import Person, spell
from videoclusternet.results.together import Pair

BINS = 25  # of a histogram
POINTS = 800  # drawn of many merges, evenly from the first to the last
MEANS = 60  # that the losses of a stage are summed up in
CIRCLE = 16  # people in the graph; more cannot be read
RADIUS = 100  # of the circle, units
LONGEST_NAME = 22  # characters beside a node


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart."""

    name: str
    text: str  # the value as it is said
    part: float  # of the longest bar, percent
    link: str = ""


@dataclass(frozen=True)
class Node:
    """A person on the circle."""

    name: str  # as there is room for it
    full: str
    x: float
    y: float
    radius: float
    anchor: str  # of the name: start, middle or end
    label_x: float
    label_y: float


@dataclass(frozen=True)
class Edge:
    """Two people who are seen together: a curve between their nodes."""

    path: str
    width: float
    text: str


@dataclass(frozen=True)
class Lesson:
    """A stage of the training: how its loss went."""

    name: str
    matches: int  # of tracks, that it began with
    steps: int
    losses: tuple[float, ...]  # means of equal parts of the steps


def screen_bars(people: Sequence[Person], share: Mapping[int, float]) -> list[Bar]:
    """Return a bar of screen time for each person; `share` is percent of the film, by label."""
    most = max((person.seconds for person in people), default=0.0) or 1.0
    return [
        Bar(
            p.name, f"{spell(p.seconds)}, {share[p.label]:.0f} %", 100 * p.seconds / most,
            f"#person-{p.label}",
        )
        for p in people
    ]  # fmt: skip


def stage_bars(seconds: Mapping[str, float]) -> list[Bar]:
    """Return a bar of time for each stage of the run."""
    most = max(seconds.values(), default=0.0) or 1.0
    return [Bar(stage, spell(took), 100 * took / most) for stage, took in seconds.items()]


def circle(people: Sequence[Person], pairs: Sequence[Pair]) -> tuple[list[Node], list[Edge]]:
    """Place those who are seen with somebody on a circle, the most seen first, and join them.

    Nodes grow with screen time (their area), edges with the time together.
    """
    together = {name for pair in pairs for name in (pair.left, pair.right)}
    placed = [person for person in people if person.name in together][:CIRCLE]
    most = max((person.seconds for person in placed), default=0.0) or 1.0
    nodes = {}
    for n, person in enumerate(placed):
        angle = 2 * math.pi * n / len(placed) - math.pi / 2
        x, y = math.cos(angle), math.sin(angle)
        short = person.name[: LONGEST_NAME - 1] + "…"
        nodes[person.name] = Node(
            name=person.name if len(person.name) <= LONGEST_NAME else short,
            full=f"{person.name}: {spell(person.seconds)}",
            x=round(RADIUS * x, 1),
            y=round(RADIUS * y, 1),
            radius=round(3 + 9 * math.sqrt(person.seconds / most), 1),
            anchor="middle" if abs(x) < 0.1 else "start" if x > 0 else "end",
            label_x=round((RADIUS + 17) * x, 1),
            label_y=round((RADIUS + 17) * y + 4, 1),
        )
    joined = [pair for pair in pairs if {pair.left, pair.right} <= nodes.keys()]
    longest = max((pair.seconds for pair in joined), default=0.0) or 1.0
    edges = [
        Edge(
            path=_curve(nodes[pair.left], nodes[pair.right]),
            width=round(0.6 + 5.4 * pair.seconds / longest, 1),
            text=f"{pair.left} with {pair.right}: {spell(pair.seconds)}",
        )
        for pair in joined
    ]
    return list(nodes.values()), edges


def _curve(left: Node, right: Node) -> str:
    """Return a curve that bends towards the middle, so that neighbours are told apart."""
    x, y = (left.x + right.x) / 4, (left.y + right.y) / 4
    return f"M{left.x} {left.y}Q{x:.1f} {y:.1f} {right.x} {right.y}"


@dataclass(frozen=True)
class Histogram:
    """How many tracks have which quality, in `BINS` columns of a picture 1 wide and 1 high."""

    low: float
    high: float
    columns: tuple[tuple[float, float, float], ...]  # left, height of people, height of Unknown
    most: int


def quality_histogram(clusters: Clusters) -> Histogram | None:
    """Count the tracks by the quality of their crops; None where none has any."""
    there = ~np.isnan(clusters.quality)
    if not there.any():
        return None
    quality, known = clusters.quality[there], clusters.label[there] >= 0
    low, high = float(quality.min()), float(quality.max())
    edges = np.linspace(low, max(high, low + 1e-6), BINS + 1)
    people, nobody = (np.histogram(quality[which], edges)[0] for which in (known, ~known))
    most = int((people + nobody).max())
    heights = zip(people.tolist(), nobody.tolist(), strict=True)
    columns = tuple((n / BINS, a / most, b / most) for n, (a, b) in enumerate(heights))
    return Histogram(low, high, columns, most)


@dataclass(frozen=True)
class Scatter:
    """Merges: the larger limit of the two to the right, the loss upwards, each from 0 to 1."""

    most: float  # what 1 stands for
    points: tuple[tuple[float, float], ...]
    count: int
    below: int  # how many of all had a loss below the limit


def merge_scatter(clusters: Clusters) -> Scatter | None:
    """Place the merges that the program made; None where there was none."""
    made = clusters.round >= 0
    loss = clusters.loss[made]
    limit = np.maximum(clusters.left_limit[made], clusters.right_limit[made])
    finite = np.isfinite(loss) & np.isfinite(limit)
    if not finite.any():
        return None
    loss, limit = loss[finite], limit[finite]
    most = float(max(loss.max(), limit.max()))
    shown = np.unique(np.linspace(0, len(loss) - 1, min(len(loss), POINTS)).round().astype(int))
    points = np.stack([limit[shown], loss[shown]], axis=1) / most
    return Scatter(
        most, tuple(map(tuple, points.round(4).tolist())), len(loss), int((loss < limit).sum())
    )


@dataclass(frozen=True)
class Curve:
    """The losses of all lessons, one behind the other, in a picture 1 wide and 1 high."""

    most: float  # what 1 stands for
    lines: tuple[tuple[Lesson, float, str], ...]  # where it begins, and the points of its line


def loss_curve(lessons: Sequence[Lesson]) -> Curve | None:
    """Draw the losses; None where nothing was trained."""
    taught = [lesson for lesson in lessons if lesson.losses]
    if not taught:
        return None
    most = max(max(lesson.losses) for lesson in taught)
    steps, at = sum(lesson.steps for lesson in taught), 0
    lines = []
    for lesson in taught:
        wide = lesson.steps / steps
        places = at / steps + wide * (np.arange(len(lesson.losses)) + 0.5) / len(lesson.losses)
        points = " ".join(
            f"{1000 * x:.1f},{1000 * (1 - loss / most):.1f}"
            for x, loss in zip(places.tolist(), lesson.losses, strict=True)
        )
        lines.append((lesson, at / steps, points))
        at += lesson.steps
    return Curve(most, tuple(lines))


def lessons_of(log: Iterable[Mapping[str, Any]]) -> tuple[Lesson, ...]:
    """Sum the log of a training up, as `FaceModel.log` keeps it: rows of matchings and of steps."""
    lessons: list[Lesson] = []
    matches = 0
    for stage, rows in groupby(log, key=lambda row: row["stage"]):
        if stage == "held out":  # the events tell of it
            continue
        if stage == "matching":
            matches = [row["matches"] for row in rows][-1]
            continue
        losses = [row["loss"] for row in rows]
        parts: list[Array] = np.array_split(losses, min(MEANS, len(losses)))
        means = tuple(round(float(part.mean()), 4) for part in parts)
        lessons.append(Lesson(stage, matches, len(losses), means))
    return tuple(lessons)
