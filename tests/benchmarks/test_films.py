from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks.films import GOALS, UNITS, measure_films, rows_of, table_of
from benchmarks.results_file import Row
from benchmarks.runs import Case, Trial
from videoclusternet.results.metrics import Scores


def trial(film: str = "composed_180s", seed: int = 0, **changes: float) -> Trial:
    scores = dict.fromkeys(UNITS, 1.0) | changes
    seconds = {"faces": 10.0 + seed, "model": 100.0}
    return Trial(film, seed, scores, seconds, peak=500.0 + seed, made_now=seed != 2)


def by_name(rows: list[Row]) -> dict[str, Row]:
    named = {row.name: row for row in rows}
    assert len(named) == len(rows)
    return named


def test_every_score_of_the_program_has_a_unit():
    assert set(UNITS) == {field.name for field in fields(Scores)}


def test_goals_are_of_scores_that_exist():
    assert all(set(goals) <= set(UNITS) for goals in GOALS.values())


def test_a_measure_stands_by_seed_and_over_the_seeds():
    rows = by_name(rows_of([trial(seed=s, nmi=value) for s, value in enumerate((0.9, 0.5, 0.7))]))
    values = {
        name.removeprefix("composed_180s.nmi."): row.value
        for name, row in rows.items()
        if ".nmi." in name
    }
    assert values == {
        "seed_0": 0.9, "seed_1": 0.5, "seed_2": 0.7, "mean": 0.7, "min": 0.5, "max": 0.9,
    }  # fmt: skip


def test_the_worst_seed_decides_about_a_goal():
    rows = by_name(rows_of([trial(seed=0, ratio=0.95), trial(seed=1, ratio=1.1)]))
    judged = {name.split(".")[-1]: row.holds for name, row in rows.items() if ".ratio." in name}
    assert judged == {"seed_0": True, "seed_1": False, "mean": True, "min": True, "max": False}
    assert rows["composed_180s.ratio.max"].goal == "0.95 to 1.05"


@pytest.mark.parametrize(("film", "measure"), [("composed_180s", "nmi"), ("another", "wcp")])
def test_without_a_goal_nothing_is_judged(film: str, measure: str):
    row = by_name(rows_of([trial(film)]))[f"{film}.{measure}.mean"]
    assert row.goal is None
    assert row.holds is None


def test_costs_are_means_over_seeds_and_the_highest_memory():
    rows = by_name(rows_of([trial(seed=0), trial(seed=1), trial("another", 0)]))
    assert rows["composed_180s.seconds.faces"].value == 10.5
    assert rows["composed_180s.seconds.all"].value == 110.5
    assert rows["composed_180s.peak_memory"].value == 501.0
    assert rows["another.seconds.faces"].value == 10.0


def test_memory_that_nobody_measured_has_no_row():
    unmeasured = Trial("a", 0, dict.fromkeys(UNITS, 1.0), {"model": 1.0}, None, made_now=False)
    assert "a.peak_memory" not in by_name(rows_of([unmeasured]))


def test_no_trials_no_rows():
    assert rows_of([]) == []
    assert list(table_of([])) == []


def test_the_file_is_written_after_each_trial(tmp_path: Path):
    out = tmp_path / "deep" / "films.json"
    cases = [Case(Path(f"/films/{name}.mp4"), Path("/truth.csv")) for name in ("one", "two")]
    seen: list[dict[str, int]] = []

    def attempt(case: Case, seed: int) -> Trial:
        if out.exists():
            seen.append(json.loads(out.read_text())["runs"])
        if (case.name, seed) == ("two", 2):
            raise KeyboardInterrupt
        return trial(case.name, seed)

    with pytest.raises(KeyboardInterrupt):
        measure_films(cases, [0, 2], attempt, out, {"date": "today"})
    assert [runs["done"] for runs in seen] == [1, 2, 3]
    left = json.loads(out.read_text())
    assert left["runs"] == {"asked": 4, "done": 3, "made_now": 2}
    assert left["date"] == "today"
    assert {row["name"].split(".")[0] for row in left["rows"]} == {"one", "two"}
    assert set(left["rows"][0]) == {"name", "value", "unit", "goal", "holds"}


def test_the_table_says_which_goals_fail():
    lines = list(table_of([trial(seed=0, wcp=0.99), trial(seed=1, wcp=0.96)]))
    line = {line.split()[0]: line for line in lines}
    assert line["wcp"].split()[1:4] == ["0.975", "0.960", "0.990"]
    assert line["wcp"].endswith("at least 0.97: fails")
    assert line["bcubed_f1"].endswith("at least 0.98: holds")
    assert line["nmi"].endswith("1.000")
