"""The charts of the report: each number of the film is where it is drawn."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.results.small_film import clusters_of, small_film
from videoclusternet.records import SAID
from videoclusternet.results.charts import (
    BINS,
    CIRCLE,
    MEANS,
    POINTS,
    RADIUS,
    circle,
    lessons_of,
    loss_curve,
    merge_scatter,
    quality_histogram,
    screen_bars,
    stage_bars,
)
from videoclusternet.results.together import count_pairs

FILM = small_film(
    [(0, 0, 99), (1, 50, 149), (2, 120, 129), (3, 300, 309), (-1, 310, 320)], stops=[200, 400]
)


def test_bars_are_as_long_as_their_value() -> None:
    people = list(FILM.people)
    bars = screen_bars(people, {person.label: 10.0 + person.label for person in people})
    assert [bar.name for bar in bars] == [person.name for person in people]
    expected = [100 * person.seconds / people[0].seconds for person in people]
    assert [bar.part for bar in bars] == pytest.approx(expected)
    assert bars[0].text.endswith(f"{10 + people[0].label} %")
    assert [bar.part for bar in stage_bars({"a": 5.0, "b": 20.0})] == [25, 100]
    assert [bar.part for bar in stage_bars({"a": 0.0})] == [0]


def test_the_circle_holds_those_who_meet() -> None:
    people = FILM.people
    nodes, edges = circle(list(people), count_pairs(people))
    assert {node.name for node in nodes} == {"Person 1", "Person 2", "Person 3"}
    assert [math.hypot(node.x, node.y) for node in nodes] == pytest.approx([RADIUS] * 3, abs=0.1)
    area = {node.name: (node.radius - 3) ** 2 for node in nodes}
    seconds = {person.name: person.seconds for person in people}
    assert area["Person 3"] / area["Person 1"] == pytest.approx(
        seconds["Person 3"] / seconds["Person 1"], abs=0.02
    )
    told = [re.match(r"(.+) with (.+):", edge.text) for edge in edges]
    assert {(one[1], one[2]) for one in told if one} == {
        ("Person 1", "Person 2"), ("Person 2", "Person 3"),
    } or len(edges) == 2  # fmt: skip
    assert edges[0].width > edges[1].width  # the longest time together comes first
    place = {(node.x, node.y): node.name for node in nodes}
    for edge in edges:
        x1, y1, _, _, x2, y2 = map(float, re.findall(r"-?[\d.]+", edge.path))
        assert f"{place[x1, y1]} with {place[x2, y2]}:" in edge.text


def test_a_crowd_is_cut_to_who_can_be_read() -> None:
    film = small_film([(n, 0, 30 + n) for n in range(CIRCLE + 9)], stops=[100])
    people = [replace(person, name="N" * 60 + str(person.number)) for person in film.people]
    pairs = count_pairs(replace(film.people, people=tuple(people)))
    nodes, edges = circle(people, pairs)
    assert len(nodes) == CIRCLE
    assert len(edges) == CIRCLE * (CIRCLE - 1) // 2
    assert max(len(node.name) for node in nodes) == 22
    assert circle([], []) == ([], [])
    assert circle(people, []) == ([], [])  # nobody meets anybody


def test_every_track_with_a_quality_is_counted() -> None:
    clusters = clusters_of(np.array([0] * 30 + [-1] * 10 + [1]))
    quality = np.linspace(0.2, 0.8, 41).astype(np.float32)
    quality[5] = np.nan
    histogram = quality_histogram(replace(clusters, quality=quality))
    assert histogram is not None
    assert len(histogram.columns) == BINS
    people = sum(column[1] for column in histogram.columns) * histogram.most
    nobody = sum(column[2] for column in histogram.columns) * histogram.most
    assert (round(people), round(nobody)) == (30, 10)
    assert (histogram.low, histogram.high) == pytest.approx((0.2, 0.8))
    alike = quality_histogram(replace(clusters, quality=np.full(41, 0.5, np.float32)))
    assert alike is not None
    assert alike.most == 41
    assert quality_histogram(replace(clusters, quality=np.full(41, np.nan, np.float32))) is None


def test_merges_lie_under_their_limit_or_over_it() -> None:
    rows = [(1, 0, 1, 1.0, 2.0, 1.5), (1, 0, 2, 3.0, 2.0, 2.5), (SAID, 0, 3, np.nan, 1.0, 1.0)]
    scatter = merge_scatter(clusters_of(np.zeros(4, int), rows))
    assert scatter is not None
    assert (scatter.count, scatter.below, scatter.most) == (2, 1, 3.0)
    np.testing.assert_allclose(scatter.points, [(2 / 3, 1 / 3), (2.5 / 3, 1)], atol=1e-4)
    assert merge_scatter(clusters_of(np.zeros(4, int))) is None
    many = [(1, 0, 1, n / 1e4, 2.0, 1.5) for n in range(5 * POINTS)]
    thinned = merge_scatter(clusters_of(np.zeros(4, int), many))
    assert thinned is not None
    assert (len(thinned.points), thinned.count) == (POINTS, 5 * POINTS)


def steps(stage: str, losses: list[float]) -> list[dict[str, object]]:
    return [{"stage": stage, "step": n, "loss": loss} for n, loss in enumerate(losses)]


def test_a_training_is_summed_up_by_its_stages() -> None:
    log = [
        {"stage": "matching", "round": 0, "matches": 12}, *steps("head", [4.0, 2.0] * 100),
        {"stage": "matching", "round": 2, "matches": 20}, *steps("round 2", [1.0, 0.5]),
    ]  # fmt: skip
    head, second = lessons_of(log)
    assert (head.name, head.matches, head.steps, len(head.losses)) == ("head", 12, 200, MEANS)
    assert np.mean(head.losses) == pytest.approx(3.0, abs=0.1)
    assert (second.name, second.matches, second.losses) == ("round 2", 20, (1.0, 0.5))
    curve = loss_curve([head, second])
    assert curve is not None
    assert curve.most == max(head.losses)
    (_, first, _), (_, begin, points) = curve.lines
    assert (first, begin) == (0, 200 / 202)
    assert points.split()[0] == f"{1000 * 200.5 / 202:.1f},{1000 * (1 - 1 / curve.most):.1f}"
    assert lessons_of([]) == ()
    assert loss_curve([]) is None


def test_what_was_measured_between_rounds_is_no_lesson():
    rows = [{"stage": "round 1", "loss": 1.0}, {"stage": "held out", "round": 1, "separation": 2.0}]
    assert [lesson.name for lesson in lessons_of(rows)] == ["round 1"]
