from __future__ import annotations

import numpy as np
import pytest

from videoclusternet.errors import InputError
from videoclusternet.records import Tracks
from videoclusternet.results.truth import Truth, name_tracks, read_truth

HEADER = "frame,x1,y1,x2,y2,name\n"


def written(tmp_path, content):
    path = tmp_path / "truth.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_truth_file_is_read_and_sorted(tmp_path):
    text = "\ufeffname,frame,x1,y1,x2,y2,note\nZoë,6,1.5,2,30,40,\n\n ? ,0,0,0,9,9,far\n"
    truth = read_truth(written(tmp_path, text))
    assert truth.frame.tolist() == [0, 6]
    assert truth.name.tolist() == ["?", "Zoë"]
    np.testing.assert_array_equal(truth.box, [[0, 0, 9, 9], [1.5, 2, 30, 40]])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "Line 1 .* lacks the column 'frame'"),
        ("frame,x1,y1,x2,name\n", "Line 1 .* lacks the column 'y2'"),
        (HEADER, "holds no boxes"),
        (HEADER + "0,0,0,9,9,A\n6,0,0,9\n", "Line 3 .* has 4 fields, not 6"),
        (HEADER + "0.5,0,0,9,9,A\n", "Line 2 .* has '0.5' for a frame number"),
        (HEADER + "-1,0,0,9,9,A\n", "Line 2 .* has '-1' for a frame number"),
        (HEADER + "0,0,0,wide,9,A\n", "Line 2 .* has 'wide' for a number of pixels"),
        (HEADER + "0,0,0,nan,9,A\n", "Line 2 .* has 'nan' for a number of pixels"),
        (HEADER + "\n0,9,0,9,9,A\n", "Line 3 .* not beyond"),
        (HEADER + "0,0,0,9,9, \n", "Line 2 .* has no name"),
        (HEADER + "0,0,0,1e300,9,A\n", "Line 2 .* has '1e300' for a number of pixels"),
        (HEADER + "9" * 30 + ",0,0,9,9,A\n", "Line 2 .* for a frame number"),
        (HEADER + "0,0,0,9,9," + "A" * 200_000, "Line 2 .* is not CSV"),
        (b"\xff\xfe\x00", "is not UTF-8"),
    ],
)
def test_what_is_no_truth_file_is_refused_in_one_sentence(tmp_path, content, says):
    with pytest.raises(InputError, match=says) as refused:
        read_truth(written(tmp_path, content))
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_truth(path)


def tracks_of(*tracks):
    """Tracks as lists of (frame, x): square boxes of 40 pixels."""
    rows = [(i, frame, x) for i, track in enumerate(tracks) for frame, x in track]
    n = len(rows)
    table = np.array(rows, float).reshape(-1, 3)
    corner = np.stack([table[:, 2], np.zeros(n)], axis=1)
    return Tracks(
        table[:, 0].astype(int), table[:, 1].astype(int),
        np.concatenate([corner, corner + 40], axis=1).astype("f4"), np.zeros((n, 5, 2), "f4"),
        *np.ones((4, n), "f4"), np.ones(n, bool), np.zeros(n, bool),
    )  # fmt: skip


def truth_of(*rows):
    """Truth as (frame, x, name), in the same boxes."""
    frame, x, name = zip(*rows, strict=True)
    box = np.array([[left, 0, left + 40, 40] for left in x], "f4")
    return Truth(np.array(frame), box, np.array(name))


def test_tracks_take_the_name_they_overlap_most():
    tracks = tracks_of(
        [(0, 0), (3, 0), (6, 0), (12, 0)], [(0, 100), (12, 100)], [(0, 300), (6, 300)]
    )
    truth = truth_of(
        (0, 5, "Ann"),
        (0, 100, "Bob"),
        (6, 5, "Ann"),
        (6, 110, "Cy"),
        (12, 0, "Bob"),
        (12, 108, "Cy"),
    )
    assert name_tracks(tracks, truth).names == ("Ann", "Cy", None)


def test_boxes_are_compared_where_the_track_is_at_that_time():
    moving = tracks_of([(0, 0), (3, 60), (9, 180)])
    assert name_tracks(moving, truth_of((6, 120, "Ann"))).names == ("Ann",)
    assert name_tracks(moving, truth_of((6, 60, "Ann"))).names == (None,)
    assert name_tracks(moving, truth_of((10, 180, "Ann"))).names == (None,)


@pytest.mark.parametrize(("x", "name"), [(13, "Ann"), (14, None)])
def test_half_an_overlap_is_needed(x, name):
    assert name_tracks(tracks_of([(0, 0), (3, 0)]), truth_of((0, x, "Ann"))).names == (name,)


def test_where_nobody_could_tell_a_track_is_not_scored_and_none_is_missed():
    tracks = tracks_of([(0, 0), (12, 0)])
    truth = truth_of((0, 0, "?"), (6, 0, "?"), (6, 300, "?"), (12, 0, "Ann"))
    named = name_tracks(tracks, truth)
    assert (named.names, named.missed) == ((None,), 0)


def test_a_tie_goes_to_the_first_name():
    tracks = tracks_of([(0, 0), (6, 0)])
    for names in (("Bob", "Ann"), ("Ann", "Bob")):
        truth = truth_of((0, 0, names[0]), (6, 0, names[1]))
        assert name_tracks(tracks, truth).names == ("Ann",)


def test_true_tracks_that_nothing_overlaps_are_missed():
    truth = truth_of(
        *[(t, 0, "Ann") for t in (0, 6, 12)],  # found
        *[(t, 0, "Ann") for t in (30, 36)],  # after a gap: another, missed
        *[(t, 200, "Bob") for t in (0, 6)],  # missed
        *[(t, 400, "Bob") for t in (12, 18)],  # elsewhere: another, missed
    )
    truth = truth.select(np.argsort(truth.frame, kind="stable"))
    assert name_tracks(tracks_of([(0, 0), (9, 0)]), truth).missed == 3
    assert name_tracks(Tracks.empty(), truth).missed == 4
