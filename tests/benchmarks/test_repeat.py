from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.repeat import measure_repeat
from benchmarks.runs import run_program

pytestmark = pytest.mark.usefixtures("program")


@pytest.fixture
def judged(film: Path, tmp_path: Path) -> Callable[[str], dict[str, bool | None]]:
    """Judge a program that behaves like this."""

    def judge(behaviour: str) -> dict[str, bool | None]:
        film.write_text(behaviour)
        rows = measure_repeat(
            "film", lambda folder: run_program(film, folder, "fast", [], 4), tmp_path / "work"
        )
        return {row.name.removeprefix("film."): row.holds for row in rows}

    return judge


def test_a_steady_program_holds(judged):
    assert judged("steady") == {
        "same.crops.npz": True, "same.model.safetensors": True,  # and the report is not promised
        "stages": None, "redone": True, "kept": True,
    }  # fmt: skip


def test_other_bytes_are_seen(judged):
    verdicts = judged("unsteady")
    assert verdicts["same.crops.npz"] is False
    assert verdicts["same.model.safetensors"] is False
    assert verdicts["redone"] is True


def test_work_that_is_done_twice_is_seen(judged):
    verdicts = judged("forgetful")
    assert verdicts["redone"] is False
    assert verdicts["kept"] is True  # the same bytes, but made anew


def test_files_are_compared_and_not_what_is_noted_of_them(film: Path, tmp_path: Path):
    folders: list[Path] = []

    def run(folder: Path) -> None:
        run_program(film, folder, "fast", [], 4)
        if folder not in folders:
            folders.append(folder)
        if len(folders) == 2:
            (folders[1] / "crops.npz").write_bytes(b"")

    rows = measure_repeat("film", run, tmp_path / "work")
    assert {row.name: row.holds for row in rows}["film.same.crops.npz"] is False


def test_each_repetition_starts_afresh(judged, tmp_path: Path):
    judged("steady")
    judged("steady")
    assert len(list((tmp_path / "work").iterdir())) == 4
