from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main

pytestmark = pytest.mark.usefixtures("program")


def test_films_are_measured_and_no_path_is_told(film: Path, truth: Path, tmp_path: Path, capsys):
    out = tmp_path / "films.json"
    call = [
        "films", f"{film}:{truth}", "--seeds", "0", "2", "2", "--set", "crops.most=3",
        "--out", str(out), "--work", str(tmp_path / "work"),
    ]  # fmt: skip
    assert main(call) == 0
    results = json.loads(out.read_text())
    assert results["seeds"] == [0, 2]
    assert results["settings"] == {"crops.most": 3}
    assert results["runs"] == {"asked": 2, "done": 2, "made_now": 2}
    rows = {row["name"]: row for row in results["rows"]}
    assert rows["sitcom_26s.wcp.mean"]["value"] == 0.98
    assert rows["sitcom_26s.wcp.min"] == {
        "name": "sitcom_26s.wcp.min", "value": 0.96, "unit": "share", "goal": "at least 0.95",
        "holds": True,
    }  # fmt: skip
    assert str(tmp_path) not in out.read_text()
    assert "sitcom_26s, seeds 0, 2" in capsys.readouterr().out
    assert main(call) == 0
    assert json.loads(out.read_text())["runs"]["made_now"] == 0


def test_repetition_is_measured_and_no_path_is_told(film: Path, tmp_path: Path, capsys):
    out = tmp_path / "repeat.json"
    assert main(["repeat", str(film), "--out", str(out), "--work", str(tmp_path / "work")]) == 0
    rows = {row["name"]: row for row in json.loads(out.read_text())["rows"]}
    assert rows["sitcom_26s.redone"]["holds"] is True
    assert str(tmp_path) not in out.read_text()
    assert "holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("film.mp4", 2, "FILM:TRUTH"),
        ("none.mp4:truth.csv", 3, "no film none.mp4"),
        ("sitcom_26s.mp4:none.csv", 3, "none.csv"),
        ("sitcom_26s.mp4:sitcom_26s.mp4", 3, "lacks the column"),
    ],
)
@pytest.mark.usefixtures("film", "truth")
def test_what_cannot_be_measured_is_said_before_the_work(
    case: str, code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["films", "sitcom_26s.mp4:truth.csv", case, "--out", "films.json"]) == code
    assert words in capsys.readouterr().err
    assert not Path("runs").exists()


def test_two_films_of_one_name_are_refused(film: Path, truth: Path, tmp_path: Path, capsys):
    case = f"{film}:{truth}"
    assert main(["films", case, case, "--work", str(tmp_path / "work")]) == 2
    assert "'sitcom_26s'" in capsys.readouterr().err


def test_what_was_measured_before_a_failure_stays(film: Path, truth: Path, tmp_path: Path, capsys):
    broken = tmp_path / "broken.mp4"
    broken.write_text("broken")
    out = tmp_path / "films.json"
    call = ["films", f"{film}:{truth}", f"{broken}:{truth}", "--seeds", "0", "--out", str(out)]
    assert main([*call, "--work", str(tmp_path / "work")]) == 6
    assert "could not run broken.mp4 with seed 0" in capsys.readouterr().err
    assert json.loads(out.read_text())["runs"] == {"asked": 2, "done": 1, "made_now": 1}
