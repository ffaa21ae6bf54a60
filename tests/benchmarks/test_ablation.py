"""The table of ablations: a fair threshold for the usual pipeline, and matches counted right."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.ablation import (
    AVERAGE,
    MEASURES,
    TUNINGS,
    Trial,
    _matching,
    _means,
    average_linkage,
    best_threshold,
    measure,
    rows_of,
    table_of,
)
from benchmarks.films import GOALS
from tests.pocket import draw_crops
from videoclusternet.clustering.distance import RULES
from videoclusternet.config import load_config


def directions(*degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def trial(film: str = "f", tuning: str = "head", seed: int = 0, apart: float = 10.0) -> Trial:
    """Two people of two tracks each: a person's tracks lie `apart` degrees from each other."""
    means = directions(0, apart, 90, 90 + apart)
    names = np.array(["a", "a", "b", ""])
    labels = {"loss": np.array([0, 0, 1, 1])}
    return Trial(film, tuning, seed, names, means, labels, np.empty((0, 2)))


def test_average_linkage_joins_below_the_threshold_and_leaves_out_who_has_no_crop():
    drawn = trial(apart=20)
    drawn = replace(drawn, means=np.vstack([drawn.means, [[0, 0]]]), names=np.array([""] * 5))
    near = 1 - np.cos(np.radians(20))
    for threshold, people in ((near - 1e-3, 4), (near + 1e-3, 2), (2.1, 1)):
        (labels,) = average_linkage(drawn, [threshold])
        assert labels[-1] == -1
        assert len(set(labels[:-1].tolist())) == people


@pytest.mark.parametrize("tracks", [0, 1])
def test_average_linkage_of_hardly_anybody(tracks):
    drawn = replace(trial(), means=directions(*[0.0] * tracks), names=np.array(["a"] * tracks))
    assert average_linkage(drawn, [0.1])[0].tolist() == [0] * tracks


def test_the_threshold_is_the_best_one_of_these_films():
    near, far = 1 - np.cos(np.radians(40)), 1 - np.cos(np.radians(90))
    assert near < best_threshold([trial(apart=40)]) < far


def test_the_threshold_of_a_film_is_chosen_on_the_other_films():
    """A film whose people vary more than those of the others falls apart at their threshold."""
    table = measure([trial("calm", apart=4), trial("wild", apart=40)])
    assert table["calm", "head", AVERAGE][0].bcubed_f1 == 1
    assert table["wild", "head", AVERAGE][0].predicted == 3
    alone = measure([trial("alone")])
    assert ("alone", "head", AVERAGE) not in alone


def test_other_seeds_and_tunings_lend_no_threshold():
    table = measure([trial("x", "head", 0), trial("y", "head", 1), trial("y", "joint", 0)])
    assert not any(rule == AVERAGE for _, _, rule in table)


def test_a_mean_is_that_of_unit_embeddings_and_of_unit_length():
    crops = draw_crops([0, 1, 2], [2, 0, 1])
    means = _means(np.array([[2.0, 0.0], [0.0, 7.0], [-3.0, 0.0]]), crops)
    np.testing.assert_allclose(means, [[0.5**0.5, 0.5**0.5], [0, 0], [-1, 0]])


def test_matches_are_counted_among_named_tracks_alone():
    names = np.array(["a", "a", "b", "b", ""])
    pairs = [[0, 1], [2, 0], [0, 4], [4, 4]]
    log = [
        {"stage": "head"},
        {"stage": "matching", "pairs": pairs},
        {"stage": "matching", "pairs": []},
    ]
    precision, recall = _matching(SimpleNamespace(log=log), names).T
    assert precision[0] == 1 / 2
    assert recall.tolist() == [1 / 4, 0]
    assert np.isnan(precision[1])
    assert np.isnan(_matching(SimpleNamespace(log=log[1:2]), np.array(list("abcde")))[0, 1])


def test_rows_have_their_own_names_and_goals_are_the_defaults():
    way = "joint" if load_config().finetune.rounds else "head"
    rule = load_config().cluster.rule
    drawn = [trial(film, way, seed) for film in GOALS for seed in (0, 1)]
    drawn = [replace(t, labels=dict.fromkeys(RULES, t.labels["loss"])) for t in drawn]
    drawn[0] = replace(drawn[0], matching=np.array([[1.0, 0.5], [np.nan, 0.0]]))
    rows = rows_of(drawn, "standard")
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    judged = {row.name.rsplit(".", 1)[0] for row in rows if row.goal}
    assert judged == {f"{film}.{way}.{rule}.{m}" for film, goals in GOALS.items() for m in goals}
    film = next(iter(GOALS))
    told = {row.name: row.value for row in rows if "matching" in row.name}
    assert told == {
        f"{film}.{way}.matching.seed_0.round_0.precision": 1.0,
        f"{film}.{way}.matching.seed_0.round_0.recall": 0.5,
        f"{film}.{way}.matching.seed_0.round_1.recall": 0.0,
    }


def test_goals_and_settings_exist():
    assert all(set(goals) <= set(MEASURES) for goals in GOALS.values())
    for changes in TUNINGS.values():
        load_config("standard", changes or ())


def test_the_table_has_a_line_for_each_way_and_a_cell_for_each_film():
    lines = [*table_of([trial("x"), trial("x", seed=1), trial("y")])]
    assert lines[0] == "| tuning | rule | x | y | mean B³ |"
    assert len(lines) == 2 + 2  # average linkage and the loss
    assert all(line.count("|") == 6 for line in lines)
    assert (
        lines[-1] == "| head | loss | 1.000 ±0.000, 1.00, 1.00 | 1.000 ±0.000, 1.00, 1.00 | 1.000 |"
    )
