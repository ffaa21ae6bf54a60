from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import videoclusternet as vcn
from benchmarks.__main__ import main
from benchmarks.drawn_faces import NETWORKS, Film, background, draw, join, spread
from benchmarks.drawn_season import (
    best_on_others,
    group,
    measure_seasons,
    names_of,
    rows_of,
    try_series,
)
from benchmarks.scenes import read_episode
from tests.benchmarks.test_scenes import face_track, write_episode
from videoclusternet.records import THREAD, TOGETHER, Links

CAST = ("ada", "bob", "cy", "dot", "eve", "flo")


def a_film(name="one", tracks=90):
    """Shots of two people each, one set-up after the other; every tenth track is an extra's."""
    number = np.arange(tracks)
    extra = number % 10 == 9
    person = [f"{name}: {n // 30}" if extra[n] else CAST[n * 7 % 6] for n in number]
    even = number[: tracks // 2 * 2 : 2]
    again = number[: tracks - 18]
    again = again[[person[n] == person[n + 18] for n in again]]
    kind = np.repeat([THREAD, TOGETHER], [len(again), len(even)])
    links = Links(np.append(again, even), np.append(again + 18, even + 1), kind)
    return Film(
        name, np.array(person), ~extra, np.zeros(tracks, np.int64), number // 2, number % 18,
        10 + number * 37 % 90, links,
    )  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
@pytest.mark.parametrize("seed", range(3))
def test_the_measured_medians_are_met(network, seed):
    season = join("season", [a_film("one"), a_film("two")])
    unit = draw(season, network, seed)
    assert unit.shape == (180, network.width)
    assert np.linalg.norm(unit, axis=1) == pytest.approx(1)
    strangers, same, nearest, farthest = np.median(spread(season, np.arange(180), unit), axis=0)
    assert strangers == pytest.approx(network.strangers, rel=0.02)
    assert same == pytest.approx(network.same, rel=0.02)
    assert nearest < strangers
    assert farthest > same


def test_the_same_seed_draws_the_same():
    film = a_film()
    once, again, other = (draw(film, NETWORKS[0], seed) for seed in (1, 1, 2))
    assert np.array_equal(once, again)
    assert not np.allclose(once, other)


def test_the_distance_of_pairs_is_told_by_what_they_are():
    film = replace(a_film(tracks=4), person=np.array(["ada", "bob", "ada", "ada"]))
    unit = np.array([[1.0, 0], [0, 1], [0.8, 0.6], [0.6, 0.8]])
    strangers, same, *_ = spread(film, np.arange(4), unit)[0]
    assert strangers == pytest.approx(0.4)  # of 1, .4 and .2
    assert same == pytest.approx(0.3)  # .2 and .4: the last two are of one shot
    assert len(spread(film, np.arange(2), unit[:2])) == 0  # nobody twice


def test_a_season_keeps_its_episodes_apart():
    parts = [a_film("one", 40), a_film("two", 30), a_film("three", 50)]
    season = join("season", parts)
    assert [rows.tolist() for rows in season.episodes] == [
        [*range(40)], [*range(40, 70)], [*range(70, 120)],
    ]  # fmt: skip
    for column in ("shot", "setup"):
        sets = [set(getattr(season, column)[rows].tolist()) for rows in season.episodes]
        assert not sets[0] & sets[1] | sets[1] & sets[2] | sets[0] & sets[2]
    first, links = 0, []
    for part in parts:
        pairs = np.stack([part.links.left + first, part.links.right + first, part.links.kind], 1)
        links += pairs.tolist()
        first += len(part)
    held = season.links
    assert np.stack([held.left, held.right, held.kind], axis=1).tolist() == links
    extras = season.person[~season.named]
    assert {name.partition(":")[0] for name in extras} == {"one", "two", "three"}
    assert set(season.person[season.named]) == set(CAST)


def test_an_episode_tells_who_where_and_with_whom(tmp_path):
    tracks = [
        face_track("Ada", range(10), 0), face_track("unknown", range(10), 100),
        face_track("Ada", range(10, 20), 200), face_track("Ada", range(20, 34), 0),
        face_track("unknown", range(20, 30), 100), face_track("unknown", range(40, 50), 300),
    ]  # fmt: skip
    threads = np.zeros((6, 6))
    for one, other in ((0, 2), (0, 3), (1, 4)):  # Ada stands elsewhere in the second
        threads[[one, other], [other, one]] = 1
    write_episode(tmp_path, tracks, [10, 20, 35], threads)
    film = Film.of(read_episode(tmp_path / "one.facetracks.mat"))
    assert film.person.tolist() == ["ada", "one: 0", "ada", "ada", "one: 0", "one: 0"]
    assert film.named.tolist() == [True, False, True, True, False, False]
    assert film.shot.tolist() == [0, 0, 1, 2, 2, 3]
    assert film.frames.tolist() == [10, 10, 10, 14, 10, 10]
    assert film.setup[0] == film.setup[2] == film.setup[3] != film.setup[1] == film.setup[4]
    held = {*zip(*(x.tolist() for x in film.links.columns().values()), strict=True)}
    assert held == {(0, 3, THREAD), (1, 4, THREAD), (0, 1, TOGETHER), (3, 4, TOGETHER)}


def test_whom_nobody_names_is_as_few_people_as_can_be():
    spans = np.array([[0, 9], [5, 20], [10, 12], [21, 30], [22, 30], [2000, 2009], [0, 9]])
    unnamed = np.array([True] * 6 + [False])
    assert background(spans, np.arange(7), unnamed).tolist() == [0, 1, 0, 1, 0, 2, -1]
    setup = np.array([0, 1, 2, 3, 4, 0, 6])  # the first one comes back, and is there all the time
    assert background(spans, setup, unnamed).tolist() == [0, 1, 2, 1, 2, 0, -1]


def test_links_outweigh_how_far_tracks_lie_apart():
    film = a_film(tracks=4)
    unit = np.array([[1, 0, 0, 0], [0.24, 0.97, 0, 0], [0, 0, 1, 0], [0, 0, 0.6, 0.8]])
    pairs = np.array([0, 2]), np.array([1, 3])
    for kinds, label in (
        ([], [0, 1, 2, 2]),
        ([THREAD], [0, 0, 1, 1]),
        ([THREAD, TOGETHER], [0, 0, 1, 2]),
    ):
        links = Links(pairs[0][: len(kinds)], pairs[1][: len(kinds)], np.array(kinds, np.int64))
        assert group(replace(film, links=links), unit, 0.9).tolist() == label


def test_a_protocol_leaves_names_out():
    film = a_film(tracks=20)
    assert names_of(film, "all") == film.person.tolist()
    assert [n for n, name in enumerate(names_of(film, "named")) if name is None] == [9, 19]


def test_the_threshold_is_the_best_one_of_others():
    line = np.array([0.0, 0.05, 1.2, 1.25])

    def drawn(name, wide):
        film = replace(a_film(name, 4), person=np.array(["ada", "ada", "bob", "bob"]))
        return film, np.stack([np.cos(line * wide), np.sin(line * wide)], axis=1)

    films = {"near": drawn("near", 0.2), "far": drawn("far", 1.0)}
    told = best_on_others(films)["named"]
    assert told["far"] < 1 - np.cos(0.25)  # the two of 'near' lie so far apart
    assert told["near"] >= 1 - np.cos(0.05)
    assert told["season"] >= 1 - np.cos(0.05)  # suits both
    assert told["season"] < 1 - np.cos(0.25)


def test_a_series_is_grouped_alone_and_as_a_season():
    parts = [a_film("one"), a_film("two")]
    trials = [try_series("tv", parts, NETWORKS[0], seed) for seed in (0, 0)]
    assert trials[0].found == trials[1].found
    assert trials[0].films("episode") == ["one", "two"]
    rows = {row.name: row for row in rows_of(trials)}
    assert rows["tv.dlib.season.all.ours.f1.spread"].value == 0
    assert rows["tv.dlib.drawn.strangers"].holds
    assert rows["tv.dlib.drawn.same"].goal == "0.038 to 0.042"
    for protocol in ("named", "all"):
        for way in ("usual", "ours"):
            each = [rows[f"tv.dlib.{film}.{protocol}.{way}.f1"].value for film in ("one", "two")]
            mean = rows[f"tv.dlib.episode.{protocol}.{way}.f1"].value
            assert mean == pytest.approx(np.mean(each), abs=1e-4)
    ours, usual = (rows[f"tv.dlib.season.named.{way}.f1"].value for way in ("ours", "usual"))
    assert rows["tv.dlib.season.named.gain"].value == pytest.approx(ours - usual, abs=2e-4)


def test_the_command_writes_what_it_found(tmp_path, capsys):
    people = ["Ada", "Bob", "Cy"]
    tracks = [
        face_track(people[(shot + side) % 3], range(10 * shot, 10 * shot + 9), 100 * side)
        for shot in range(12)
        for side in (0, 1)
    ]
    for episode in ("tv_1", "tv_2"):
        write_episode(tmp_path, tracks, range(10, 120, 10), np.zeros((24, 24)))
        for path in tmp_path.glob("one.*"):
            path.rename(path.with_name(path.name.replace("one", episode, 1)))
    out = tmp_path / "found.json"
    assert main(["drawn-season", str(tmp_path), "--seeds", "0", "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["seeds"] == [0]
    names = {row["name"] for row in found["rows"]}
    assert {"tv.dlib.season.all.gain", "tv.edgeface.tv_2.named.ours.f1"} <= names
    assert capsys.readouterr().out.count("| tv.") == 8


def test_no_series_is_told(tmp_path):
    with pytest.raises(vcn.InputError, match="no face tracks"):
        next(measure_seasons(tmp_path, [0]))
