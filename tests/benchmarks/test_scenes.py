from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

import videoclusternet as vcn
from benchmarks.__main__ import main
from benchmarks.results_file import Row
from benchmarks.scenes import ABA, Judged, count, judge_series, rows_of

HEADER = "CVHCI_VIDEOEVENTS_V1\n"


def face_track(name, frames, left):
    ones = np.ones(len(frames))
    return {
        "frames": np.array(frames), "x": left * ones, "y": 0 * ones, "w": 40 * ones,
        "h": 40 * ones, "groundTruthIdentity": name,
    }  # fmt: skip


def write_episode(folder, tracks, cuts, threads):
    fields = list(tracks[0])
    table = np.array([tuple(t[f] for f in fields) for t in tracks], [(f, object) for f in fields])
    savemat(folder / "one.facetracks.mat", {"FaceTracks": table})
    savemat(folder / "one.track_threads.mat", {"track_thread_matrix": threads})
    (folder / "one.videvents").write_text(HEADER + "".join(f"{cut} 1.0 CUT\n" for cut in cuts))


def test_what_is_known_of_pairs_is_counted():
    names = ["ada", "ada", "bob", None]
    pairs = np.array([[0, 1], [0, 2], [0, 3]])
    assert count("f", "thread", pairs, names, same=True) == Judged("f", "thread", 3, 2, 1)
    assert count("f", "together", pairs, names, same=False) == Judged("f", "together", 3, 2, 1)
    assert count("f", "thread", pairs[:0], names, same=True).share == 1


def test_an_episode_is_judged(tmp_path):
    tracks = [  # not in the order of their frames
        face_track("Ada", range(20, 30), 0), face_track("Bob", range(20, 30), 100),
        face_track("Ada", range(10), 0), face_track("unknown", range(10), 100),
    ]  # fmt: skip
    threads = np.zeros((4, 4))
    threads[[0, 2, 1, 3], [2, 0, 3, 1]] = 1
    write_episode(tmp_path, tracks, [10, 20], threads)
    found = {one.kind: (one.links, one.known, one.right) for one in judge_series(tmp_path)}
    assert found == {
        "fragment": (0, 0, 0), "together": (2, 1, 1), "published thread": (2, 1, 1),
        "published thread, one place": (2, 1, 1), ABA: (2, 1, 1),
    }  # fmt: skip


def test_no_episode_is_told(tmp_path):
    with pytest.raises(vcn.InputError, match="no face tracks"):
        judge_series(tmp_path)


def test_the_goal_is_asked_of_all_films_together():
    judged = [Judged("a", "thread", 5, 4, 4), Judged("b", "thread", 3, 2, 1)]
    rows = [*rows_of(judged)]
    assert [row.name for row in rows if row.holds is not None] == ["all: thread, right"]
    assert rows[-1] == Row(
        "all: thread, right", 0.8333, "share of the judged", "at least 0.99", False
    )
    assert [row.value for row in rows if row.name.endswith("links")] == [5, 3, 8]


@pytest.mark.parametrize("asked", [[], ["film.mp4:truth.csv", "--tv", "tv"]])
def test_films_or_television(asked, capsys):
    assert main(["scenes", *asked]) == 2
    assert "Name films with their truth" in capsys.readouterr().err
