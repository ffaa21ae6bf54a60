"""BBT's first episode as SSiam has it, in small made-up files laid out as the published ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

import videoclusternet as vcn
from benchmarks.datasets import load_dataset

FIELDS = ("labelid", "numframes", "trackerId")
ROWS = [(0, 2, 7), (2, 1, 11), (1, 3, 14), (6, 1, 15), (0, 0, 20)]  # 2: unknown, 6: no face


def write_episode(folder, rows=ROWS, most=3, width=4, name="features_vgg"):
    (folder / "bbt").mkdir(exist_ok=True)
    tracks = np.array(rows, [(field, "O") for field in FIELDS]) if rows else np.empty((0, 0))
    if not rows:
        tracks = np.empty((1, 0), [(field, "O") for field in FIELDS])
    savemat(folder / "bbt" / "bbt_s01e01.mat", {"Tracks": tracks})
    values = np.full((width, most, len(rows)), -1.0)
    for i, (_, frames, tracker) in enumerate(rows):
        for frame in range(min(frames, most)):
            values[:, frame, i] = tracker + frame / 10
    values = values[..., 0] if len(rows) == 1 else values  # as MATLAB does
    savemat(folder / "bbt" / "bbt_s01e01_features_VGG2.mat", {name: values})
    return folder


def load_one(folder):
    (film,) = load_dataset("BBT-0101", folder)
    return film


def test_an_episode_is_read(tmp_path):
    film = load_one(write_episode(tmp_path))
    assert film.name == "bbt_s01e01"
    assert film.ids.tolist() == ["7", "11", "14", "15", "20"]
    assert film.every_name.tolist() == ["label 0", "", "label 1", "", "label 0"]
    assert film.kept.tolist() == [0, 1, 2, 3]
    assert film.tracks.counts.tolist() == [2, 1, 3, 1]
    expected = [7, 7.1, 11, 14, 14.1, 14.2, 15]
    np.testing.assert_allclose(film.tracks.embeddings, np.repeat(expected, 4).reshape(-1, 4))
    assert not film.tracks.together.any()


def test_one_track_or_none(tmp_path):
    film = load_one(write_episode(tmp_path, rows=ROWS[:1]))
    assert film.tracks.counts.tolist() == [2]
    assert film.names.tolist() == [""]  # the largest label of all
    assert len(load_one(write_episode(tmp_path, rows=[])).ids) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": [(0, 4, 7), (1, 1, 8)]}, "room for 3 frames, not for the 4 of track 7"),
        ({"rows": [(0, 1, 7), (1, 1, 7)]}, "two tracks with the same trackerId"),
        ({"rows": [(0, 1, 7), (1, [1, 2], 8)]}, r"Tracks\(2\) of .*numframes is not one whole"),
        ({"rows": [(np.nan, 1, 7), (1, 1, 8)]}, "labelid is not one whole number"),
        ({"name": "other"}, "0 variables 'features_…', not one"),
    ],
)
def test_damage_is_said(tmp_path, change, message):
    rows = [r for r in change.get("rows", ROWS) if np.ndim(r[1]) == 0]
    write_episode(tmp_path, **{**change, "rows": rows})
    if len(rows) < len(change.get("rows", ROWS)):
        tracks = np.array(change["rows"], [(field, "O") for field in FIELDS])
        savemat(tmp_path / "bbt" / "bbt_s01e01.mat", {"Tracks": tracks})
    with pytest.raises(vcn.InputError, match=message) as caught:
        load_one(tmp_path)
    assert "bbt_s01e01" in str(caught.value)


def test_features_of_other_tracks_are_said(tmp_path):
    write_episode(tmp_path)
    savemat(tmp_path / "bbt" / "bbt_s01e01_features_VGG2.mat", {"features_a": np.ones((4, 3, 2))})
    with pytest.raises(vcn.InputError, match=r"shape \(4, 3, 2\), not of 5 tracks"):
        load_one(tmp_path)
    savemat(tmp_path / "bbt" / "bbt_s01e01.mat", {"Tracks": np.ones(3)})
    with pytest.raises(vcn.InputError, match="no structs 'Tracks' with a field 'labelid'"):
        load_one(tmp_path)


def test_what_is_missing_is_asked_for(tmp_path):
    with pytest.raises(vcn.InputError, match="vivoutlaw/SSIAM"):
        load_one(tmp_path)
    write_episode(tmp_path)
    (tmp_path / "bbt" / "bbt_s01e01_features_VGG2.mat").unlink()
    with pytest.raises(vcn.InputError, match=r"features_VGG2.*vivoutlaw/SSIAM"):
        load_one(tmp_path)
