from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.results_file import Goal, Row, header, machine, write_results
from videoclusternet.errors import UsageError


@pytest.mark.parametrize(
    ("goal", "words", "good", "bad"),
    [
        (Goal(0.95), "at least 0.95", 0.95, 0.9499),
        (Goal(most=2), "at most 2", 2, 2.01),
        (Goal(0.9, 1.15), "0.9 to 1.15", 1.15, 1.16),
        (Goal(0, 0), "0", 0, 1),
    ],
)
def test_a_goal_holds_up_to_its_ends(goal: Goal, words: str, good: float, bad: float):
    assert str(goal) == words
    assert Row.of("a", good, "s", goal).holds is True
    assert Row.of("a", bad, "s", goal).holds is False


def test_values_are_judged_before_they_are_rounded():
    row = Row.of("a", math.nextafter(0.95, 0), "share", Goal(0.95))
    assert row.value == 0.95
    assert row.holds is False


def test_the_header_has_differences_and_no_path(tmp_path: Path):
    preset = tmp_path / "mine.toml"
    preset.write_text("seed = 7\n[detect]\nevery = 2\n")
    head = header(str(preset), ["finetune.rounds=1", "crops.every=3"], [3, 4])
    assert head["settings"] == {"detect.every": 2, "finetune.rounds": 1}
    assert head["seeds"] == [3, 4]
    assert head["preset"] == "mine.toml"
    assert str(tmp_path) not in json.dumps(head)
    assert set(head["versions"]) == {
        "videoclusternet", "python", "numpy", "onnxruntime", "torch",
    }  # fmt: skip


def test_settings_that_do_not_exist_are_refused_at_once():
    with pytest.raises(UsageError, match=r"finetune\.rounds"):
        header("standard", ["finetune.round=1"], [0])


def test_the_machine_is_described():
    facts = machine()
    assert facts["processor"]
    assert facts["cores"] >= 1
    assert facts["memory_gb"] > 0.1
    assert isinstance(facts["amx"], bool)
    assert len(facts["load_average"]) == 3


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "films.json"
    write_results(path, {"n": 1}, [Row.of("a", 1, "s")])
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_results(path, {"n": object()}, [])
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["films.json"]
    assert json.loads(before) == {
        "n": 1, "rows": [{"name": "a", "value": 1, "unit": "s", "goal": None, "holds": None}],
    }  # fmt: skip
