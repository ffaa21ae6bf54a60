"""Mutants are read as mutmut leaves them, constants are changed one by one, survivors are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import videoclusternet as vcn
from benchmarks.mutants import Mutant, constants, fails, judge, read_mutants, try_constants

MUTATED = '''
def x__share__mutmut_orig(part: int,
                          whole: int) -> float:
    """Return a share."""
    return part / whole


def x__share__mutmut_1(part: int,
                       whole: int) -> float:
    """Return a share."""
    return part * whole


class Box:
    def xǁBoxǁarea__mutmut_orig(self) -> float:
        return self.width * self.height

    def xǁBoxǁarea__mutmut_1(self) -> float:
        return self.width / self.height

    def xǁBoxǁarea__mutmut_2(self) -> float:
        return None
'''


def leave(folder: Path, codes: dict[str, int | None]) -> Path:
    """Leave mutants as mutmut does, with the codes that their tests ended with."""
    room = folder / "mutants" / "house" / "room"
    room.mkdir(parents=True)
    (room / "plan.py").write_text(MUTATED, encoding="utf-8")
    notes = {"exit_code_by_key": {f"house.room.plan.{name}": code for name, code in codes.items()}}
    (room / "plan.py.meta").write_text(json.dumps(notes), encoding="utf-8")
    return folder / "mutants"


def test_mutants_are_named_by_what_they_changed(tmp_path: Path) -> None:
    codes = {"x__share__mutmut_1": 1, "xǁBoxǁarea__mutmut_1": 0, "xǁBoxǁarea__mutmut_2": 36}
    mutants = [*read_mutants(leave(tmp_path, codes))]
    assert [(mutant.name, mutant.killed) for mutant in mutants] == [
        ("plan._share: return part * whole", True),
        ("plan.Box.area: return self.width / self.height", False),
        ("plan.Box.area: return None", True),  # it ran too long
    ]


@pytest.mark.parametrize(("code", "killed"), [(3, True), (-24, True), (33, False), (34, False)])
def test_what_no_test_reached_is_not_killed(tmp_path: Path, code: int, killed: bool) -> None:
    (mutant,) = read_mutants(leave(tmp_path, {"x__share__mutmut_1": code}))
    assert mutant.killed is killed


def test_mutants_that_were_not_tried_are_no_result(tmp_path: Path) -> None:
    folder = leave(tmp_path, {"x__share__mutmut_1": None})
    with pytest.raises(vcn.UsageError, match="x__share__mutmut_1 was not tried"):
        [*read_mutants(folder)]


SOURCE = '''"""About 5 things."""

from typing import Literal

MOST = 4  # of them; ours
SHARE: float = 0.25


class Rule:
    """No 7."""

    kind: Literal["a", "b"] = "a"
    near: bool = False

    def of(self, n: int = 3) -> int:
        return n + 1


RULES = {"one": MOST - 2}
'''


def test_constants_outside_of_functions_are_changed_one_by_one() -> None:
    lines = [line for line, _ in constants(SOURCE)]
    assert lines == [
        "MOST = 3",
        "MOST = 5",
        "SHARE: float = 0.125",
        "SHARE: float = 0.5",
        'kind: Literal["a", "b"] = \'a?\'',
        "near: bool = True",
        "RULES = {'one?': MOST - 2}",
        'RULES = {"one": MOST - 1}',
        'RULES = {"one": MOST - 3}',
    ]
    before = SOURCE.splitlines()
    for line, text in constants(SOURCE):
        (changed,) = [new for new, old in zip(text.splitlines(), before, strict=True) if new != old]
        assert changed.strip().startswith(line)


SETTINGS = """
[tool.mutmut]
only_mutate = ["videoclusternet/room/plan.py"]
pytest_add_cli_args_test_selection = ["tests/room/test_plan.py", "tests/hall/test_hall.py"]
"""
PROFILE = "from hypothesis import settings\nsettings.register_profile('repeatable')\n"
TEST = """
from videoclusternet.room.plan import DOORS, WINDOWS

def test_doors():
    assert DOORS == 2
"""


def test_constants_are_tried_in_a_copy_by_the_tests_of_their_room(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": SETTINGS,
        "videoclusternet/__init__.py": "",
        "videoclusternet/room/__init__.py": "",
        "videoclusternet/room/plan.py": "DOORS = 2\nWINDOWS = 1\n",
        "tests/conftest.py": PROFILE,
        "tests/room/test_plan.py": TEST,
        "tests/hall/test_hall.py": "def test_hall():\n    assert False\n",
    }
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    mutants = [*try_constants(tmp_path / "root", tmp_path / "work")]
    assert [(mutant.name, mutant.killed) for mutant in mutants] == [
        ("plan: DOORS = 1", True),
        ("plan: DOORS = 3", True),
        ("plan: WINDOWS = 0", False),
        ("plan: WINDOWS = 2", False),
    ]
    assert (
        tmp_path / "root/videoclusternet/room/plan.py"
    ).read_text() == "DOORS = 2\nWINDOWS = 1\n"
    with pytest.raises(RuntimeError, match="no_such"):  # nothing was tried, so nothing is told
        fails(tmp_path / "work/constants", ["tests/no_such.py"])


def test_every_survivor_needs_a_reason_and_every_reason_a_survivor() -> None:
    mutants = [
        Mutant("plan", "area", "return None", True),
        Mutant("plan", "area", "return 1", False),
        Mutant("plan", "area", "return 2", False),
        Mutant("wall", "", "HEIGHT = 3", True),
    ]
    rows, said = judge(mutants, {"plan.area: return 2": "as good", "plan.area: return None": "old"})
    assert {row.name: (row.value, row.holds) for row in rows} == {
        "mutants.plan.killed": (0.3333, None),
        "mutants.plan.survive": (2, None),
        "mutants.plan.unexplained": (1, False),
        "mutants.wall.killed": (1, None),
        "mutants.wall.survive": (0, None),
        "mutants.wall.unexplained": (0, True),
        "mutants.stale": (1, False),
    }
    assert said == {
        "plan.area: return 1": "no reason",
        "plan.area: return 2": "as good",
        "plan.area: return None": "no such survivor",
    }
