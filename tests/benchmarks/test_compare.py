"""Rivals get what they may get, the threshold comes from other films, and what is made is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from statistics import fmean
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import methods
from benchmarks.compare import Answers, chosen, counted, film_entry, run_rival
from benchmarks.datasets.film import LabelledFilm
from benchmarks.methods import METHODS, Method, TrackSet
from benchmarks.runs import Case
from benchmarks.standings import OURS, Figures, read_figures, rows_of, summaries, table_of
from tests.faces.films import draw_two_people
from videoclusternet.pipeline import process_film
from videoclusternet.results.metrics import score
from videoclusternet.results.truth import COLUMNS

NAMES = ("Ann", "Ann", None, "Bob", "Bob", "Cid")


def film_of(name, names=NAMES, without=()):
    kept = np.array([n for n in range(len(names)) if n not in without])
    first = 10 * kept
    random = np.random.default_rng(len(name))
    tracks = TrackSet(
        random.normal(size=(2 * len(kept), 4)).astype(np.float32),
        np.full(len(kept), 2), first, first + 5,
    )  # fmt: skip
    ids = np.arange(len(names)).astype(np.str_)
    return LabelledFilm(name, tracks, kept, ids, np.array([name or "" for name in names]))


def asked(monkeypatch, told, thresholds=()):
    """Put a method into the table that notes what it is asked and puts each track by itself."""
    calls = []

    def group(tracks, told, seed):
        calls.extend((len(tracks), value, seed) for value in told)
        return [np.arange(len(tracks)) for _ in told]

    module = SimpleNamespace(group=group)
    monkeypatch.setattr(methods.importlib, "import_module", lambda name: module)
    row = Method("Noting", "noting", told, "this test", "nothing", tuple(thresholds))
    monkeypatch.setitem(METHODS, row.name, row)
    return row, calls


@pytest.mark.parametrize(
    ("told", "values"), [("nothing", [None]), ("people", [3]), ("threshold", [0.1, 0.2, 0.5])]
)
def test_a_rival_is_told_what_its_row_says(monkeypatch, tmp_path, told, values):
    row, calls = asked(monkeypatch, told, values if told == "threshold" else ())
    film = film_of("film", without=(2, 4))
    answers = run_rival(row, film, 7, tmp_path)
    assert calls == [(4, value, 7) for value in values]
    assert answers.labels.shape == (len(values), 6)
    assert answers.labels[0].tolist() == [0, 1, -1, 2, -1, 3]  # without a crop: Unknown
    again = run_rival(row, film, 7, tmp_path)  # from its file
    assert len(calls) == len(values)
    np.testing.assert_array_equal(again.labels, answers.labels)
    np.testing.assert_array_equal(again.told, answers.told)
    run_rival(row, film, 8, tmp_path)
    assert len(calls) == 2 * len(values)
    other = replace(film, tracks=replace(film.tracks, embeddings=film.tracks.embeddings + 1))
    run_rival(row, other, 7, tmp_path)  # what was made of something else is not taken for it
    assert len(calls) == 3 * len(values)


def answers_of(film, *rows, told=None):
    values = np.arange(len(rows)) / 10 if told is None else np.array(told)
    return Answers(values, np.array(rows), film)


RIGHT, ONE, EACH = [0, 0, 9, 1, 1, 2], [0] * 6, [0, 1, 2, 3, 4, 5]


def test_the_threshold_of_a_film_is_the_best_of_the_others(monkeypatch):
    asked(monkeypatch, "threshold", (0.0, 0.1))
    one, two, three = (film_of(name) for name in "abc")
    answers = {
        ("a", "Noting", 0): answers_of(one, RIGHT, ONE),
        ("b", "Noting", 0): answers_of(two, ONE, RIGHT),
        ("c", "Noting", 0): answers_of(three, ONE, RIGHT),
        ("a", "Noting", 1): answers_of(one, RIGHT, ONE),
        ("b", "Noting", 1): answers_of(two, RIGHT, ONE),
    }
    assert chosen(answers, ("a", "Noting", 0)) == 1  # though its own best is 0
    for key in answers:
        others = [k for k in answers if k[1:] == key[1:] and k != key]
        means = [
            fmean(score(answers[k].labels[row], NAMES).bcubed_f1 for k in others) for row in (0, 1)
        ]
        assert chosen(answers, key) == means.index(max(means))
    figures = counted(answers)
    assert figures["a", "Noting", 0].bcubed_f1 < 1
    assert figures["a", "Noting", 1] == Figures(1.0, 1.0, 1.0, 1.0)


def test_a_threshold_needs_another_film(monkeypatch):
    asked(monkeypatch, "threshold", (0.0, 0.1))
    film = film_of("a")
    answers = {
        ("a", "Noting", 0): answers_of(film, RIGHT, ONE),
        ("a", OURS, 0): answers_of(film, RIGHT, told=[np.nan]),
    }
    assert chosen(answers, ("a", "Noting", 0)) is None
    assert counted(answers).keys() == {("a", OURS, 0)}


def test_the_counts_of_all_films_are_summed():
    one, two = film_of("a"), film_of("b", ("Ann", "Ann", "Bob", None, "Cid", "Di"))
    answers = {
        ("a", OURS, 0): answers_of(one, RIGHT, told=[np.nan]),
        ("b", OURS, 0): answers_of(two, ONE, told=[np.nan]),
    }
    found = counted(answers)["all films", OURS, 0]
    assert found.wcp == pytest.approx((5 + 2) / 10)
    assert found.ratio == pytest.approx((3 + 1) / (3 + 4))
    assert found.bcubed_f1 != pytest.approx(fmean(answers[k].scores[0].bcubed_f1 for k in answers))
    (summary,) = summaries(counted(answers))
    assert summary.wcp == (pytest.approx((1 + 2 / 5) / 2),)


@pytest.fixture
def figures(monkeypatch):
    asked(monkeypatch, "nothing")
    monkeypatch.setitem(METHODS, "Told", replace(METHODS["Noting"], name="Told", told="people"))
    values = {}
    for film, shift in (("a", 0.0), ("b", 0.1)):
        for seed in (0, 1):
            values[film, OURS, seed] = Figures(0.9, 0.8 + shift + 0.02 * seed, 0.9, 1.2)
            values[film, "Noting", seed] = Figures(1.0, 0.7 + shift, 0.8, 0.9)
            values[film, "Told", seed] = Figures(1.0, 0.95, 1.0, 1.0)
    return values


def test_methods_are_averaged_film_by_film_and_ranked(figures):
    table = summaries(figures)
    assert [summary.method for summary in table] == ["Told", OURS, "Noting"]
    ours = table[1]
    np.testing.assert_allclose(ours.bcubed_f1, [0.85, 0.87])
    np.testing.assert_allclose(ours.off, [0.2, 0.2])
    np.testing.assert_allclose(table[2].off, [0.1, 0.1])


def test_ours_is_judged_against_those_that_do_not_know_the_people(figures):
    rows = {row.name: row for row in rows_of(figures)}
    assert rows[f"{OURS}.bcubed_f1"].holds is True
    assert rows[f"{OURS}.bcubed_f1"].goal == "at least 0.7500: Noting"
    assert rows[f"{OURS}.off"].holds is False
    assert rows[f"{OURS}.off"].goal == "at most 0.1000: Noting"
    assert rows[f"{OURS}.bcubed_f1.spread"].value == pytest.approx(0.02)


def test_figures_survive_their_file(figures):
    rows = json.loads(json.dumps([vars(row) for row in rows_of(figures)]))
    read = read_figures(rows)
    assert read.keys() == figures.keys()
    for key, value in figures.items():
        np.testing.assert_allclose(read[key], value, atol=1e-4)


def test_the_table_has_a_row_for_each_method(figures):
    lines = list(table_of(figures))
    assert len(lines) == 2 + 3
    assert len({line.count(" | ") + line.count("|\n") for line in lines[2:]}) == 1
    assert lines[2].startswith("| Told | how many people | 0.950 ±0.000")
    assert "0.860 ±0.010" in lines[3]


QUICK = [
    "shots.shortest=0.2", "finetune.hidden=16", "finetune.outputs=16", "finetune.batch=8",
    "finetune.head_passes=2", "finetune.rounds=0", "finetune.views=2", "detect.every=5",
]  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Two people in turns, and a truth that says so of the boxes that are found."""
    folder = tmp_path_factory.mktemp("films")
    film = draw_two_people(folder / "film.mp4")
    tracks = process_film(film, folder / "run", settings=QUICK, until="tracks").tracks
    boxes = zip(tracks.frame, tracks.box, tracks.track, strict=True)
    lines = [f"{n},{','.join(map(str, box))},{'AB'[track % 2]}" for n, box, track in boxes]
    (folder / "truth.csv").write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return Case(film, folder / "truth.csv")


def test_a_film_is_tracked_once_and_grouped_by_ours(case, tmp_path):
    entry = film_entry(case, tmp_path, "standard", QUICK)
    film = entry.film
    assert set(film.names) == {"A", "B"}
    assert film.people == 2
    assert len(film.tracks) == len(film.kept) == 4
    assert film.tracks.embeddings.shape == (film.tracks.counts.sum(), 128)
    for seed in (0, 1):
        labels = entry.ours(seed)
        assert labels.shape == (4,)
        assert film.scored(labels).tracks_scored == 4
    assert {path.name for path in tmp_path.iterdir()} == {"film-0", "film-1"}


def test_a_set_of_tracks_knows_what_it_is_asked():
    tracks = TrackSet(
        np.array([[3, 4], [0, 2], [5, 0]], np.float32), np.array([2, 1]),
        np.array([0, 7]), np.array([7, 9]),
    )  # fmt: skip
    assert len(tracks) == 2
    assert tracks.track.tolist() == [0, 0, 1]
    np.testing.assert_allclose(tracks.unit, [[0.6, 0.8], [0, 1], [1, 0]])
    mean = np.array([0.6, 1.8]) / np.hypot(0.6, 1.8)
    np.testing.assert_allclose(tracks.means, [mean, [1, 0]])
    assert tracks.together.tolist() == [[False, True], [True, False]]
