"""What the tests of the method's core let through: the mutants that survive them.

mutmut makes the mutants of functions and tries them (`make mutants`); here they are read, and held
against the reasons of `survivors`. What stands outside of functions it leaves alone: the constants
and the table of rules. Those are changed and tried here, each in a process of its own.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import videoclusternet as vcn
from benchmarks.results_file import Goal, Row

PROFILE = "--hypothesis-profile=repeatable"  # of tests/conftest.py
FAILED = {1, 3}  # what pytest ends with where a test failed, or it could not go on
ENDED = {36, 255, -24, 24, 152, -11, -9}  # what mutmut notes of a mutant that ran too long or died
PATIENCE = 300  # seconds that the tests of a constant may take; they need 20


@dataclass(frozen=True)
class Mutant:
    """One change of the source, and whether a test failed by it."""

    module: str
    place: str  # the function, or nothing for what stands outside of all
    after: str  # the lines that changed, as they are then
    killed: bool

    @property
    def name(self) -> str:
        """What it is called in `survivors`, wherever its lines move to."""
        where = f"{self.module}.{self.place}" if self.place else self.module
        return f"{where}: {self.after}"


def read_mutants(folder: Path) -> Iterator[Mutant]:
    """Yield what mutmut tried, from its folder. Raises UsageError where it has not ended."""
    for notes in sorted(folder.rglob("*.py.meta")):
        codes = json.loads(notes.read_text(encoding="utf-8"))["exit_code_by_key"]
        source = notes.with_suffix("").read_text(encoding="utf-8")
        functions = _functions(source)
        for key, code in codes.items():
            if code is None:
                raise vcn.UsageError(f"{key} was not tried: run 'make mutants' to its end.")
            name = key.rpartition(".")[2]
            origin = name.rpartition("__mutmut_")[0]
            module = notes.name.removesuffix(".py.meta")
            before, after = functions[f"{origin}__mutmut_orig"], functions[name]
            place = origin[2:].replace("ǁ", ".")  # x_function, xǁClassǁmethod
            yield Mutant(module, place, changed(before, after), code in FAILED | ENDED)


def _functions(source: str) -> dict[str, list[str]]:
    """Return the lines of each function, which is called the same in all of its mutants."""
    lines = source.splitlines()
    return {
        node.name: [
            line.replace(node.name, "", 1).strip()
            for line in lines[node.lineno - 1 : node.end_lineno]
        ]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }


def changed(before: Sequence[str], after: Sequence[str]) -> str:
    """Return the lines that are new, as one."""
    new = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("+ ")]
    return " ".join(new) or "(a line less)"


def constants(source: str) -> Iterator[tuple[str, str]]:
    """Yield each change of a constant outside of functions: its line then, and the whole source."""
    lines = source.splitlines()
    for node in _outside(ast.parse(source)):
        for value in _others(node.value):
            line = lines[node.lineno - 1]
            # Columns count bytes, and these lines are plain.
            line = line[: node.col_offset] + repr(value) + line[node.end_col_offset :]
            text = "\n".join([*lines[: node.lineno - 1], line, *lines[node.lineno :]])
            yield line.strip().partition("  # ")[0], text + "\n"


def _outside(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the constants that are assigned in modules and classes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _outside(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield from (part for part in ast.walk(node.value) if isinstance(part, ast.Constant))


def _others(value: object) -> list[object]:
    """Return what a constant is changed to."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value - 1, value + 1]
    if isinstance(value, float):
        return [value / 2, value * 2]
    return [f"{value}?"]


def try_constants(root: Path, work: Path) -> Iterator[Mutant]:
    """Change the constants of the modules one by one, and run the tests of their room.

    Which they are stands in the settings of mutmut. All happens in a copy, in `work`.
    """
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)["tool"]["mutmut"]
    modules, tests = settings["only_mutate"], settings["pytest_add_cli_args_test_selection"]
    copy = work / "constants"
    shutil.rmtree(copy, ignore_errors=True)
    for folder in ("videoclusternet", "tests"):
        shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", copy)
    for module in map(Path, modules):
        chosen = [test for test in tests if Path(test).parent.name == module.parent.name]
        source = (root / module).read_text(encoding="utf-8")
        for line, text in constants(source):
            (copy / module).write_text(text, encoding="utf-8")
            yield Mutant(module.stem, "", line, fails(copy, chosen))
        (copy / module).write_text(source, encoding="utf-8")


def fails(folder: Path, tests: Sequence[str]) -> bool:
    """Run tests of a copy until one fails, and tell whether one did or they did not come to an end.

    Raises RuntimeError where they could not be run.
    """
    call = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", PROFILE, *tests]
    environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            call, cwd=folder, env=environment, capture_output=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1, 2):  # 2: a module could not even be imported
        raise RuntimeError(done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:])
    return done.returncode > 0


def judge(
    mutants: Sequence[Mutant], reasons: Mapping[str, str]
) -> tuple[list[Row], dict[str, str]]:
    """Return the share of each module that was killed, and what there is to say of the others."""
    rows: list[Row] = []
    said: dict[str, str] = {}
    for module in dict.fromkeys(mutant.module for mutant in mutants):
        of = [mutant for mutant in mutants if mutant.module == module]
        alive = [mutant.name for mutant in of if not mutant.killed]
        said |= {name: reasons.get(name, "no reason") for name in alive}
        share = 1 - len(alive) / len(of)
        rows.append(Row.of(f"mutants.{module}.killed", share, f"of {len(of)}"))
        bare = sum(name not in reasons for name in alive)
        rows.append(Row.of(f"mutants.{module}.survive", len(alive), "mutants"))
        rows.append(Row.of(f"mutants.{module}.unexplained", bare, "mutants", Goal(most=0)))
    stale = [name for name in reasons if name not in said]
    said |= dict.fromkeys(stale, "no such survivor")
    rows.append(Row.of("mutants.stale", len(stale), "reasons", Goal(most=0)))
    return rows, said
