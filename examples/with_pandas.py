"""Read a run folder with pandas: screen time minute by minute, and who is seen with whom.

    pip install pandas
    python with_pandas.py runs/film

Nothing of this package is needed to read a run: people.csv is a table, tracks.npz and clusters.npz
are numpy's own. docs/run-folder.md says what each column is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd


def appearances(run: Path) -> pd.DataFrame:
    """Return a row for each appearance: person, start_seconds, end_seconds."""
    return pd.read_csv(run / "people.csv")


def by_minute(seen: pd.DataFrame) -> pd.DataFrame:
    """Return the seconds that each person (column) is on the screen in each minute (row)."""
    minutes = np.arange(np.ceil(seen["end_seconds"].max() / 60))
    columns = {}
    for person, rows in seen.groupby("person", sort=False):
        start = rows["start_seconds"].to_numpy()[:, None]
        end = rows["end_seconds"].to_numpy()[:, None]
        inside = np.minimum(end, 60 * (minutes + 1)) - np.maximum(start, 60 * minutes)
        columns[person] = inside.clip(0).sum(axis=0)
    return pd.DataFrame(columns, index=pd.Index(minutes.astype(int), name="minute"))


def boxes(run: Path) -> pd.DataFrame:
    """Return a row for each look at each face: person, frame, time and box."""
    with np.load(run / "tracks.npz") as tracks, np.load(run / "clusters.npz") as clusters:
        table = pd.DataFrame(tracks["box"], columns=["x1", "y1", "x2", "y2"])
        table["frame"] = tracks["frame"]
        table["label"] = clusters["label"][tracks["track"]]
    with np.load(run / "shots.npz") as shots:
        table["seconds"] = shots["times"][table["frame"]]
    told = json.loads((run / "people.json").read_text())
    names = {one["label"]: one["name"] for one in (*told["people"], told["unknown"])}
    return table.assign(person=table["label"].map(names)).drop(columns="label")


def together(faces: pd.DataFrame) -> pd.DataFrame:
    """Return in how many frames that were looked at two people are seen at once."""
    seen = pd.crosstab(faces["frame"], faces["person"]).clip(upper=1)
    return seen.T @ seen


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(by_minute(appearances(folder)).round(1))
    print(together(boxes(folder)))
