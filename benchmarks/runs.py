"""Runs of the program, each a process of its own, and what is read from their folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import videoclusternet as vcn

PROGRAM = (sys.executable, "-m", "videoclusternet")


class ProgramFailedError(vcn.VideoClusterNetError):
    """The program that is measured ended with an error, which it has told itself."""


@dataclass(frozen=True)
class Case:
    """A film and the truth about it."""

    film: Path
    truth: Path

    @property
    def name(self) -> str:
        """What the results call the film."""
        return self.film.stem


@dataclass(frozen=True)
class Trial:
    """One film, run with one seed and scored."""

    film: str
    seed: int
    scores: Mapping[str, float]  # as `vcn eval --json` names them
    seconds: Mapping[str, float]  # of each stage, when it was made
    peak: float | None  # MB resident; None where the run was not made in one piece
    made_now: bool  # all of it; what an earlier benchmark made is loaded


def try_case(case: Case, seed: int, *, work: Path, preset: str, changes: Sequence[str]) -> Trial:
    """Run a film with a seed in its folder below `work`, and score it.

    A run that is there already is loaded, with the seconds and the memory that it took when it
    was made. Raises ProgramFailedError.
    """
    folder = work / f"{case.name}-{seed}"
    before = stages_of(folder)
    peak = run_program(case.film, folder, preset, changes, seed)
    stages = vcn.load_run(folder).manifest.stages
    made_now = len(redone(before, stages)) == len(stages)
    # The report's key hashes the seconds of all stages, so it tells this making of the run from
    # any other.
    memo = folder.with_name(f"{folder.name}.peak.json")
    if made_now:
        memo.write_text(json.dumps({stages["report"].key: peak}), encoding="utf-8")
    peaks = json.loads(memo.read_text(encoding="utf-8")) if memo.exists() else {}
    return Trial(
        film=case.name,
        seed=seed,
        scores=_scores(folder, case.truth),
        seconds={stage: note.seconds for stage, note in stages.items()},
        peak=peaks.get(stages["report"].key),
        made_now=made_now,
    )


def run_program(
    film: Path,
    folder: Path,
    preset: str,
    changes: Sequence[str],
    seed: int,
    until: str = "report",
) -> float:
    """Run the program on a film, and return the largest memory that it held at a time, in MB.

    The kernel counts from the fork, so this is never less than what the benchmark itself holds:
    keep torch out of it. Raises ProgramFailedError.
    """
    command = [*PROGRAM, "run", str(film), "--out", str(folder), "--preset", preset]
    command += ["--seed", str(seed), *(f"--set={change}" for change in changes)]
    command += ["--until", until] if until != "report" else []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    _check(process.returncode, f"run {film.name} with seed {seed}")
    return usage.ru_maxrss * 1024 / 1e6


def stages_of(folder: Path) -> Mapping[str, object]:
    """Return what a run folder notes of each stage that is done; nothing where there is none."""
    try:
        return vcn.load_run(folder).manifest.stages
    except vcn.InputError:
        return {}


def redone(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return the stages that were made between two looks at a run folder."""
    return [stage for stage, note in after.items() if before.get(stage) != note]


def _scores(folder: Path, truth: Path) -> dict[str, float]:
    command = [*PROGRAM, "eval", str(folder), "--truth", str(truth), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    _check(done.returncode, f"score {folder.name}")
    scores: dict[str, float] = json.loads(done.stdout)
    return scores


def _check(code: int, task: str) -> None:
    if code:
        raise ProgramFailedError(f"The program could not {task}: it ended with code {code}.")
