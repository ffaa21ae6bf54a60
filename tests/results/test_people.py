from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results.small_film import LOOK, Film, clusters_of, small_film
from tests.tracks.drawn import clip, faces_of, walk
from videoclusternet.config import CropsConfig, FilterConfig, TracksConfig
from videoclusternet.errors import InputError
from videoclusternet.faces.crops import choose_rows
from videoclusternet.faces.filter import filter_faces
from videoclusternet.records import SAME_TIME, TWO_GROUPS, Clusters, Crops, Shots, Tracks
from videoclusternet.results.doubts import Doubt
from videoclusternet.results.people import (
    FACES,
    Appearance,
    People,
    Person,
    appearances_csv,
    from_json,
    list_people,
    spell,
    timecode,
    to_json,
)
from videoclusternet.tracks.tracker import track_faces


def spans(person: Person) -> list[tuple[float, float]]:
    return [(one.start, one.end) for one in person.appearances]


def test_a_small_film_with_known_truth() -> None:
    # 25 frames a second, shots of 50 frames: label 0 in both shots, label 1 in the second only.
    film = small_film([(0, 0, 9), (1, 50, 92), (0, 53, 59), (-1, 80, 86)], stops=[50, 100])
    people = film.people
    assert [person.name for person in people] == ["Person 1", "Person 2"]
    assert [person.label for person in people] == [1, 0]
    assert people[0].limit == 5.0
    assert people[1].tracks == (0, 2)
    assert spans(people[1]) == [(0.0, 0.48), (2.12, 2.48)]  # a track lasts until the next look
    assert people[1].seconds == pytest.approx(0.84)
    assert people.unknown.name == "Unknown"
    assert people.unknown.tracks == (3,)
    assert people.unknown.limit is None
    assert (people.duration, people.shots, len(people)) == (4.0, 2, 2)


def test_whom_a_filter_rejects_is_unknown_and_not_lost() -> None:
    blurred, sharp = walk(0, 100, 4), walk(1, 500, 4, range(10, 30))  # who it is, is the sharpness
    shots, config = clip(), FilterConfig(sharpness=0.5)
    tracks = track_faces(filter_faces(faces_of(blurred + sharp), config), shots, TracksConfig())
    rows = choose_rows(tracks, CropsConfig(every=12), FilterConfig())
    assert tracks.track[rows].tolist() == [1, 1]
    crops = Crops(
        images=np.zeros((2, 4, 4, 3), np.uint8), track=tracks.track[rows],
        frame=tracks.frame[rows], sharpness=tracks.sharpness[rows], frontal=tracks.frontal[rows],
        counts=np.bincount(tracks.track[rows], minlength=tracks.count),
    )  # fmt: skip
    clusters = clusters_of(np.where(crops.counts > 0, 0, -1))  # as cluster_tracks does
    people = list_people(clusters, tracks, crops, shots)
    assert people.unknown.tracks == (0,)
    assert spans(people.unknown) == [(0.0, 3.0)]
    assert people.unknown.faces == ()


def test_touching_and_overlapping_tracks_of_a_shot_are_one_appearance() -> None:
    film = small_film([(0, 0, 9), (0, 6, 18), (0, 21, 30), (0, 36, 39)], stops=[60])
    # 0-12 overlaps 6-21, 21-33 touches; 36 leaves a gap
    assert spans(film.people[0]) == [(0.0, 33 / 25), (36 / 25, 42 / 25)]


def test_a_short_track_inside_a_long_one_does_not_cut_it_short() -> None:
    film = small_film([(0, 0, 30), (0, 6, 9)], stops=[60])
    assert spans(film.people[0]) == [(0.0, 33 / 25)]


def test_a_cut_ends_an_appearance_and_time_stops_there() -> None:
    film = small_film([(0, 0, 18), (0, 20, 29)], stops=[20, 31])
    assert spans(film.people[0]) == [(0.0, 0.8), (0.8, 31 / 25)]
    assert film.people[0].seconds == pytest.approx(31 / 25)


def test_times_are_those_of_the_frames_not_a_rate() -> None:
    times = np.cumsum([5.0, 0.04, 0.04, 0.5, 0.04, 0.04, 0.04])  # starts at 5 s, halts at frame 3
    film = small_film([(0, 0, 3)], stops=[6], times=times)
    assert spans(film.people[0]) == [(5.0, times[6])]
    assert film.people.duration == pytest.approx(times[6] - 5)


@st.composite
def films(draw: st.DrawFn) -> Film:
    lengths = draw(st.lists(st.integers(4, 40), min_size=1, max_size=5))
    stops = np.cumsum(lengths).tolist()
    seen = []
    for first, stop in zip([0, *stops[:-1]], stops, strict=True):
        for _ in range(draw(st.integers(0, 4))):
            begin = draw(st.integers(first, stop - LOOK - 1))
            looks = draw(st.integers(1, (stop - 1 - begin) // LOOK))
            seen.append((draw(st.integers(-1, 3)), begin, begin + LOOK * looks))
    seen.sort(key=lambda one: one[1])
    known = sorted({label for label, _, _ in seen} - {-1})
    seen = [(known.index(label) if label >= 0 else -1, a, b) for label, a, b in seen]
    steps = draw(st.lists(st.floats(0.001, 2), min_size=stops[-1], max_size=stops[-1]))
    return small_film(
        seen,
        stops,
        crops=draw(st.lists(st.integers(0, 5), min_size=len(seen), max_size=len(seen))),
        times=np.cumsum([draw(st.floats(0, 9)), *steps]),
    )


def slow_screen_time(film: Film, label: int) -> float:
    """Tick every frame that a track of this label covers, and add the ticked ones."""
    ticked = set()
    for track in range(film.tracks.count):
        if film.clusters.label[track] != label:
            continue
        frames = film.tracks.frame[film.tracks.track == track]
        for frame in range(frames[0], frames[-1] + LOOK):
            if film.shots.of(np.array(frame)) == film.shots.of(frames[0]):
                ticked.add(frame)
    times = film.shots.times
    return float(sum(times[frame + 1] - times[frame] for frame in ticked))


@given(films())
def test_screen_time_is_the_ticked_frames(film: Film) -> None:
    people = film.people
    for person in (*people, people.unknown):
        assert person.seconds == pytest.approx(slow_screen_time(film, person.label))
        ends = [time for one in person.appearances for time in (one.start, one.end)]
        assert ends == sorted(ends)
    assert sorted(t for p in (*people, people.unknown) for t in p.tracks) == list(
        range(film.tracks.count)
    )
    assert [p.seconds for p in people] == sorted((p.seconds for p in people), reverse=True)


@given(films())
def test_faces_are_crops_of_the_persons_own_tracks(film: Film) -> None:
    for person in film.people:
        assert len(set(person.faces)) == len(person.faces) <= FACES
        assert {film.crops.track[row] for row in person.faces} <= set(person.tracks)
        assert bool(person.faces) == any(film.crops.counts[track] for track in person.tracks)


def test_each_track_and_each_person_says_how_sure_it_is() -> None:
    film = small_film(
        [(0, 0, 9), (1, 20, 29), (0, 40, 59), (-1, 70, 79)], [99], confidence=[0.5, 0.25, 1, 0.8]
    )
    people = {person.label: person for person in film.people}
    assert (people[0].sure, people[0].confidence) == ((0.5, 1.0), 0.75)
    assert (people[1].sure, people[1].confidence) == ((0.25,), 0.25)
    assert (film.people.unknown.sure, film.people.unknown.confidence) == ((None,), None)


def test_a_confidence_of_nothing_is_none_and_null() -> None:
    people = small_film([(0, 0, 9)], [20], confidence=[float("nan")]).people
    assert (people[0].sure, people[0].confidence) == ((None,), None)
    values = json.loads(json.dumps(to_json(people), allow_nan=False))["people"][0]
    assert (values["sure"], values["confidence"]) == ([None], None)


def test_doubts_stand_with_their_person_and_name_the_tracks_of_both_parts() -> None:
    film = small_film(
        [(0, 0, 9), (1, 3, 12), (0, 20, 29), (0, 24, 33)],
        stops=[50],
        doubts=[(0, 2, TWO_GROUPS, 3.0, 2.5), (2, 3, SAME_TIME, 1.5, float("-inf"))],
    )
    people = {person.label: person for person in film.people}
    assert people[0].doubts == (
        Doubt("two groups", (0,), (2, 3), 3.0, 2.5),
        Doubt("same time", (2,), (3,), 1.5, None),
    )
    assert people[1].doubts == film.people.unknown.doubts == ()


def with_measures(film: Film, frontal: list[float], sharpness: list[float]) -> People:
    crops = replace(
        film.crops,
        frontal=np.array(frontal, np.float32),
        sharpness=np.array(sharpness, np.float32),
    )
    return list_people(film.clusters, film.tracks, crops, film.shots)


def test_the_best_face_is_frontal_and_sharp() -> None:
    film = small_film([(0, 0, 30)], stops=[40], crops=[3])
    people = with_measures(film, frontal=[1.0, 0.9, 0.1], sharpness=[0.1, 9.0, 9.0])
    assert people[0].faces == (1, 2, 0)


def test_one_long_take_does_not_fill_the_row() -> None:
    film = small_film([(0, 0, 300), (0, 303, 309)], stops=[400], crops=[48, 1])
    best = with_measures(film, frontal=[1.0] * 48 + [0.5], sharpness=[9.0] * 49)[0].faces
    assert 48 in best  # the weak crop of the short track is there
    taken = film.crops.frame[[row for row in best if row < 48]]
    assert len(taken) == FACES // 2
    assert np.ptp(taken) > 200  # the others spread over the long take


def test_many_tracks_give_one_face_each() -> None:
    film = small_film([(0, 9 * n, 9 * n + 6) for n in range(30)], stops=[300], crops=[4] * 30)
    faces = film.people[0].faces
    assert len({film.crops.track[row] for row in faces}) == FACES


def test_a_film_without_faces() -> None:
    film = small_film([], stops=[50])
    assert list(film.people) == []
    assert film.people.unknown.tracks == ()
    assert film.people.duration == 2.0
    nothing = list_people(Clusters.empty(), Tracks.empty(), Crops.empty(), Shots.empty())
    assert (len(nothing), nothing.duration, nothing.shots) == (0, 0.0, 0)


def test_records_of_two_films_are_refused() -> None:
    one = small_film([(0, 0, 9)], stops=[20])
    two = small_film([(0, 0, 9), (0, 12, 18)], stops=[20])
    with pytest.raises(ValueError, match="2 labels, 1 tracks"):
        list_people(two.clusters, one.tracks, one.crops, one.shots)


seconds = st.floats(0, 1e5)
shares = st.none() | st.floats(0, 1)
tracks_of = st.lists(st.integers(0, 9999), max_size=5).map(tuple)
doubted = st.builds(
    Doubt, st.sampled_from(["same time", "two groups"]), tracks_of, tracks_of, st.floats(0, 20),
    st.none() | st.floats(0, 20),
)  # fmt: skip
persons = st.builds(
    Person,
    label=st.integers(-1, 999),
    name=st.text(max_size=20),
    tracks=st.lists(st.integers(0, 9999), max_size=5).map(tuple),
    seconds=seconds,
    appearances=st.lists(st.builds(Appearance, seconds, seconds), max_size=4).map(tuple),
    faces=st.lists(st.integers(0, 9999), max_size=8).map(tuple),
    limit=st.none() | st.floats(0, 20),
    confidence=shares,
    sure=st.lists(shares, max_size=5).map(tuple),
    doubts=st.lists(doubted, max_size=3).map(tuple),
)
casts = st.builds(
    People, st.lists(persons, max_size=4).map(tuple), persons, seconds, st.integers(0, 5000)
)


@given(casts)
def test_json_holds_everything_to_the_millisecond(people: People) -> None:
    text = json.dumps(to_json(people), allow_nan=False)
    read = from_json(json.loads(text))
    assert to_json(read) == json.loads(text)
    for before, after in zip((*people, people.unknown), (*read, read.unknown), strict=True):
        exact = ("label", "name", "tracks", "faces")
        assert [getattr(before, f) for f in exact] == [getattr(after, f) for f in exact]
        assert after.seconds == pytest.approx(before.seconds, abs=0.00051)
        assert np.allclose(spans(before), spans(after), atol=0.00051)


@pytest.mark.parametrize("damage", [{"schema": 99}, {"people": [{}]}, {"film": 3}, {"unknown": []}])
def test_damaged_json_is_refused_with_a_sentence(damage: dict[str, object]) -> None:
    values = to_json(small_film([(0, 0, 9)], stops=[20]).people)
    with pytest.raises(InputError, match=r"people\.json"):
        from_json(values | damage)


def named(*names: str) -> People:
    film = small_film([(n, 9 * n, 9 * n + 6) for n in range(len(names))], stops=[500])
    people = film.people
    return replace(
        people,
        people=tuple(replace(p, name=name) for p, name in zip(people, names, strict=True)),
    )


def test_csv_has_a_row_for_each_appearance() -> None:
    film = small_film([(0, 0, 9), (1, 50, 92), (0, 53, 59), (-1, 80, 86)], stops=[50, 100])
    assert appearances_csv(film.people).splitlines() == [
        "person,start_seconds,end_seconds,start,end",
        "Person 1,2.000,3.800,00:00:02.000,00:00:03.800",
        "Person 2,0.000,0.480,00:00:00.000,00:00:00.480",
        "Person 2,2.120,2.480,00:00:02.120,00:00:02.480",
    ]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_csv_disarms_formulas(name: str) -> None:
    rows = list(csv.reader(io.StringIO(appearances_csv(named(name)))))
    assert rows[1][0] == "'" + name


@given(st.lists(st.text(min_size=1).filter(lambda name: "\0" not in name), max_size=3))
def test_csv_reads_back_whatever_the_names(names: list[str]) -> None:
    text = appearances_csv(named(*names))
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert len(rows) == len(names)
    for row, name in zip(rows, names, strict=True):
        assert row[0] in (name, "'" + name)
        assert not row[0].lstrip().startswith(("=", "+", "-", "@"))
    assert all(len(row) == 5 for row in rows)


@pytest.mark.parametrize(
    ("time", "decimals", "text"),
    [
        (0.0, 3, "00:00:00.000"),
        (59.9996, 3, "00:01:00.000"),
        (3661.0005, 3, "01:01:01.000"),
        (3599.5, 0, "01:00:00"),
        (360000.25, 2, "100:00:00.25"),
    ],
)
def test_timecode(time: float, decimals: int, text: str) -> None:
    assert timecode(time, decimals) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0 s"), (0.04, "0.04 s"), (0.1, "0.1 s"), (8.44, "8.4 s"), (59.94, "59.9 s"),
     (59.96, "1 min 00 s"), (760, "12 min 40 s"), (3599.6, "1 h 00 min"), (3725, "1 h 02 min"),
     (86_400, "24 h 00 min")],
)  # fmt: skip
def test_spell(seconds: float, text: str) -> None:
    assert spell(seconds) == text


def test_a_person_of_one_crop_has_no_limit_and_the_file_is_json_all_the_same() -> None:
    film = small_film([(0, 0, 8)], stops=[9])
    clusters = replace(film.clusters, limit=np.array([-np.inf], np.float32))
    people = list_people(clusters, film.tracks, film.crops, film.shots)
    assert people[0].limit is None
    text = json.dumps(to_json(people), allow_nan=False)
    assert from_json(json.loads(text))[0].limit is None
