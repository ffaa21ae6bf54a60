from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import videoclusternet as vcn
from benchmarks.__main__ import main
from benchmarks.confidence import Judged, auc, calibration_error, fit, judge, measure_confidence
from tests.results.small_film import clusters_of
from videoclusternet.records import SAME_TIME, TWO_GROUPS


def drawn(film: str, seed: int, slope: float = 6.0, offset: float = -1.0) -> Judged:
    """Draw tracks that are right as often as a logistic of their margin says."""
    rng = np.random.default_rng(seed)
    margin = rng.uniform(-0.5, 1, 4000)
    right = rng.random(4000) < 1 / (1 + np.exp(-(slope * margin + offset)))
    return Judged(film, margin, right, np.arange(4000) // 4, np.ones(4000))


def test_the_numbers_that_made_the_tracks_are_found_again() -> None:
    slope, offset = fit([drawn("a", 0), drawn("b", 1)])
    assert slope == pytest.approx(6, abs=0.4)
    assert offset == pytest.approx(-1, abs=0.15)


def test_films_alike_are_told_well_and_another_is_not() -> None:
    alike = [drawn(name, seed) for seed, name in enumerate("abc")]
    other = drawn("d", 3, offset=-4.0)
    errors = []
    for runs in (alike, [*alike, other]):
        rows = {row.name: row.value for row in measure_confidence(runs)}
        errors.append(rows["calibration_error"])
    assert errors[0] < 0.02
    assert errors[1] > 0.04  # of the film left out nothing is known


def test_runs_of_one_film_are_left_out_together() -> None:
    """What is said of a film does not depend on how often the film was run."""
    a, b = drawn("a", 0), drawn("b", 1, offset=1.0)
    again = replace(a, margin=a.margin[::-1], right=a.right[::-1])
    rows = [
        {row.name: row.value for row in measure_confidence(runs)}
        for runs in ([a, b], [a, again, b])
    ]
    assert rows[0]["a.predicted"] == rows[1]["a.predicted"]
    assert rows[0]["slope"] == pytest.approx(rows[1]["slope"], abs=1e-3)


def test_the_bins_hold_all_tracks_and_rise() -> None:
    rows = {row.name: row.value for row in measure_confidence([drawn("a", 0), drawn("b", 1)])}
    assert sum(rows[f"bin_{n}.count"] for n in range(1, 6)) == rows["tracks"] == 8000
    predicted = [rows[f"bin_{n}.predicted"] for n in range(1, 6)]
    assert predicted == sorted(predicted)


def test_who_is_right() -> None:
    """By the majority, and alone only where nobody else is the person; the untold do not count."""
    label = np.array([0, 0, 0, 1, 2, 3, -1, 3])
    names = ["Ann", "Ann", "Bob", "Bob", "Cid", None, "Ann", "Dee"]
    found = judge("film", clusters_of(label), names, np.arange(1, 9))
    assert found.right.tolist() == [True, True, False, False, True, True]
    assert found.crops.tolist() == [1, 2, 3, 4, 5, 8]
    assert found.label.tolist() == [0, 0, 0, 1, 2, 3]
    assert found.margin.tolist() == [0.5] * 6


def test_doubts_are_counted_by_whether_there_were_two_people() -> None:
    doubts = [
        (0, 2, TWO_GROUPS, 3.0, 2.0),
        (0, 1, SAME_TIME, 3.0, 2.0),
        (2, 4, SAME_TIME, 1.0, 2.0),
    ]
    names = ["Ann", "Ann", "Bob", "Bob", None]
    found = judge("film", clusters_of(np.zeros(5, int), doubts=doubts), names, np.ones(5))
    assert found.doubts == ((TWO_GROUPS, True), (SAME_TIME, False))


def test_auc_counts_pairs() -> None:
    share = np.array([0.1, 0.5, 0.5, 0.9])
    assert auc(share, np.array([False, False, True, True])) == (1 + 1 + 0.5 + 1) / 4
    assert np.isnan(auc(share, np.ones(4, bool)))


def test_calibration_error_is_the_distance_of_predicted_and_observed() -> None:
    right = np.array([True, False] * 10)
    assert calibration_error(np.full(20, 0.5), right, np.ones(20)) == pytest.approx(0)
    assert calibration_error(np.full(20, 0.9), right, np.ones(20)) == pytest.approx(0.4)


@pytest.mark.parametrize(
    "runs", [[], [drawn("a", 0)], [replace(drawn(f, 0), right=np.ones(4000, bool)) for f in "ab"]]
)
def test_what_cannot_be_fitted_is_told(runs: list[Judged]) -> None:
    with pytest.raises(vcn.UsageError, match="two films"):
        measure_confidence(runs)


def test_the_command_writes_the_file_and_no_path(tmp_path, monkeypatch, capsys) -> None:
    judged = iter([drawn("a", 0), drawn("b", 1)])
    monkeypatch.setattr("benchmarks.confidence.judge_run", lambda run, truth: next(judged))

    view = SimpleNamespace(manifest=SimpleNamespace(settings={"seed": 3}))
    monkeypatch.setattr(vcn, "load_run", lambda folder: view, raising=False)
    out = tmp_path / "confidence.json"
    assert main(["confidence", f"{tmp_path}/a:t", f"{tmp_path}/b:t", "--out", str(out)]) == 0
    results = json.loads(out.read_text())
    assert results["seeds"] == [3]
    assert {row["name"] for row in results["rows"]} >= {"slope", "offset", "auc"}
    assert str(tmp_path) not in out.read_text()
    assert "calibration_error" in capsys.readouterr().out


@pytest.mark.parametrize(("case", "code"), [("run", 2), ("none:truth.csv", 3)])
def test_what_is_no_run_is_told(case: str, code: int, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["confidence", case]) == code
    assert len(capsys.readouterr().err.splitlines()) == 1
