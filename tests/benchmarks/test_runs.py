from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.runs import Case, ProgramFailedError, Trial, redone, run_program, try_case
from tests.benchmarks.stand_in import BALLAST


def attempt(film: Path, truth: Path, seed: int = 0, changes: Sequence[str] = ()) -> Trial:
    return try_case(Case(film, truth), seed, work=film.parent, preset="standard", changes=changes)


@pytest.mark.usefixtures("program")
def test_a_trial_tells_scores_seconds_and_memory(film: Path, truth: Path):
    trial = attempt(film, truth, seed=1)
    assert (trial.film, trial.seed, trial.made_now) == ("sitcom_26s", 1, True)
    assert trial.scores["wcp"] == 0.98
    assert trial.seconds == {"crops": 3.0, "model": 3.0, "report": 3.0}
    assert trial.peak is not None
    assert BALLAST < trial.peak < 20 * BALLAST


@pytest.mark.usefixtures("program")
def test_a_run_that_is_there_is_loaded_with_what_it_took(film: Path, truth: Path):
    first = attempt(film, truth)
    again = attempt(film, truth)
    assert not again.made_now
    assert again.peak == first.peak
    assert again.seconds == first.seconds


@pytest.mark.usefixtures("program")
def test_the_memory_of_half_a_run_is_not_that_of_a_run(film: Path, truth: Path):
    attempt(film, truth)
    changed = attempt(film, truth, changes=["finetune.rounds=1"])  # makes all but the crops anew
    assert not changed.made_now
    assert changed.peak is None


@pytest.mark.usefixtures("program")
def test_seeds_have_folders_of_their_own(film: Path, truth: Path):
    attempt(film, truth, seed=0)
    assert attempt(film, truth, seed=1).made_now
    assert not attempt(film, truth, seed=0).made_now


@pytest.mark.usefixtures("program")
def test_a_run_that_fails_is_an_error(film: Path, truth: Path):
    film.write_text("broken")
    with pytest.raises(ProgramFailedError, match=r"run sitcom_26s\.mp4 with seed 2.*code 3"):
        attempt(film, truth, seed=2)


@pytest.mark.usefixtures("program")
def test_a_score_that_fails_is_an_error(film: Path, tmp_path: Path):
    with pytest.raises(ProgramFailedError, match="score sitcom_26s-0"):
        attempt(film, tmp_path / "nothing.csv")


def test_the_program_understands_how_it_is_called(tmp_path: Path):
    """A usage error would be 2; what it minds is the film alone."""
    film = tmp_path / "none.mp4"
    with pytest.raises(ProgramFailedError, match="code 3"):
        run_program(film, tmp_path / "run", "fast", ["finetune.rounds=1", "crops.most=3"], 5)


def test_a_stage_is_redone_where_its_note_is_new_or_another():
    assert redone({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ["b", "c"]
    assert redone({"a": 1}, {"a": 1}) == []


@pytest.mark.usefixtures("program")
def test_the_memo_stays_out_of_the_run_folder(film: Path, truth: Path):
    """A run folder belongs to the program; what lies beside it is ours."""
    attempt(film, truth)
    assert json.loads((film.parent / "sitcom_26s-0.peak.json").read_text())
    assert "peak" not in " ".join(path.name for path in (film.parent / "sitcom_26s-0").iterdir())
