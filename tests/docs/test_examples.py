"""The examples, run as they are handed out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np

from tests.docs.conftest import ROOT
from videoclusternet.run_view import load_run

EXAMPLES = ROOT / "examples"


def script(name: str, folder: Path, *arguments: str) -> str:
    """Run an example in a folder; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(folder / name), *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_detector_finds_faces(prepared: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(prepared, tmp_path / "here"))
    before = set((folder / "runs").iterdir())
    printed = script("own_detector.py", folder, "film.mp4", "finetune.rounds=0")
    (made,) = set((folder / "runs").iterdir()) - before
    run = load_run(made)
    assert len(printed.splitlines()) == len(run.people) >= 3
    assert run.tracks.count == 6  # three people in turns, twice
    for person in run.people:
        assert len({track % 3 for track in person.tracks}) == 1


def test_pandas_reads_a_run(prepared: Path) -> None:
    printed = script("with_pandas.py", prepared, "runs/film")
    assert all(f"Person {number}" in printed for number in (1, 2, 3))
    sys.path.insert(0, str(prepared))
    try:
        import with_pandas
    finally:
        sys.path.remove(str(prepared))
    run = load_run(prepared / "runs" / "film")
    minutes = with_pandas.by_minute(with_pandas.appearances(run.folder))
    for person in run.people:
        assert abs(minutes[person.name].sum() - person.seconds) < 0.01
    boxes = with_pandas.boxes(run.folder)
    assert np.array_equal(boxes[["x1", "y1", "x2", "y2"]].to_numpy(), run.tracks.box)
    counts = with_pandas.together(boxes)
    looks = boxes.groupby("person")["frame"].nunique()
    assert all(counts.loc[name, name] == looks[name] for name in looks.index)


def test_the_notebook_runs(prepared: Path, tmp_path: Path) -> None:
    shutil.copy(prepared / "film.mp4", tmp_path)
    book = nbformat.read(EXAMPLES / "who_is_in_it.ipynb", as_version=4)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    assert len(cells) == 5
    assert not any(cell.outputs for cell in cells)  # of somebody's film
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    assert "3 people" in json.dumps(cells[0].outputs)
    assert any("image/png" in output.get("data", {}) for output in cells[2].outputs)
    assert "one person" in json.dumps(cells[4].outputs)
