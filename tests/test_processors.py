"""The processors are those that affinity, quota and the user leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from videoclusternet import processors


@pytest.fixture
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    monkeypatch.setattr(processors, "QUOTAS", ())
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.usefixtures("eight_processors")
@pytest.mark.parametrize(
    ("asked", "expected"), [("", 8), ("3", 3), ("99", 8), ("0", 1), ("4,2", 8), ("two", 8)]
)
def test_threads_are_those_that_are_allowed(
    monkeypatch: pytest.MonkeyPatch, asked: str, expected: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert processors.usable_threads() == expected


@pytest.mark.usefixtures("eight_processors")
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["max 100000\n"], 8),
        (["250000 100000\n"], 2),
        (["50000 100000\n"], 1),
        (["-1\n", "100000\n"], 8),
        (["300000\n", "100000\n"], 3),
        ([], 8),
    ],
)
def test_a_quota_bounds_the_threads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: list[str], expected: int
) -> None:
    for number, text in enumerate(files):
        (tmp_path / str(number)).write_text(text)
    quota = tuple(str(tmp_path / str(number)) for number in range(len(files) or 1))
    monkeypatch.setattr(processors, "QUOTAS", (quota,))
    assert processors.usable_threads() == expected


@pytest.mark.usefixtures("eight_processors")
def test_the_limits_are_told_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert processors.thread_limits() == {"affinity": 8}
    (tmp_path / "max").write_text("500000 100000\n")
    monkeypatch.setattr(processors, "QUOTAS", ((str(tmp_path / "max"),),))
    monkeypatch.setenv("OMP_NUM_THREADS", "6")
    assert processors.thread_limits() == {"affinity": 8, "quota": 5, "OMP_NUM_THREADS": 6}
