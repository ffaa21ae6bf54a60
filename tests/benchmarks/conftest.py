from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import runs

STAND_IN = Path(__file__).with_name("stand_in.py")
TRUTH = "frame,x1,y1,x2,y2,name\n0,1,2,30,40,Ann\n"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in instead of the program, which would take minutes."""
    monkeypatch.setattr(runs, "PROGRAM", (sys.executable, str(STAND_IN)))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "sitcom_26s.mp4"
    path.write_text("steady")
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.csv"
    path.write_text(TRUTH)
    return path
